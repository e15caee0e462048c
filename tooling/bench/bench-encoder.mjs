import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { here, median, start } from './bench-tools.mjs';

const BATCH = 8;
const THREADS = 2;

/** [what, our work, the peer's, the share of the peer's time that we aim at, of its memory] */
const TASKS = [
  ['forward', 'forward', 'forward', 1, 0.8],
  ['LoRA step, ours cached, peft as documented', 'cached', 'step', 0.45, 0.8],
  ['LoRA step, both cached', 'cached', 'cached', 1, 0.8],
  ['LoRA step, neither cached', 'step', 'step', null, null],
];

/**
 * ViT-S/16 at 224 with random weights, batch 8, LoRA (r 8) on query and value of the last 4 of 12 blocks; both sides load
 * the same folder, compute on the same pixels with the same number of threads, and take turns step by step.
 * @returns every single measurement
 */
export async function benchEncoder({ peer, rounds, data }) {
  const folder = join(data, 'vit-small-random');
  if (!existsSync(join(folder, 'config.json'))) {
    mkdirSync(folder, { recursive: true });
    execFileSync(peer, [join(here, 'encoder_peer.py'), 'prepare', folder, String(THREADS), String(BATCH)]);
  }
  const runs = [];
  console.log(
    '| task | ours, ms a slice | PyTorch, ms a slice | ours / PyTorch | aim | memory, MB | theirs | ratio | aim |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const [task, ourWork, theirWork, aim, memoryAim] of TASKS) {
    const args = (work) => [work, folder, String(THREADS), String(BATCH)];
    const ours = await start(process.execPath, [join(here, 'encoder-ours.mjs'), ...args(ourWork)]);
    const theirs = await start(peer, [join(here, 'encoder_peer.py'), ...args(theirWork)]);
    for (let warm = 0; warm < 2; warm++) for (const side of [ours, theirs]) await side.ask('go');
    const times = { ours: [], theirs: [] };
    for (let round = 0; round < rounds; round++) {
      times.ours.push((await ours.ask('go')).milliseconds / BATCH);
      times.theirs.push((await theirs.ask('go')).milliseconds / BATCH);
    }
    const [peak, theirPeak] = [(await ours.ask('peak')).peakMb, (await theirs.ask('peak')).peakMb];
    ours.stop();
    theirs.stop();
    const ratio = median(times.ours.map((time, round) => time / times.theirs[round]));
    runs.push({ task, ...times, ratio, peak, theirPeak, library: ours.ready, peer: theirs.ready });
    const cells = [
      task,
      median(times.ours).toFixed(1),
      median(times.theirs).toFixed(1),
      ratio.toFixed(2),
      aim ?? '',
    ];
    const memory = [peak.toFixed(0), theirPeak.toFixed(0), (peak / theirPeak).toFixed(2), memoryAim ?? ''];
    console.log(`| ${[...cells, ...memory].join(' | ')} |`);
  }
  return runs;
}
