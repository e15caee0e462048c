import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { delongTest } from '@onco-response/metrics';
import { poolCases } from './pool-cases.js';
import { readPredictions } from './predictions-csv.js';
import { type Interval, markdownTable, showInterval, showP } from './table.js';
import { TrainError } from './train-error.js';
import { writeOutput } from './write-output.js';

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
  const positives = first.labels.filter((label) => label === 1).length;
  const table = [
    `${first.labels.length} test cases, ${positives} positive`,
    '',
    markdownTable([
      ['', 'AUC [95% CI]', 'PR-AUC', 'p against volume', 'p against the first run', 'training, min'],
      ['lesion volume only', showInterval(first.volumeAuc), '', '', '', ''],
      ...runs.map((run, i) => [
        run.name,
        showInterval(run.auc),
        run.prAuc.estimate.toFixed(3),
        showP(delongTest(run.labels, run.scores, run.volume).p),
        i === 0 ? '' : showP(delongTest(run.labels, run.scores, first.scores).p),
        run.minutes.toFixed(1),
      ]),
    ]),
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
  const rows = readPredictions(predictions);
  // A study with several variants is compared by its first.
  const test = poolCases(
    [{ predictions: rows.filter(({ variant }) => variant === rows[0]?.variant) }],
    'test',
  );
  return {
    name,
    caseIds: test.map(({ caseId }) => caseId),
    labels: test.map(({ label }) => label),
    scores: test.map(({ probability }) => probability),
    volume: test.map(({ volumeOnlyProbability }) => volumeOnlyProbability),
    auc: model.rocAuc,
    prAuc: model.prAuc,
    volumeAuc: volumeOnly.rocAuc,
    minutes: JSON.parse(record).trainingSeconds / 60,
  };
}
