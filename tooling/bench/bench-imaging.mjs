import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { here, median } from './bench-tools.mjs';

/** What is timed: [task, peers that do the same, the share of the first peer's time that we aim at]. */
const TASKS = [
  ['read .nii.gz', ['SimpleITK', 'nibabel'], 0.9],
  ['read .nii', ['SimpleITK', 'nibabel'], null],
  ['read DICOM series', ['SimpleITK', 'pydicom'], 0.85],
  ['resample 1 mm linear', ['SimpleITK'], 0.8],
  ['resample 1 mm cubic', ['SimpleITK'], 1],
];

/**
 * Ours and the Python peers' on the same synthetic 512x512x200 int16 CT, interleaved, each measurement in a fresh
 * process, each file alone in its folder (ITK reads `v.nii` when asked for `v.nii.gz` beside it).
 * @returns every single measurement
 */
export async function benchImaging({ peer, rounds, data }) {
  if (!existsSync(join(data, 'complete'))) {
    mkdirSync(data, { recursive: true });
    console.error('making the synthetic CT (a minute)');
    execFileSync(process.execPath, [join(here, 'imaging-ours.mjs'), 'prepare', data], { stdio: 'inherit' });
    execFileSync(peer, [join(here, 'imaging_peer.py'), 'prepare', data], { stdio: 'inherit' });
    writeFileSync(join(data, 'complete'), '');
  }
  const runs = [];
  for (let round = 0; round < rounds; round++) {
    for (const [task, peers] of TASKS) {
      runs.push({ task, who: 'ours', ...measure(process.execPath, 'imaging-ours.mjs', [task, data]) });
      for (const who of peers) {
        runs.push({ task, who, ...measure(peer, 'imaging_peer.py', [task, data, who]) });
      }
    }
    console.error(`round ${round + 1}/${rounds}`);
  }
  printTable(runs);
  return runs;
}

function printTable(runs) {
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
}

function measure(program, script, args) {
  return JSON.parse(execFileSync(program, [join(here, script), ...args], { encoding: 'utf8' }));
}
