import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { writeReportFiles } from './kept-report.js';
import { markdownTable, showInterval, showP } from './table.js';
import { evaluateTable, poolTable, type TabularEvaluation } from './tabular-evaluation.js';
import { type TabularFolds, tabularFolds } from './tabular-folds.js';
import { fitModel, predictFold } from './tabular-predict.js';
import { tabularPredictionsCsv } from './tabular-predictions-csv.js';
import { countCases, tabularReport } from './tabular-report.js';
import { loadTabularStudy, type TabularStudy } from './tabular-study.js';
import { readPatientTable, type TabularCase } from './tabular-table.js';
import { writeOutput } from './write-output.js';

/**
 * A study of a table of patients from its file to a report: folds, regressions of each named set of features, out-of-fold
 * predictions, comparisons. Writes `splits.json`, `predictions.csv`, `models.json`, `metrics.json`, `run.json` and
 * `report.html`; all but run.json (times) and the report (which prints it) have the same bytes for the same study and table.
 *
 * @returns the table of models, as Markdown
 * @throws TrainError MISSING_FILE, INVALID_STUDY, ONE_CLASS, LEAK; CohortError for folds that cannot be dealt
 */
export async function runTabular(configPath: string, out: string): Promise<string> {
  const started = performance.now();
  const { study, tablePath } = await loadTabularStudy(configPath);
  const { cases, categorical, warnings } = await readPatientTable(tablePath, study);
  const folds = await tabularFolds(cases, study);
  const predictions = study.models.flatMap((model) =>
    folds.folds.flatMap((fold) => predictFold(fold, model, study, categorical)),
  );
  const pooled = poolTable(predictions, study);
  const evaluation = evaluateTable(predictions, pooled, study);
  const metrics = {
    name: study.name,
    synthetic: study.synthetic,
    positiveClass: study.positiveClass,
    ...countCases(cases),
    ...evaluation,
    splitsSha256: folds.sha256,
  };
  const run = {
    command: 'onco-train tabular',
    version: manifest.version,
    node: process.version,
    seed: study.seed,
    studySha256: createHash('sha256').update(JSON.stringify(study)).digest('hex'),
    tableSha256: createHash('sha256')
      .update(await readFile(tablePath))
      .digest('hex'),
    splitsSha256: folds.sha256,
    regressions: study.models.length * folds.folds.reduce((sum, { inner }) => sum + 1 + inner.length, 0),
    'time, s': Math.round((performance.now() - started) / 100) / 10,
    finishedAt: new Date().toISOString(),
  };
  await writeOutput(join(out, 'splits.json'), json(folds.plan));
  await writeOutput(join(out, 'predictions.csv'), tabularPredictionsCsv(predictions, study));
  await writeOutput(
    join(out, 'models.json'),
    json(finalModels(study, study.split ? (folds.folds[0]?.train ?? []) : cases, categorical)),
  );
  await writeOutput(join(out, 'run.json'), json({ ...run, study }));
  await writeReportFiles(
    out,
    tabularReport({ study, cases, pooled, evaluation, parts: partsOf(folds, study, cases), warnings, run }),
  );
  await writeOutput(join(out, 'metrics.json'), json(metrics));
  return summary(evaluation);
}

/** Each model fitted on all cases (of a given split: on its training cases): what the folds' models estimate. */
const finalModels = (study: TabularStudy, cases: readonly TabularCase[], categorical: ReadonlySet<string>) =>
  study.models.map((model) => ({ name: model.name, pipeline: fitModel(cases, model, study, categorical) }));

/** A given split, or the test folds of the first repetition. */
function partsOf({ folds }: TabularFolds, { split }: TabularStudy, cases: readonly TabularCase[]) {
  if (split) {
    return (['train', 'validation', 'test'] as const).flatMap((name) => {
      const own = cases.filter((each) => each.split === name);
      return own.length > 0 ? [{ name, cases: own }] : [];
    });
  }
  return folds
    .filter(({ repetition }) => repetition === 0)
    .map(({ name, test }) => ({ name: `${name}, test`, cases: test }));
}

function summary({ models, comparisons }: TabularEvaluation): string {
  const [first] = models as [TabularEvaluation['models'][number]];
  return markdownTable([
    [
      '',
      'AUC within folds [CI]',
      `${first.name} minus this, p`,
      'AUC pooled [CI]',
      'Brier',
      'calibration slope',
    ],
    ...models.map(({ name, withinFolds, rocAuc, brierScore, calibration }) => {
      const against = comparisons.find((each) => each.name === name)?.withinFolds;
      return [
        name,
        'notDefined' in withinFolds
          ? 'not defined'
          : showInterval({ estimate: withinFolds.auc, ...withinFolds }),
        !against
          ? ''
          : 'notDefined' in against
            ? 'not defined'
            : `${showInterval({ estimate: against.difference, ...against })}, ${showP(against.p)}`,
        showInterval(rocAuc),
        brierScore === null ? 'not defined' : brierScore.toFixed(3),
        calibration === null ? 'not defined' : calibration.slope.toFixed(2),
      ];
    }),
  ]);
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
