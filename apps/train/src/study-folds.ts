import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type CohortCase, checkFolds, checkSplits, planFolds, splitPatients } from '@onco-response/cohort';
import type { Study } from './study.js';
import { TrainError } from './train-error.js';
import { writeOutput } from './write-output.js';

/** Which cases one trial trains on, chooses on and is tested on: case ids, no patient in two of them. */
export interface Fold {
  name: string;
  /** From 0; the folds of one repetition test every case at most once. */
  repetition: number;
  /** Nested cross-validation: the fold whose train and validation cases this one divides, to choose a variant on. */
  innerOf: string | null;
  train: string[];
  validation: string[];
  test: string[];
}

/**
 * The folds of a study: those of the `splits.json` at `path`, checked against its hash and the cohort, or new ones, which
 * are written there.
 *
 * @throws CohortError for an edited file, another cohort, a patient in two splits; TrainError STUDY_CHANGED for folds of
 * another scheme or seed
 */
export async function studyFolds(
  path: string,
  cases: readonly CohortCase[],
  { splits, seed }: Pick<Study, 'splits' | 'seed'>,
): Promise<{ folds: Fold[]; sha256: string }> {
  const saved: unknown = existsSync(path) ? parse(path, await readFile(path, 'utf8')) : undefined;
  const keep = async <T>(made: T): Promise<T> => {
    if (saved === undefined) await writeOutput(path, `${JSON.stringify(made, null, 2)}\n`);
    return made;
  };
  if (splits.scheme === undefined || splits.scheme === 'holdOut') {
    const { scheme: _, ...shares } = splits;
    if (isPlan(saved)) throw otherFolds(path, 'is of another scheme');
    const { cases: ids, sha256 } =
      saved === undefined
        ? await keep(await splitPatients(cases, { ...defined(shares), seed }))
        : await checkSplits(saved, cases);
    return { folds: [{ name: 'hold-out', repetition: 0, innerOf: null, ...ids }], sha256 };
  }
  if (saved !== undefined && !isPlan(saved)) throw otherFolds(path, 'is of another scheme');
  const planned = await planFolds(cases, { ...defined(splits), seed });
  const plan = saved === undefined ? await keep(planned) : await checkFolds(saved, cases);
  if (plan.sha256 !== planned.sha256) throw otherFolds(path, 'holds other folds than this study draws');
  const folds = plan.folds.flatMap(({ inner, site: _, ...fold }): Fold[] => [
    { ...fold, innerOf: null },
    ...inner.map((each) => ({ ...each, repetition: fold.repetition, innerOf: fold.name })),
  ]);
  return { folds, sha256: plan.sha256 };
}

/** The cases of each split of a fold, in the order of the manifest. */
export function casesOfFold(cases: readonly CohortCase[], fold: Fold): CasesBySplit {
  const of = (name: keyof CasesBySplit) => {
    const ids = new Set(fold[name]);
    return cases.filter(({ caseId }) => ids.has(caseId));
  };
  return { train: of('train'), validation: of('validation'), test: of('test') };
}

/** Cases of each split, in the order of the manifest. */
export type CasesBySplit = Record<'train' | 'validation' | 'test', CohortCase[]>;

const isPlan = (saved: unknown) => typeof saved === 'object' && saved !== null && 'folds' in saved;

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TrainError({
      code: 'STUDY_CHANGED',
      message: `${path} is not JSON: remove it, and the folds are drawn again`,
      cause,
    });
  }
}

const otherFolds = (path: string, finding: string) =>
  new TrainError({
    code: 'STUDY_CHANGED',
    message: `${path} ${finding} (scheme, folds, shares or seed were changed): take another --out, or remove that folder`,
  });

/** Without the keys that are undefined, which `exactOptionalPropertyTypes` tells from absent ones. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
