import type { DecisionRange } from './analyse-decisions.js';
import type { ModelEvaluation } from './evaluate-model.js';
import type { ReportExplanation } from './report-explanation.js';
import type { ConformalResult, Estimate, OutOfDistribution, StressResult } from './report-robustness.js';
import type { SubgroupColumn, SubgroupMinimum } from './report-subgroups.js';
import type { ChecklistAnswers, StudyFacts } from './study-facts.js';

/** The mandatory baselines, and what else a model may be beside the main one. */
export type ModelRole = 'volumeOnly' | 'clinicalOnly' | 'volumeAndClinical' | 'otherBaseline' | 'variant';

/** One model on the test cases, in the same case order in all models. */
export interface ReportModel {
  name: string;
  description?: string;
  labels: number[];
  /** probabilities, or scores (calibration is then left out with a reason) */
  scores: number[];
  /** the patient of each case; used to resample patients and to count them, never printed */
  clusters?: string[];
  /** this model's own threshold, or one a case where folds have theirs; the report's threshold unless given */
  threshold?: number | readonly number[];
  /** marks the reference baseline; else the model after the first whose role is or whose name says "volume" */
  baseline?: boolean;
  /**
   * What this model is for. Every model whose role is a baseline (any number of them) is tested against the first model in
   * the baselines table. Unless given: the reference baseline is 'volumeOnly', all others after the first are variants.
   */
  role?: ModelRole;
  /** what `evaluateModel` gave for these scores, so that metrics.json and the report share it; computed unless given */
  evaluation?: ModelEvaluation;
}

export interface AttentionSlice {
  /** z index in the volume */
  index: number;
  weight: number;
  /** size x size grey values, row by row */
  pixels: Uint8Array;
  /** size x size, 1 inside the lesion */
  lesion: Uint8Array;
  size: number;
}

export interface AttentionCase {
  /** anonymous, such as "case 12": never a patient's identifier */
  caseLabel: string;
  label: number;
  probability: number;
  slices: AttentionSlice[];
}

/** One row of an ablation table that was computed elsewhere. */
export interface AblationRow {
  name: string;
  /** what was taken away or changed */
  description?: string;
  rocAuc: Estimate;
  prAuc?: Estimate;
  /** this row's AUC minus that of the whole method, on the same cases */
  difference?: Estimate;
  /** of that difference, DeLong */
  p?: number;
  cases?: number;
}

/** The model trained on a part of the training cases. */
export interface LearningCurvePoint {
  trainingCases: number;
  /** on the test cases, or out of fold */
  rocAuc: Estimate;
  /** how many trainings it is the mean of */
  repetitions?: number;
}

export interface ReportInput {
  title: string;
  /** true prints the SYNTHETIC DATA banner */
  synthetic: boolean;
  /** what label 1 means, such as "complete response" */
  positiveClass: string;
  /** one sentence: what is predicted, from what, for whom */
  target: string;
  cohort: {
    cases: number;
    patients: number;
    positives: number;
    perSplit: { split: string; cases: number; patients: number; positives: number }[];
  };
  /** the first is the main one; the volume-only baseline is among them */
  models: ReportModel[];
  threshold: {
    value: number;
    chosenOn: 'validation' | 'training';
    rule: string /** what it is meant to reach, such as "sensitivity of at least 0.90" */;
    target?: string;
  };
  bootstrap: { resamples: number; seed: number; level: number };
  /** the best AUC any model could reach, where the data's maker knows it */
  reachableAuc?: { value: number; description: string };
  /** the training curve; `kept` marks the epoch whose weights the model has; `of` names the model where there are several */
  history?: { epoch: number; trainLoss: number; validationAuc: number; kept?: boolean; of?: string }[];
  attention: AttentionCase[];
  /** range of the decision curve; 0.05 to 0.6 unless given */
  decision?: DecisionRange;
  /** columns of the test cases to break the first model's results down by */
  subgroups?: readonly SubgroupColumn[];
  /** a subgroup with fewer cases is counted and not measured; 20 with 5 of each class unless given */
  subgroupMinimum?: SubgroupMinimum;
  ablations?: readonly AblationRow[];
  learningCurve?: readonly LearningCurvePoint[];
  explanation?: ReportExplanation;
  /** the test cases with their input changed on purpose */
  stress?: readonly StressResult[];
  outOfDistribution?: OutOfDistribution;
  conformal?: ConformalResult;
  /** what people know of the study, for the checklists and the model card */
  study?: StudyFacts;
  checklists?: ChecklistAnswers;
  /** versions, seeds, hashes, times */
  run: Record<string, string | number>;
  warnings: string[];
  notes: string[];
}
