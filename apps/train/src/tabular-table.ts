import { readFile } from 'node:fs/promises';
import type { CohortCase, SplitName } from '@onco-response/cohort';
import type { Row } from '@onco-response/tabular';
import { parseTable } from './parse-table.js';
import type { TabularStudy } from './tabular-study.js';
import { TrainError } from './train-error.js';

/** One row of the table. */
export interface TabularCase extends CohortCase {
  /** `patient-0007` for the seventh patient of the table: the name to write, in place of the table's own. */
  patient: string;
  /** Every column, numbers where the whole column holds numbers; null where it is empty. */
  row: Row;
}

export interface PatientTable {
  cases: TabularCase[];
  /** Features that are categories, the others being numbers. */
  categorical: ReadonlySet<string>;
  /** What was left out, and how often. */
  warnings: string[];
}

/**
 * Reads the table of a study: labels, features, derived columns, the given split.
 * @throws TrainError MISSING_FILE, INVALID_STUDY for a column that is not there or holds what it must not
 */
export async function readPatientTable(path: string, study: TabularStudy): Promise<PatientTable> {
  const content = await readFile(path, 'utf8').catch((cause) => {
    throw new TrainError({ code: 'MISSING_FILE', message: `there is no table at ${path}`, cause });
  });
  return parsePatientTable(content, path, study);
}

export function parsePatientTable(content: string, path: string, study: TabularStudy): PatientTable {
  const refuse = (finding: string): never => {
    throw new TrainError({ code: 'INVALID_STUDY', message: `${path}: ${finding}` });
  };
  const { data, meta } = parseTable(content, refuse);
  if (data.length === 0) refuse('the table has no rows');
  const given = meta.fields ?? [];
  const known = new Set([...given, ...Object.keys(study.derived)]);
  const need = (names: readonly string[], key: string) => {
    const missing = names.filter((name) => !known.has(name));
    if (missing.length > 0) {
      refuse(
        `${key} names ${missing.join(', ')}, which the table has no column of (there are: ${given.join(', ')})`,
      );
    }
  };
  const features = [...new Set(study.models.flatMap((model) => model.features))];
  need([study.columns.patient, study.columns.label], 'columns');
  need(features, 'models');
  need(study.categorical, 'categorical');
  need(study.folds.stratifyBy, 'folds.stratifyBy');
  need(
    study.subgroups.map(({ column }) => column),
    'subgroups',
  );
  if (study.split) need([study.split.column], 'split.column');
  for (const [name, { logOfProduct }] of Object.entries(study.derived)) {
    need(logOfProduct, `derived.${name}`);
    if (given.includes(name)) refuse(`derived.${name}: the table has a column of that name already`);
  }
  const numeric = new Set(given.filter((name) => data.every((row) => isNumber(row[name] as string))));
  const read = (row: Record<string, string>): Row => {
    const own: Record<string, number | string | null> = {};
    for (const name of given) {
      const value = row[name] as string;
      own[name] = value === '' ? null : numeric.has(name) ? Number(value) : value;
    }
    for (const [name, { logOfProduct }] of Object.entries(study.derived)) {
      own[name] = logOfProductOf(
        logOfProduct.map((each) => own[each] ?? null),
        name,
        refuse,
      );
    }
    return own;
  };
  const { columns, split } = study;
  const left = { label: 0, split: 0 };
  const patients = new Map<string, string>();
  const cases: TabularCase[] = [];
  for (const [i, raw] of data.entries()) {
    const line = i + 2;
    const label = raw[columns.label] as string;
    if (label === '') {
      left.label++;
      continue;
    }
    if (label !== columns.positive && label !== columns.negative) {
      refuse(
        `row ${i + 1}: ${columns.label} is "${label}", neither ${columns.positive} nor ${columns.negative}`,
      );
    }
    const part = split && splitOf(raw[split.column] as string, split);
    if (split && !part) {
      left.split++;
      continue;
    }
    const patientId = raw[columns.patient] as string;
    if (patientId === '') refuse(`row ${i + 1}: ${columns.patient} is empty`);
    if (!patients.has(patientId))
      patients.set(patientId, `patient-${String(patients.size + 1).padStart(4, '0')}`);
    const caseId = `case-${String(i + 1).padStart(4, '0')}`;
    const row = read(raw);
    cases.push({
      caseId,
      line,
      patientId,
      patient: patients.get(patientId) as string,
      image: caseId, // a table has no images; the folds' seal wants one name a case
      mask: null,
      label: label === columns.positive ? 1 : 0,
      // Folds are stratified by label and by this.
      site: JSON.stringify(study.folds.stratifyBy.map((name) => row[name] ?? null)),
      split: part ?? null,
      timePoint: null,
      clinical: row,
      row,
    });
  }
  return {
    cases,
    categorical: new Set(
      features.filter(
        (name) => study.categorical.includes(name) || (given.includes(name) && !numeric.has(name)),
      ),
    ),
    warnings: [
      ...(left.label > 0 ? [`${left.label} rows have no ${columns.label} and were left out.`] : []),
      ...(left.split > 0
        ? [`${left.split} rows are in none of the named parts of ${split?.column} and were left out.`]
        : []),
      ...features.flatMap((name) => {
        const missing = cases.filter(({ row }) => row[name] === null).length;
        return missing > 0
          ? [
              `${name} is missing in ${missing} of ${cases.length} cases: the training cases' median stands for it.`,
            ]
          : [];
      }),
    ],
  };
}

/** "1.0" and "1" are the same part of a split. */
function splitOf(value: string, split: NonNullable<TabularStudy['split']>): SplitName | undefined {
  const same = (name: string | undefined) =>
    name !== undefined && value !== '' && (value === name || Number(value) === Number(name));
  return (['train', 'validation', 'test'] as const).find((name) => same(split[name]));
}

function logOfProductOf(
  values: readonly (number | string | null)[],
  name: string,
  refuse: (finding: string) => never,
): number | null {
  if (values.includes(null)) return null;
  const product = values.reduce<number>((result, value) => result * (value as number), 1);
  if (!(product > 0) || !Number.isFinite(product)) {
    refuse(`derived.${name}: the product is ${product} in a row, which has no logarithm`);
  }
  return Math.log(product);
}

const isNumber = (value: string) => value === '' || Number.isFinite(Number(value));
