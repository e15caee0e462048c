/** Our side of `pnpm bench imaging`: one task in one process, its figures as JSON on stdout. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { phantomCase } from '@onco-response/cohort';
import { readVolume, writeVolume } from '@onco-response/imaging-io/node';
import { resampleInWorkers } from '@onco-response/volume/node';

const [task, data] = process.argv.slice(2);
const files = {
  gz: join(data, 'gz', 'ct.nii.gz'),
  raw: join(data, 'raw', 'ct.nii'),
  dicom: join(data, 'dicom'),
};

if (task === 'prepare') {
  const { volume } = phantomCase(1, 0, { size: [512, 512, 200], spacing: [0.7, 0.7, 1.25] });
  for (const folder of ['gz', 'raw', 'dicom']) mkdirSync(join(data, folder), { recursive: true });
  await writeVolume(files.gz, volume);
  await writeVolume(files.raw, volume);
} else {
  const loaded = task.startsWith('resample') ? await readVolume(files.raw) : undefined;
  const work = {
    'read .nii.gz': () => readVolume(files.gz),
    'read .nii': () => readVolume(files.raw),
    'read DICOM series': () => readVolume(files.dicom),
    // the start of the workers is part of it: each process calls once
    'resample 1 mm linear': () =>
      resampleInWorkers(loaded, { spacing: [1, 1, 1] }, { interpolation: 'linear' }),
    'resample 1 mm cubic': () =>
      resampleInWorkers(loaded, { spacing: [1, 1, 1] }, { interpolation: 'bspline' }),
  }[task];
  let stallMs = 0;
  let last = performance.now();
  const tick = () => {
    const now = performance.now();
    stallMs = Math.max(stallMs, now - last);
    last = now;
  };
  const timer = setInterval(tick, 2);
  await new Promise((done) => setTimeout(done, 50));
  [stallMs, last] = [0, performance.now()];
  const start = last;
  const result = await work();
  const milliseconds = performance.now() - start;
  tick();
  clearInterval(timer);
  if (result.size.some((size) => size < 2)) throw new Error('nothing was read');
  const { maxRSS } = process.resourceUsage();
  console.log(JSON.stringify({ milliseconds, peakMb: maxRSS / 1024, stallMs }));
}
