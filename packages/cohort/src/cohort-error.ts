const marker = Symbol.for('onco-response.CohortError');

/** What is wrong with a manifest, a split file or a phantom folder. */
export type CohortErrorCode =
  | 'EMPTY'
  | 'CSV'
  | 'MISSING_COLUMN'
  | 'DUPLICATE_COLUMN'
  | 'MISSING_VALUE'
  | 'LABEL_NOT_BINARY'
  | 'UNKNOWN_SPLIT'
  | 'DUPLICATE_CASE'
  | 'IMAGE_OF_TWO_PATIENTS'
  | 'MISSING_FILE'
  | 'PATIENT_IN_TWO_SPLITS'
  | 'SPLIT_INCOMPLETE'
  | 'TOO_FEW_PATIENTS'
  | 'OPTIONS'
  | 'SPLITS_FORMAT'
  | 'SPLITS_HASH'
  | 'UNKNOWN_CASE'
  | 'COHORT_CHANGED'
  | 'LEAK'
  | 'FOLDS_INCOMPLETE'
  | 'MISSING_SITE'
  | 'COLUMN'
  | 'UNKNOWN_CATEGORY'
  | 'OTHER_PHANTOM';

/** The one error class of this package. Messages name rows and files, never a patient identifier. */
export class CohortError extends Error {
  readonly [marker] = true;
  readonly code: CohortErrorCode;
  /** Line of the manifest, counted from 1 with the header as line 1, where one line is to blame. */
  readonly line: number | undefined;

  constructor({
    code,
    message,
    line,
    cause,
  }: { code: CohortErrorCode; message: string; line?: number; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CohortError';
    this.code = code;
    this.line = line;
  }

  /** True for a CohortError of any copy of this package in the process. */
  static isInstance(error: unknown): error is CohortError {
    return typeof error === 'object' && error !== null && marker in error;
  }
}
