import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const tfjsNode = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json'));
const library = join(tfjsNode, 'lib');

/** libtensorflow on one thread where it was provided, else plain JavaScript, which takes ten times as long. */
export const fastestBackend =
  existsSync(library) && readdirSync(library).length > 0
    ? ({ backend: 'tensorflow', threads: 1 } as const)
    : ({ backend: 'cpu' } as const);
