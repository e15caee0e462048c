import { planFolds } from '@onco-response/cohort';
import type { TabularStudy } from './tabular-study.js';
import type { TabularCase } from './tabular-table.js';
import { TrainError } from './train-error.js';

/** Which cases one model is fitted on, calibrated on and tested on. */
export interface TabularFold {
  name: string;
  repetition: number;
  train: TabularCase[];
  test: TabularCase[];
  /** Models of these training cases predict these held-out ones: what the calibrator and the threshold are fitted on. */
  inner: { train: TabularCase[]; held: TabularCase[] }[];
}

export interface TabularFolds {
  folds: TabularFold[];
  sha256: string;
  /** `splits.json`. */
  plan: unknown;
}

/**
 * The folds of a study, by patient, stratified by outcome and by the study's columns. A fold's inner folds divide its
 * training cases; a given split's validation cases take their place.
 */
export async function tabularFolds(
  cases: readonly TabularCase[],
  study: TabularStudy,
): Promise<TabularFolds> {
  const byId = new Map(cases.map((each) => [each.caseId, each]));
  const of = (ids: readonly string[]) => ids.map((id) => byId.get(id) as TabularCase);
  const { folds: settings, seed, split } = study;
  // The validation part joins the training part again; half is what small tables can always give.
  const stratify = { seed, stratifyBySite: settings.stratifyBy.length > 0, validation: 0.5 };
  const innerOf = async (train: readonly TabularCase[]) => {
    const plan = await planFolds(train, { scheme: 'kFold', folds: settings.innerFolds, ...stratify });
    return plan.folds.map((each) => ({
      train: of([...each.train, ...each.validation].sort()),
      held: of(each.test),
    }));
  };
  if (split) {
    const part = (name: string) => cases.filter((each) => each.split === name);
    const [train, validation, test] = [part('train'), part('validation'), part('test')];
    for (const [name, own] of [
      ['training', train],
      ['test', test],
    ] as const) {
      if (!own.some(({ label }) => label === 1) || !own.some(({ label }) => label === 0)) {
        throw new TrainError({
          code: 'ONE_CLASS',
          message: `the ${name} cases of ${split.column} lack an outcome`,
        });
      }
    }
    checkPatients(cases);
    // Every case has its part; the shares only say which parts there are.
    const shares =
      validation.length > 0
        ? { train: 0.8, validation: 0.1, test: 0.1 }
        : { train: 0.9, validation: 0, test: 0.1 };
    const plan = await planFolds(cases, { scheme: 'holdOut', ...shares, seed });
    const inner = validation.length > 0 ? [{ train, held: validation }] : await innerOf(train);
    return { folds: [{ name: 'hold-out', repetition: 0, train, test, inner }], sha256: plan.sha256, plan };
  }
  const { folds, repetitions } = settings;
  const plan = await planFolds(cases, { scheme: 'repeatedKFold', folds, repetitions, ...stratify });
  return {
    folds: await Promise.all(
      plan.folds.map(async ({ name, repetition, train, validation, test }): Promise<TabularFold> => {
        // A regression needs no validation cases of its own: they train too.
        const own = of([...train, ...validation].sort());
        return { name, repetition, train: own, test: of(test), inner: await innerOf(own) };
      }),
    ),
    sha256: plan.sha256,
    plan,
  };
}

function checkPatients(cases: readonly TabularCase[]): void {
  const splitOf = new Map<string, string | null>();
  for (const { patientId, split, line } of cases) {
    const earlier = splitOf.get(patientId) ?? split;
    if (earlier !== split) {
      throw new TrainError({
        code: 'LEAK',
        message: `line ${line} of the table is a patient of another part of the split`,
      });
    }
    splitOf.set(patientId, split);
  }
}
