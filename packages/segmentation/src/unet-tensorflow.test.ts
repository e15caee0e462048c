import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { startEngine } from '@onco-response/engine';
import { beforeAll, describe } from 'vitest';
import { compareNetwork, readVariant } from './__fixtures__/unets.js';

const tfjsNode = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json'));
const library = join(tfjsNode, 'lib');
const provided = existsSync(library) && readdirSync(library).length > 0;

describe.skipIf(!provided)('libtensorflow, with its own kernels', () => {
  beforeAll(async () => {
    await startEngine({ backend: 'tensorflow', threads: 1 });
  }, 60_000);
  compareNetwork('plain-2d');
  compareNetwork('plain-3d');
  compareNetwork('residual-3d');
  compareNetwork('attention-3d', readVariant('attention-3d'));
  compareNetwork('quantised-3d', readVariant('quantised-3d'));
});
