import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { here, median } from './bench-tools.mjs';

/** What is timed: [task, the peer that does the same, the share of its time that we aim at]. */
const TASKS = [
  ['DeLong test, 1,000,000 cases', 'fast DeLong, numpy', 1],
  ['2,000 bootstraps of AUC, 10,000 cases', 'scikit-learn loop', 1 / 20],
];

/**
 * Ours and the Python peers' on the same synthetic scores, interleaved, each measurement in a fresh process. Both sides say
 * what they found, and the bench stops where they differ.
 * @returns every single measurement
 */
export async function benchMetrics({ peer, rounds, data }) {
  writeScores(data);
  const runs = [];
  for (let round = 0; round < rounds; round++) {
    for (const [task, who] of TASKS) {
      const ours = measure(process.execPath, 'metrics-ours.mjs', [task, data]);
      const theirs = measure(peer, 'metrics_peer.py', [task, data]);
      ours.found.forEach((value, i) => {
        // DeLong is the same number; bootstrap limits of other random draws are alike to their Monte Carlo error.
        const tolerance = task.startsWith('DeLong') ? 1e-9 : 2e-3;
        if (!(Math.abs(value - theirs.found[i]) <= tolerance * Math.max(1, Math.abs(value)))) {
          throw new Error(`${task}: ours found ${ours.found}, the peer ${theirs.found}`);
        }
      });
      runs.push({ task, who: 'ours', ...ours }, { task, who, ...theirs });
    }
    console.error(`round ${round + 1}/${rounds}`);
  }
  printTable(runs);
  return runs;
}

/** Two models on 1,000,000 cases, a third of them positive: labels, scores of A, scores of B. The first 10,000 are a set too. */
function writeScores(data) {
  mkdirSync(data, { recursive: true });
  const size = 1_000_000;
  let state = 12345;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const labels = new Uint8Array(size);
  const [a, b] = [new Float64Array(size), new Float64Array(size)];
  for (let i = 0; i < size; i++) {
    labels[i] = uniform() < 1 / 3 ? 1 : 0;
    const shared = normal();
    a[i] = 0.9 * labels[i] + 0.7 * shared + 0.7 * normal();
    // B has ties, as probabilities printed with a few decimals have.
    b[i] = Math.round(1e4 * (0.895 * labels[i] + 0.7 * shared + 0.7 * normal())) / 1e4;
  }
  for (const [name, values] of Object.entries({ labels, a, b })) {
    writeFileSync(join(data, `metrics-${name}.bin`), values);
  }
}

function printTable(runs) {
  const of = (task, who) =>
    median(runs.filter((run) => run.task === task && run.who === who).map((run) => run.milliseconds));
  console.log('| task | peer | ours, ms | peer, ms | ours / peer | aim |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const [task, who, aim] of TASKS) {
    const [ours, theirs] = [of(task, 'ours'), of(task, who)];
    console.log(
      `| ${task} | ${who} | ${ours.toFixed(0)} | ${theirs.toFixed(0)} | ${(ours / theirs).toFixed(3)} | ${aim} |`,
    );
  }
}

function measure(program, script, args) {
  return JSON.parse(execFileSync(program, [join(here, script), ...args], { encoding: 'utf8' }));
}
