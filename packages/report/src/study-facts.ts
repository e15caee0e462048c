/**
 * What only people know of a study and no run can find out. Each is a sentence or two for the checklists and the model card; what
 * is left out is printed as a marked blank.
 */
export interface StudyFacts {
  authors?: string;
  contact?: string;
  licence?: string;
  /** where the cases come from, and how they were found: consecutive, trial, convenience */
  dataSource?: string;
  /** prospective or retrospective */
  design?: 'prospective' | 'retrospective';
  /** first and last date of inclusion, end of follow-up */
  dates?: string;
  /** number and kind of hospitals */
  setting?: string;
  centres?: number;
  eligibility?: string;
  treatments?: string;
  /** how and when the outcome was assessed, by whom, blinded or not */
  outcomeAssessment?: string;
  /** scanner, phase, slice thickness, contrast */
  imagingProtocol?: string;
  /** days between imaging and the outcome's assessment or the start of treatment */
  imagingInterval?: string;
  /** who drew the masks, with what tool, how their agreement was measured */
  segmentation?: string;
  /** whether the masks were drawn by a program without a person */
  automaticSegmentation?: boolean;
  predictors?: string;
  deidentification?: string;
  missingData?: string;
  sampleSize?: string;
  ethics?: string;
  funding?: string;
  conflicts?: string;
  protocol?: string;
  registration?: string;
  dataSharing?: string;
  codeSharing?: string;
  modelSharing?: string;
  patientInvolvement?: string;
  background?: string;
  /** who would use it, where in the care pathway */
  intendedUse?: string;
  /** uses it was not made for */
  outOfScope?: string;
  healthInequalities?: string;
  interpretation?: string;
  limitations?: string;
  futureWork?: string;
  /** decides which items of METRICS apply */
  modelKind?: 'deepLearning' | 'radiomics' | 'tabular';
  /** true when the test cases come from another place than the training cases */
  externalTest?: boolean;
}

/** Answers by item, such as `{ '6b': 'Women over 18 ...' }`; they replace what the run would say. */
export interface ChecklistAnswers {
  tripodAi?: Readonly<Record<string, string>>;
  claim?: Readonly<Record<string, string>>;
  /** METRICS items 1 to 30, and the five conditions as 'c1' to 'c5' */
  metrics?: Readonly<Record<string, 'yes' | 'no' | 'not applicable'>>;
}
