import { compareModels, evaluateModel, type ReportModel } from '@onco-response/report';
import {
  BASELINE_NAMES,
  type ClinicalBaseline,
  forEachBaseline,
  type OfBaselines,
} from './clinical-baselines.js';

export type BaselineEvaluations = Record<ClinicalBaseline, ReturnType<typeof evaluateBaseline>>;

interface Measured {
  labels: number[];
  clusters: string[];
  /** Of the model that is held against the baselines. */
  probabilities: number[];
  /** Of each case. */
  baselines: (OfBaselines | undefined)[];
  thresholds: Record<ClinicalBaseline, number | number[]> | undefined;
  bootstrap: { resamples: number; seed: number; level: number };
}

/** Numbers of the clinical baselines and of the model against each; nothing where the cohort has no clinical columns. */
export function evaluateBaselines({ baselines, thresholds, ...measured }: Measured): {
  baselines?: BaselineEvaluations;
} {
  if (!thresholds || baselines.length === 0 || !baselines.every((each) => each !== undefined)) return {};
  return {
    baselines: forEachBaseline((name) =>
      evaluateBaseline(
        baselines.map((each) => each[name]),
        thresholds[name],
        measured,
      ),
    ),
  };
}

function evaluateBaseline(
  scores: number[],
  threshold: number | number[],
  { labels, clusters, probabilities, bootstrap }: Omit<Measured, 'baselines' | 'thresholds'>,
) {
  return {
    ...evaluateModel(labels, scores, { threshold, bootstrap, clusters }),
    modelAgainstThis: compareModels(labels, probabilities, scores, { bootstrap, clusters }),
  };
}

/** The baselines as models of a report. */
export function baselineModels(
  evaluations: BaselineEvaluations | undefined,
  cases: readonly { label: number; cluster: string; baselines?: OfBaselines }[],
): ReportModel[] {
  if (!evaluations) return [];
  return Object.values(
    forEachBaseline(
      (role): ReportModel => ({
        name: BASELINE_NAMES[role],
        description: `logistic regression (L2) on ${role === 'clinicalOnly' ? 'the clinical columns' : 'the clinical columns and the logarithm of the lesion volume'}, fitted on training cases`,
        labels: cases.map(({ label }) => label),
        clusters: cases.map(({ cluster }) => cluster),
        scores: cases.map(({ baselines }) => baselines?.[role] as number),
        threshold: evaluations[role].threshold,
        evaluation: evaluations[role],
        role,
      }),
    ),
  );
}
