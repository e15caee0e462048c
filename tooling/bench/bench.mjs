/**
 * pnpm bench imaging --peer PATH_TO_PYTHON [--rounds 5] [--json FILE]
 *
 * Times ours and the Python peers' on the same synthetic 512x512x200 int16 CT, interleaved, each measurement in a fresh
 * process, each file alone in its folder (ITK reads `v.nii` when asked for `v.nii.gz` beside it). PATH_TO_PYTHON has
 * numpy, SimpleITK, nibabel and pydicom. Build first: pnpm build.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
    data: { type: 'string', default: join(tmpdir(), 'onco-bench') },
  },
});
if (positionals[0] !== 'imaging' || !values.peer) {
  console.error('usage: pnpm bench imaging --peer PATH_TO_PYTHON [--rounds 5] [--json FILE] [--data DIR]');
  process.exit(2);
}

/** What is timed: [task, peers that do the same, the share of the first peer's time that we aim at]. */
const TASKS = [
  ['read .nii.gz', ['SimpleITK', 'nibabel'], 0.9],
  ['read .nii', ['SimpleITK', 'nibabel'], null],
  ['read DICOM series', ['SimpleITK', 'pydicom'], 0.85],
  ['resample 1 mm linear', ['SimpleITK'], 0.8],
  ['resample 1 mm cubic', ['SimpleITK'], 1],
];

const data = values.data;
mkdirSync(data, { recursive: true });
if (!existsSync(join(data, 'complete'))) {
  console.error('making the synthetic CT (a minute)');
  execFileSync(process.execPath, [join(here, 'imaging-ours.mjs'), 'prepare', data], { stdio: 'inherit' });
  execFileSync(values.peer, [join(here, 'imaging_peer.py'), 'prepare', data], { stdio: 'inherit' });
  writeFileSync(join(data, 'complete'), '');
}

const runs = [];
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [task, peers] of TASKS) {
    runs.push({ task, who: 'ours', ...measure(process.execPath, 'imaging-ours.mjs', [task, data]) });
    for (const who of peers) {
      runs.push({ task, who, ...measure(values.peer, 'imaging_peer.py', [task, data, who]) });
    }
  }
  console.error(`round ${round + 1}/${values.rounds}`);
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
const of = (task, who, figure) =>
  median(runs.filter((run) => run.task === task && run.who === who).map((run) => run[figure]));
console.log('| task | who | first, ms | ours / peer | aim | peak memory, MB | longest stall, ms |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const [task, peers, aim] of TASKS) {
  const ours = of(task, 'ours', 'milliseconds');
  console.log(
    `| ${task} | ours | ${ours.toFixed(0)} | | | ${of(task, 'ours', 'peakMb').toFixed(0)} | ${of(task, 'ours', 'stallMs').toFixed(0)} |`,
  );
  peers.forEach((who, i) => {
    const theirs = of(task, who, 'milliseconds');
    console.log(
      `| ${task} | ${who} | ${theirs.toFixed(0)} | ${(ours / theirs).toFixed(2)} | ${i === 0 && aim ? aim : ''} | ${of(task, who, 'peakMb').toFixed(0)} | |`,
    );
  });
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(runs, null, 1)}\n`);

function measure(program, script, args) {
  return JSON.parse(execFileSync(program, [join(here, script), ...args], { encoding: 'utf8' }));
}
