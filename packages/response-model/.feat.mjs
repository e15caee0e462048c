import { startEngine } from '@onco-response/engine';
import { loadVit } from '@onco-response/encoder';
import { readVolume, readMask } from '/work/main/packages/imaging-io/dist/node.js';
import { inputSlices, recipeSchema } from './dist/index.js';
import * as tf from '@tensorflow/tfjs-core';
import { readFileSync, writeFileSync } from 'node:fs';
await startEngine({ backend: 'tensorflow', threads: 2 });
const vit = await loadVit(process.env.HOME + '/.cache/onco-response/encoders/dinov2-small');
const [root, out, ...specs] = process.argv.slice(2);
const rows = readFileSync(root + '/cohort.csv', 'utf8').trim().split('\n').slice(1).map((r) => r.split(','));
const n = Number(process.env.N ?? rows.length);
for (const spec of specs) {
  const [mode, size, count, margin, level, width] = spec.split(':');
  const recipe = recipeSchema.parse({ input: { mode, imageSize: +size, marginMm: +margin, slices: { choice: 'lesionUniform', count: +count }, window: { level: +level, width: +width } } });
  const res = []; const t = performance.now();
  for (const [p, image, mask, label] of rows.slice(0, n)) {
    const v = await readVolume(root + '/' + image); const m = await readMask(root + '/' + mask, { like: v });
    const s = inputSlices(v, m, recipe, vit);
    const f = tf.tidy(() => { const { cls, patches } = vit.forward(tf.tensor4d(s.pixels, [s.count, +size, +size, 3])); return [Array.from(tf.mean(cls, 0).dataSync()), Array.from(tf.mean(tf.max(patches,1), 0).dataSync()), Array.from(tf.mean(patches, [0, 1]).dataSync())]; });
    res.push({ p, label: +label, volume: s.lesionVolumeMm3, cls: f[0], pmax: f[1], pmean: f[2] });
  }
  writeFileSync(`${out}-${spec}.json`, JSON.stringify(res)); console.log(spec, ((performance.now() - t) / 1000).toFixed(0), 's');
}
