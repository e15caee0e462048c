import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { delongTest } from '@onco-response/metrics';
import { TrainError } from './train-error.js';
import { writeOutput } from './write-output.js';

interface Interval {
  estimate: number;
  lower: number;
  upper: number;
}

interface Run {
  name: string;
  caseIds: string[];
  labels: number[];
  scores: number[];
  volume: number[];
  auc: Interval;
  prAuc: Interval;
  volumeAuc: Interval;
  minutes: number;
}

/**
 * A Markdown table of runs on the same test cases: AUC with CI, DeLong's paired test against volume only and against
 * the first run, training time.
 * @throws TrainError MISSING_FILE for a folder without results, STUDY_CHANGED for runs of other test cases
 */
export async function compareRuns(folders: readonly string[], out?: string): Promise<string> {
  const runs = await Promise.all(folders.map(readRun));
  const [first, ...others] = runs as [Run, ...Run[]];
  for (const run of others) {
    if (run.caseIds.join() !== first.caseIds.join()) {
      throw new TrainError({
        code: 'STUDY_CHANGED',
        message: `"${run.name}" and "${first.name}" have other test cases: give both studies the same cohort, seed and splits`,
      });
    }
  }
  const rows = [
    ['lesion volume only', show(first.volumeAuc), '', '', '', ''],
    ...runs.map((run, i) => [
      run.name,
      show(run.auc),
      run.prAuc.estimate.toFixed(3),
      pValue(delongTest(run.labels, run.scores, run.volume).p),
      i === 0 ? '' : pValue(delongTest(run.labels, run.scores, first.scores).p),
      run.minutes.toFixed(1),
    ]),
  ];
  const head = ['', 'AUC [95% CI]', 'PR-AUC', 'p against volume', `p against the first run`, 'training, min'];
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  const positives = first.labels.filter((label) => label === 1).length;
  const table = [
    `${first.labels.length} test cases, ${positives} positive`,
    '',
    line(head),
    line(head.map(() => '---')),
    ...rows.map(line),
  ].join('\n');
  if (out) await writeOutput(out, `${table}\n`);
  return table;
}

async function readRun(folder: string): Promise<Run> {
  let metrics: string;
  let record: string;
  let predictions: string;
  try {
    [metrics, record, predictions] = (await Promise.all(
      ['metrics.json', 'run.json', 'predictions.csv'].map((name) => readFile(join(folder, name), 'utf8')),
    )) as [string, string, string];
  } catch (cause) {
    throw new TrainError({
      code: 'MISSING_FILE',
      message: `${folder} holds no finished run (onco-train fit --out ${folder})`,
      cause,
    });
  }
  const { name, model, volumeOnly } = JSON.parse(metrics);
  const test = predictions
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(','))
    .filter(([, split]) => split === 'test');
  return {
    name,
    caseIds: test.map(([caseId]) => caseId as string),
    labels: test.map((row) => Number(row[2])),
    scores: test.map((row) => Number(row[4])),
    volume: test.map((row) => Number(row[6])),
    auc: model.rocAuc,
    prAuc: model.prAuc,
    volumeAuc: volumeOnly.rocAuc,
    minutes: JSON.parse(record).trainingSeconds / 60,
  };
}

const show = ({ estimate, lower, upper }: Interval) =>
  `${estimate.toFixed(3)} [${lower.toFixed(3)}, ${upper.toFixed(3)}]`;
const pValue = (p: number) => (p < 0.001 ? '<0.001' : p.toFixed(3));
