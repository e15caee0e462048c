import Papa from 'papaparse';
import { z } from 'zod';
import { CohortError, type CohortErrorCode } from './cohort-error.js';

/** Which part of the cohort a case belongs to. */
export type SplitName = 'train' | 'validation' | 'test';

/** One row of the manifest: one image of one patient, with its lesion mask and its label. */
export interface CohortCase {
  /** `case-0001` for the first row: the name to use in every output, in place of the patient's. */
  caseId: string;
  /** Line of the manifest, counted from 1 with the header as line 1. */
  line: number;
  /** As given. Groups a patient's cases in splits; not for outputs. */
  patientId: string;
  /** As given, relative to the manifest; `readManifest` of the Node entry makes it absolute. */
  image: string;
  /** Likewise; null where the mask is still to be segmented. */
  mask: string | null;
  /** 1 is the positive class. */
  label: 0 | 1;
  site: string | null;
  split: SplitName | null;
  timePoint: string | null;
  /** Every further column. A column whose values are all numbers is read as numbers; an empty value is null. */
  clinical: Record<string, number | string | null>;
}

/** What a manifest holds. */
export interface Manifest {
  cases: CohortCase[];
  /** Names of the further columns. */
  clinicalColumns: string[];
}

const required = ['patient_id', 'image', 'mask', 'label'];
const known = new Set([...required, 'site', 'split', 'time_point']);

const filled = z.string().min(1);
const optional = z.string().optional();
const rowSchema = z.object({
  patient_id: filled,
  image: filled,
  mask: z.string(),
  label: z.enum(['0', '1']),
  site: optional,
  split: z.enum(['', 'train', 'validation', 'test']).optional(),
  time_point: optional,
});

/** What to say about a value that the schema refuses. */
const complaints: Record<string, readonly [CohortErrorCode, string]> = {
  label: ['LABEL_NOT_BINARY', 'has to be 0 or 1'],
  split: ['UNKNOWN_SPLIT', 'has to be train, validation, test or empty'],
};

/**
 * Reads the text of a `cohort.csv`: columns `patient_id,image,mask,label`, optionally `site`, `split` and `time_point`,
 * and any further columns as clinical variables. Values are trimmed; nothing else is repaired.
 *
 * @throws CohortError with the line: `EMPTY`, `CSV`, `MISSING_COLUMN`, `DUPLICATE_COLUMN`, `MISSING_VALUE`,
 * `LABEL_NOT_BINARY`, `UNKNOWN_SPLIT`, `DUPLICATE_CASE`, `IMAGE_OF_TWO_PATIENTS`, `PATIENT_IN_TWO_SPLITS`
 * @example
 * const { cases } = parseManifest('patient_id,image,mask,label\np1,a.nii.gz,a-mask.nii.gz,1\n');
 */
export function parseManifest(text: string): Manifest {
  const [header, ...rows] = records(text.replace(/^\uFEFF/, ''));
  const columns = header?.fields ?? [];
  checkColumns(columns);
  if (rows.length === 0) {
    throw new CohortError({
      code: 'EMPTY',
      message: 'The manifest has a header but no rows: add one row a case.',
    });
  }
  const clinicalColumns = columns.filter((column) => !known.has(column));
  const values = rows.map((row) => rowObject(columns, row));
  const numeric = new Set(clinicalColumns.filter((column) => values.every((row) => isNumber(row[column]!))));
  const cases = values.map((row, index): CohortCase => {
    const line = rows[index]!.line;
    const fields = checkRow(row, line);
    const clinical = clinicalColumns.map((column) => {
      const value = row[column]!;
      return [column, value === '' ? null : numeric.has(column) ? Number(value) : value];
    });
    return {
      caseId: `case-${String(index + 1).padStart(4, '0')}`,
      line,
      patientId: fields.patient_id,
      image: fields.image,
      mask: fields.mask || null,
      label: fields.label === '1' ? 1 : 0,
      site: fields.site || null,
      split: fields.split || null,
      timePoint: fields.time_point || null,
      clinical: Object.fromEntries(clinical),
    };
  });
  checkCases(cases);
  return { cases, clinicalColumns };
}

interface CsvRecord {
  fields: string[];
  line: number;
}

/** The records of the text that are not blank, each with the line it starts on (a quoted value may span lines). */
function records(text: string): CsvRecord[] {
  const found: CsvRecord[] = [];
  let line = 1;
  let read = 0;
  Papa.parse<string[]>(text, {
    delimiter: ',',
    step: ({ data, errors, meta }) => {
      if (errors[0]) {
        throw new CohortError({
          code: 'CSV',
          line,
          message: `Line ${line} of the manifest: ${errors[0].message}.`,
        });
      }
      const fields = data.map((field) => field.trim());
      if (fields.some((field) => field !== '')) found.push({ fields, line });
      line += text.slice(read, meta.cursor).split('\n').length - 1;
      read = meta.cursor;
    },
  });
  return found;
}

function checkColumns(columns: string[]): void {
  const missing = required.filter((column) => !columns.includes(column));
  if (missing.length > 0) {
    throw new CohortError({
      code: 'MISSING_COLUMN',
      line: 1,
      message: `The manifest has no column ${missing.join(', ')}; its header is "${columns.join(',')}".`,
    });
  }
  const twice = columns.find((column, index) => columns.indexOf(column) !== index);
  if (twice === undefined) return;
  throw new CohortError({
    code: 'DUPLICATE_COLUMN',
    line: 1,
    message: `The manifest has the column "${twice}" twice.`,
  });
}

function rowObject(columns: string[], { fields, line }: CsvRecord): Record<string, string> {
  if (fields.length !== columns.length) {
    throw new CohortError({
      code: 'CSV',
      line,
      message: `Line ${line} of the manifest has ${fields.length} values for ${columns.length} columns.`,
    });
  }
  return Object.fromEntries(columns.map((column, index) => [column, fields[index]!]));
}

function checkRow(row: Record<string, string>, line: number): z.infer<typeof rowSchema> {
  const result = rowSchema.safeParse(row);
  if (result.success) return result.data;
  const column = String(result.error.issues[0]!.path[0]);
  const [code, rule] = complaints[column] ?? (['MISSING_VALUE', 'has to be given'] as const);
  const value = row[column] === '' ? 'is empty' : `is "${row[column]}"`;
  throw new CohortError({
    code,
    line,
    message: `Line ${line} of the manifest: ${column} ${value}; it ${rule}.`,
  });
}

function isNumber(value: string): boolean {
  return value === '' || Number.isFinite(Number(value));
}

/** Rows against each other: the same lesion twice, one image under two patients, one patient in two splits. */
function checkCases(cases: CohortCase[]): void {
  const lesions = new Map<string, CohortCase>();
  const images = new Map<string, CohortCase>();
  const patients = new Map<string, CohortCase>();
  for (const current of cases) {
    const lesion = JSON.stringify([current.image, current.mask]);
    conflict(lesions.get(lesion), current, 'DUPLICATE_CASE', 'name the same image and mask');
    lesions.set(lesion, current);

    const image = images.get(current.image);
    if (image?.patientId !== current.patientId) {
      conflict(image, current, 'IMAGE_OF_TWO_PATIENTS', 'give one image to two patients');
    }
    images.set(current.image, current);

    const patient = patients.get(current.patientId);
    if (patient?.split !== current.split) {
      conflict(patient, current, 'PATIENT_IN_TWO_SPLITS', 'put one patient in two splits');
    }
    patients.set(current.patientId, current);
  }
}

function conflict(
  earlier: CohortCase | undefined,
  later: CohortCase,
  code: CohortErrorCode,
  does: string,
): void {
  if (!earlier) return;
  throw new CohortError({
    code,
    line: later.line,
    message: `Lines ${earlier.line} and ${later.line} of the manifest ${does}.`,
  });
}
