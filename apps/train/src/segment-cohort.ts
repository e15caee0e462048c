import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { SplitName } from '@onco-response/cohort';
import { RandomStream } from '@onco-response/engine';
import { parseTable } from './parse-table.js';
import type { SegmentStudy } from './segment-study.js';
import { TrainError } from './train-error.js';

export interface SegmentCase {
  /** `case-0001` for the first row: the name in every output. */
  readonly caseId: string;
  readonly patientId: string;
  /** One a channel, absolute. */
  readonly images: readonly string[];
  readonly mask: string;
  readonly split: SplitName;
}

export interface SegmentCohort {
  readonly cases: readonly SegmentCase[];
  /** Of the cohort's text. */
  readonly sha256: string;
}

const NAMES: readonly SplitName[] = ['train', 'validation', 'test'];

/**
 * The cases of a study with their split: no patient is in two. A row without a mask is refused.
 * @throws TrainError MISSING_FILE, INVALID_STUDY, LEAK
 */
export async function readSegmentCohort(study: SegmentStudy): Promise<SegmentCohort> {
  const content = await readFile(study.cohort, 'utf8').catch((cause: unknown) => {
    throw new TrainError({ code: 'MISSING_FILE', message: `there is no cohort at ${study.cohort}`, cause });
  });
  const refuse = (finding: string): never => {
    throw new TrainError({ code: 'INVALID_STUDY', message: `${study.cohort}: ${finding}` });
  };
  const { data, meta } = parseTable(content, refuse);
  const needed = ['patient_id', 'mask', ...study.channels.map(({ column }) => column)];
  const missing = needed.filter((column) => !meta.fields?.includes(column));
  if (missing.length > 0)
    refuse(`there is no column ${missing.join(', ')} (there are: ${meta.fields?.join(', ')})`);
  const folder = dirname(study.cohort);
  const rows = data.map((row, index) => {
    const place = `row ${index + 1}`;
    const file = (column: string): string => {
      if (!row[column])
        refuse(`${place}: ${column} is empty; training needs an image and a drawn mask for every case`);
      const path = resolve(folder, row[column] as string);
      if (!existsSync(path)) {
        throw new TrainError({
          code: 'MISSING_FILE',
          message: `${study.cohort}: ${place}: there is no ${path}`,
        });
      }
      return path;
    };
    if (!row.patient_id) refuse(`${place}: patient_id is empty`);
    const split = row.split || undefined;
    if (split !== undefined && !NAMES.includes(split as SplitName)) {
      refuse(`${place}: split is "${split}", and has to be ${NAMES.join(', ')} or empty`);
    }
    return {
      caseId: `case-${String(index + 1).padStart(4, '0')}`,
      patientId: row.patient_id as string,
      images: study.channels.map(({ column }) => file(column)),
      mask: file('mask'),
      given: split as SplitName | undefined,
    };
  });
  const splits = splitOf(rows, study, refuse);
  const cases = rows.flatMap(({ given: _given, ...row }) => {
    const split = splits.get(row.patientId);
    return split ? [{ ...row, split }] : [];
  });
  for (const name of NAMES) {
    if (!cases.some(({ split }) => split === name)) {
      refuse(`no case is left for ${name}: there are ${splits.size} patients, more are needed`);
    }
  }
  return { cases, sha256: createHash('sha256').update(content).digest('hex') };
}

function splitOf(
  rows: readonly { patientId: string; given: SplitName | undefined }[],
  { seed, patients, splits }: SegmentStudy,
  refuse: (finding: string) => never,
): Map<string, SplitName> {
  const given = new Map<string, SplitName | undefined>();
  for (const row of rows) {
    if (given.has(row.patientId) && given.get(row.patientId) !== row.given) {
      throw new TrainError({
        code: 'LEAK',
        message: 'the split column puts the cases of one patient in two splits',
      });
    }
    given.set(row.patientId, row.given);
  }
  const named = [...given.values()].filter((name) => name !== undefined).length;
  if (named > 0 && named < given.size) refuse('the split column names some patients and not others');
  const drawn = new RandomStream(seed, 'segmentation/split')
    .shuffle([...given.keys()].sort())
    .slice(0, patients);
  if (named > 0) return new Map(drawn.map((patient) => [patient, given.get(patient) as SplitName]));
  const total = splits.train + splits.validation + splits.test;
  const test = Math.round((drawn.length * splits.test) / total);
  const validation = Math.round((drawn.length * splits.validation) / total);
  return new Map(
    drawn.map((patient, index) => [
      patient,
      index < test ? 'test' : index < test + validation ? 'validation' : 'train',
    ]),
  );
}
