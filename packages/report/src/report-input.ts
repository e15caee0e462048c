import type { ModelEvaluation } from './evaluate-model.js';

/** One model on the test cases, in the same case order in all models. */
export interface ReportModel {
  name: string;
  description?: string;
  labels: number[];
  /** probabilities, or scores (calibration is then left out with a reason) */
  scores: number[];
  /** the patient of each case; used to resample patients and to count them, never printed */
  clusters?: string[];
  /** this model's own threshold; the report's threshold unless given */
  threshold?: number;
  /** marks the volume-only baseline; else the model after the first whose name has "volume" in it */
  baseline?: boolean;
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
  threshold: { value: number; chosenOn: 'validation'; rule: string };
  bootstrap: { resamples: number; seed: number; level: number };
  /** the best AUC any model could reach, where the data's maker knows it */
  reachableAuc?: { value: number; description: string };
  /** the training curve; `kept` marks the epoch whose weights the model has */
  history?: { epoch: number; trainLoss: number; validationAuc: number; kept?: boolean }[];
  attention: AttentionCase[];
  /** versions, seeds, hashes, times */
  run: Record<string, string | number>;
  warnings: string[];
  notes: string[];
}
