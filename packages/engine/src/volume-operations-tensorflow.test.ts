import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { beforeAll, describe } from 'vitest';
import { testVolumeOperations } from './__fixtures__/volume-operations.js';
import { startEngine } from './start-engine.js';

const tfjsNode = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json'));
const library = join(tfjsNode, 'lib');
const provided = existsSync(library) && readdirSync(library).length > 0;

describe.skipIf(!provided)('libtensorflow', () => {
  beforeAll(async () => {
    await startEngine({ backend: 'tensorflow', threads: 1 });
  }, 60_000);
  testVolumeOperations();
});
