/**
 * pnpm bench imaging|encoder|metrics|segmentation|train --peer PATH_TO_PYTHON [--rounds 5] [--json FILE] [--data DIR]
 *   train: [--epochs 20] [--cases 100] [--seeds 3] [--image-size 112] [--threads 2]
 *
 * Ours beside the Python peers', on the same input in one run: synthetic, for train the LIDC nodules of ../shared/data.
 * PATH_TO_PYTHON has numpy, and for imaging SimpleITK, nibabel and pydicom, for encoder torch, transformers and peft, for
 * train SimpleITK, Pillow and pytorch-metric-learning as well. Build first: pnpm build.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchEncoder } from './bench-encoder.mjs';
import { benchImaging } from './bench-imaging.mjs';
import { benchMetrics } from './bench-metrics.mjs';
import { benchSegmentation } from './bench-segmentation.mjs';
import { benchTrain } from './bench-train.mjs';

const BENCHES = {
  imaging: benchImaging,
  metrics: benchMetrics,
  encoder: benchEncoder,
  segmentation: benchSegmentation,
  train: benchTrain,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
    data: { type: 'string', default: join(tmpdir(), 'onco-bench') },
    epochs: { type: 'string', default: '20' },
    cases: { type: 'string', default: '100' },
    seeds: { type: 'string', default: '3' },
    'image-size': { type: 'string', default: '112' },
    threads: { type: 'string', default: '2' },
  },
});
const bench = BENCHES[positionals[0]];
if (!bench || !values.peer) {
  console.error(
    `usage: pnpm bench ${Object.keys(BENCHES).join('|')} --peer PATH_TO_PYTHON [--rounds 5] [--json FILE] [--data DIR]`,
  );
  process.exit(2);
}
mkdirSync(values.data, { recursive: true });
const { peer, data } = values;
const numbers = Object.fromEntries(
  ['rounds', 'epochs', 'cases', 'seeds', 'threads'].map((name) => [name, Number(values[name])]),
);
const runs = await bench({ peer, data, ...numbers, imageSize: Number(values['image-size']) });
if (values.json) writeFileSync(values.json, `${JSON.stringify(runs, null, 1)}\n`);
