import type { DataSet } from './dicom-dataset.js';

/** PatientName, PatientID, OtherPatientIDs, OtherPatientNames, AccessionNumber. */
const PERSONAL_TAGS = ['x00100010', 'x00100020', 'x00101000', 'x00101001', 'x00080050'];

/** LO and PN hold 64 characters (a name three times that); a damaged file may hold megabytes. */
const MAX_LENGTH = 512;

/** Shorter parts of a name (Li, An) are only taken out where they are a word of their own. */
const INSIDE_WORDS_FROM = 4;

/** Dates, and numbers long enough to be a date or a patient's number. */
const NUMBERS = /\d{1,4}([./-])\d{1,2}\1\d{2,4}|\d{6,}/g;

/**
 * A SeriesDescription that may be shown: people type names, numbers and dates into it, so what this file says about its
 * patient, and whatever looks like a date or an identifier, becomes `*`.
 */
export function shownDescription(data: DataSet): string {
  let text = (data.string('x0008103e') ?? '')
    .slice(0, MAX_LENGTH)
    .replace(/\p{Cc}/gu, ' ')
    .replace(NUMBERS, '*');
  const words = PERSONAL_TAGS.flatMap((tag) =>
    (data.string(tag) ?? '').slice(0, MAX_LENGTH).split(/[^\p{L}\p{N}]+/u),
  );
  for (const word of new Set(words)) {
    if (word.length < 2) continue;
    // letters and digits only: nothing to escape
    const pattern = word.length < INSIDE_WORDS_FROM ? `(?<![\\p{L}\\p{N}])${word}(?![\\p{L}\\p{N}])` : word;
    text = text.replace(new RegExp(pattern, 'giu'), '*');
  }
  return text.trim();
}
