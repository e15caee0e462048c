import type { CountedProportion } from './evaluate-model.js';
import type { ReportExplanation } from './report-explanation.js';
import type { AttentionSlice } from './report-input.js';

/** Everything that is printed about one prediction. */
export interface CaseReportInput {
  title: string;
  /** true prints the SYNTHETIC DATA banner */
  synthetic: boolean;
  /** anonymous, such as "case 12": never a patient's identifier */
  caseLabel: string;
  /** what label 1 means, such as "complete response" */
  positiveClass: string;
  /** one sentence: what is predicted, from what, for whom */
  target: string;
  model: { name: string; description?: string };
  probability: number;
  /** what the probability rests on; a score that was not calibrated is printed as a score */
  calibration:
    | {
        calibrated: true;
        /** such as "Platt scaling" */
        method: string;
        /** the cases it was fitted on, such as "validation cases" */
        fittedOn: string;
        /** cases not trained on that were given a probability near this one, and how many of them were positive */
        similar?: { lower: number; upper: number; cases: number; positives: number; of: string };
      }
    | { calibrated: false };
  /** share of positives among the training cases */
  prevalence?: number;
  threshold: {
    value: number;
    /** how it was chosen */
    rule: string;
    /** what it is meant to reach, such as "sensitivity of at least 0.90" */
    target?: string;
    chosenOn: 'validation' | 'training';
    /** what it reached on cases not trained on */
    reached?: {
      of: string;
      sensitivity?: CountedProportion;
      specificity?: CountedProportion;
      positivePredictiveValue?: CountedProportion | null;
      negativePredictiveValue?: CountedProportion | null;
    };
  };
  /** lowest and highest probability over the models of an ensemble or over seeds */
  spread?: { lower: number; upper: number; meaning: string };
  /** the classes that a conformal set of this level holds */
  predictionSet?: { level: number; labels: readonly (0 | 1)[]; method: string };
  slices: readonly AttentionSlice[];
  lesion: {
    volumeMm3: number;
    /** separate parts of the mask */
    parts?: number;
    /** share of the training cases with a smaller volume, 0 to 1 */
    largerThan?: number;
    /** 5th and 95th percentile of the training cases, mm3 */
    usualMm3?: readonly [number, number];
    source?: string;
  };
  /** how the case sits among the training cases */
  distribution?: {
    method: string;
    score: number;
    /** above it a case is flagged */
    threshold: number;
    rule: string;
    /** share of the training (or validation) cases with a smaller score, 0 to 1 */
    strangerThan?: number;
  };
  explanation?: ReportExplanation;
  /** versions, seeds, hashes, times */
  run: Readonly<Record<string, string | number>>;
  warnings: readonly string[];
  notes?: readonly string[];
}
