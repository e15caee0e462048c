import type { ClinicalValues } from '@onco-response/response-model';
import { TrainError } from './train-error.js';

/** What a row of the cohort's table says beside image, mask and label. */
export interface WithClinical {
  clinical?: Record<string, number | string | null>;
}

/**
 * A case's values of the study's clinical columns.
 * @throws TrainError INVALID_STUDY for a column that the table does not have, or that holds words
 */
export function clinicalValues({ clinical = {} }: WithClinical, columns: readonly string[]): ClinicalValues {
  return columns.map((column) => {
    const value = clinical[column];
    if (value === null || typeof value === 'number') return value;
    throw new TrainError({
      code: 'INVALID_STUDY',
      message:
        value === undefined
          ? `model.clinical names ${column}, which the cohort's table has no column of (there are: ${Object.keys(clinical).join(', ') || 'none'})`
          : `the clinical column ${column} holds words; write its values as numbers`,
    });
  });
}
