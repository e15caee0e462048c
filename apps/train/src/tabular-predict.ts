import { fitPlatt, youdenThreshold } from '@onco-response/metrics';
import { fitPipeline, type Pipeline } from '@onco-response/tabular';
import type { TabularFold } from './tabular-folds.js';
import type { TabularStudy } from './tabular-study.js';
import type { TabularCase } from './tabular-table.js';

/** One case as one fold's model sees it. */
export interface TabularPrediction {
  each: TabularCase;
  fold: string;
  repetition: number;
  model: string;
  logit: number;
  /** Calibrated. */
  probability: number;
  /** Of that fold's model. */
  threshold: number;
}

type Model = TabularStudy['models'][number];

/**
 * What a model that is fitted on a fold's training cases says of its test cases. The calibrator and the threshold come from
 * the inner folds: from predictions of training cases by models that never saw them.
 */
export function predictFold(
  { name, repetition, train, test, inner }: TabularFold,
  model: Model,
  study: TabularStudy,
  categorical: ReadonlySet<string>,
): TabularPrediction[] {
  const held = inner.flatMap((part) => {
    const logits = fitModel(part.train, model, study, categorical).logits(rowsOf(part.held));
    return part.held.map(({ label }, i) => ({ label, logit: logits[i] as number }));
  });
  const labels = held.map(({ label }) => label);
  const calibrate = calibrator(
    study.calibration,
    labels,
    held.map(({ logit }) => logit),
  );
  const threshold = youdenThreshold(labels, calibrate(held.map(({ logit }) => logit)));
  const logits = fitModel(train, model, study, categorical).logits(rowsOf(test));
  const probabilities = calibrate(logits);
  return test.map((each, i) => ({
    each,
    fold: name,
    repetition,
    model: model.name,
    logit: logits[i] as number,
    probability: probabilities[i] as number,
    threshold,
  }));
}

/** One model on the cases given, and on nothing else. */
export function fitModel(
  cases: readonly TabularCase[],
  { features }: Model,
  { regression }: TabularStudy,
  categorical: ReadonlySet<string>,
): Pipeline {
  return fitPipeline(
    rowsOf(cases),
    cases.map(({ label }) => label),
    {
      numeric: features.filter((name) => !categorical.has(name)),
      categorical: features.filter((name) => categorical.has(name)),
      indicator: regression.missingIndicators,
      c: regression.c,
      classWeight: regression.classWeight,
    },
  );
}

const rowsOf = (cases: readonly TabularCase[]) => cases.map(({ row }) => row);

function calibrator(kind: TabularStudy['calibration'], labels: number[], logits: number[]) {
  if (kind === 'platt') {
    const platt = fitPlatt(labels, logits);
    return (values: readonly number[]) => platt.transform(values);
  }
  return (values: readonly number[]) => values.map((logit) => 1 / (1 + Math.exp(-logit)));
}
