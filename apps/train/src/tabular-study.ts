import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { parseCheckedYaml } from './checked-yaml.js';
import { subgroupsSchema } from './subgroups.js';
import { TrainError } from './train-error.js';

const count = z.int().positive();
const fraction = z.number().gt(0).lt(1);
const text = z.string().min(1);
const columns = z.array(text).min(1);
/** As it stands in the table; YAML may write 1 for "1". */
const cell = z.union([z.string(), z.number()]).transform(String);

/** A study of a table of patients: `onco-train tabular`. Every default is ours. */
export const tabularStudySchema = z.strictObject({
  name: text,
  /** What a positive outcome means, for example "pathological complete response". */
  positiveClass: text,
  /** One sentence: what is predicted, for whom, from what. */
  target: text,
  /** true where the patients were made by a computer: the report says so on every page. */
  synthetic: z.boolean().default(false),
  /** A CSV file with one row a case, relative to the study file. */
  table: text,
  columns: z.strictObject({
    /** Groups the rows of one patient; never written to the results. */
    patient: text,
    label: text,
    /** The two values of the label column; rows with an empty label are left out and counted. */
    positive: cell.default('1'),
    negative: cell.default('0'),
  }),
  /** New columns: the natural logarithm of a product of columns (of a volume: voxels x spacings); empty where one is. */
  derived: z.record(text, z.strictObject({ logOfProduct: columns })).default({}),
  /** Feature columns that are categories although they look like numbers. */
  categorical: z.array(text).default([]),
  seed: z.int().min(0).default(0),
  /** Out-of-fold predictions of every case by models that never saw the patient ... */
  folds: z
    .strictObject({
      folds: z.int().min(2).default(5),
      repetitions: count.default(10),
      /** Folds of each fold's training cases whose out-of-fold predictions the calibrator and the threshold are fitted on. */
      innerFolds: z.int().min(2).default(5),
      /** Columns whose combinations have their share in every fold, within each outcome. */
      stratifyBy: z.array(text).default([]),
    })
    .prefault({}),
  /** ... or of the test cases of a split that the table gives; rows of other values are left out and counted. */
  split: z
    .strictObject({
      column: text,
      train: cell,
      /** The calibrator and the threshold are fitted on these; on inner folds of the training cases where there are none. */
      validation: cell.optional(),
      test: cell,
    })
    .optional(),
  /** The first is the main one; the others are tested against it. */
  models: z
    .array(
      z.strictObject({
        name: text,
        features: columns,
        role: z
          .enum(['volumeOnly', 'clinicalOnly', 'volumeAndClinical', 'otherBaseline', 'variant'])
          .optional(),
      }),
    )
    .min(1)
    .refine(
      (models) => new Set(models.map(({ name }) => name)).size === models.length,
      'a name is given twice',
    ),
  regression: z
    .strictObject({
      /** Inverse strength of the L2 penalty on standardised columns, as scikit-learn's C. */
      c: z.number().positive().default(1),
      classWeight: z.enum(['none', 'balanced']).default('none'),
      /** A 0/1 column for each column that lacks values in the training cases. */
      missingIndicators: z.boolean().default(false),
    })
    .prefault({}),
  /** platt: sigmoid on the log-odds. */
  calibration: z.enum(['platt', 'none']).default('platt'),
  subgroups: subgroupsSchema,
  evaluation: z
    .strictObject({
      resamples: count.default(2000),
      level: fraction.default(0.95),
      /** Threshold probabilities of the decision curve. */
      decision: z
        .strictObject({
          from: fraction.optional(),
          to: fraction.optional(),
          step: fraction.optional(),
          shown: z.array(fraction).min(1).optional(),
          action: text.optional(),
          reason: text.optional(),
        })
        .optional(),
    })
    .prefault({}),
});
export type TabularStudy = z.infer<typeof tabularStudySchema>;

/**
 * Reads and checks a study of a table.
 * @throws TrainError MISSING_FILE, INVALID_STUDY naming each wrong key with its line
 */
export async function loadTabularStudy(path: string): Promise<{ study: TabularStudy; tablePath: string }> {
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (cause) {
    throw new TrainError({ code: 'MISSING_FILE', message: `there is no study file at ${path}`, cause });
  }
  const study = parseTabularStudy(content, path);
  return { study, tablePath: resolve(dirname(path), study.table) };
}

/** Checks a study's text; `path` is only named in errors. */
export function parseTabularStudy(content: string, path: string): TabularStudy {
  return parseCheckedYaml(tabularStudySchema, content, path);
}
