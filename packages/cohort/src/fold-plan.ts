import { z } from 'zod';
import { CohortError } from './cohort-error.js';
import type { CohortCase, SplitName } from './parse-manifest.js';
import { sha256 } from './sha256.js';
import { hashCases, splitNames } from './splits.js';

const caseIds = z.array(z.string());
const innerFoldSchema = z.strictObject({
  /** Unique in the plan and fit for a file name: `hold-out`, `fold-2`, `repeat-1-fold-2`, `site-2`, `fold-2-inner-0`. */
  name: z.string(),
  /** Case ids. */
  train: caseIds,
  validation: caseIds,
  test: caseIds,
});
const foldSchema = innerFoldSchema.extend({
  /** Which repetition of a repeated cross-validation, from 0. The folds of one repetition test every case once. */
  repetition: z.number().int().nonnegative(),
  /** The site that is left out, as the manifest names it; null in every other scheme. */
  site: z.string().nullable(),
  /** Nested cross-validation: folds of this fold's train and validation cases, to choose settings on. Else empty. */
  inner: z.array(innerFoldSchema),
});
const planSchema = z.strictObject({
  version: z.literal(1),
  scheme: z.enum(['holdOut', 'kFold', 'repeatedKFold', 'nested', 'leaveOneSiteOut']),
  seed: z.number().int(),
  /** Hash of the cases that were split: their order, patients, labels and files. */
  cohortSha256: z.string(),
  folds: z.array(foldSchema).min(1),
  /** Hash of everything above. */
  sha256: z.string(),
});

/** Three splits of cases by patient. */
export type InnerFold = z.infer<typeof innerFoldSchema>;

/** One fold of a plan. */
export type Fold = z.infer<typeof foldSchema>;

/** Which case is in which split of which fold, sealed by a hash. It names no patient. */
export type FoldPlan = z.infer<typeof planSchema>;

/** Seals a plan for `cases` with its hashes; {@link checkFolds} says whether it is sound. */
export async function sealFolds(
  { scheme, seed, folds }: Pick<FoldPlan, 'scheme' | 'seed' | 'folds'>,
  cases: readonly CohortCase[],
): Promise<FoldPlan> {
  const unsealed = { version: 1 as const, scheme, seed, folds, cohortSha256: await hashCases(cases) };
  return { ...unsealed, sha256: await sha256(unsealed) };
}

/**
 * Checks a plan that was read back against the cohort it is for: the hash, the rows, that in every fold every case is in
 * one split and every patient in one only, that the folds of a repetition test every case once (`holdOut` has one fold),
 * and that inner folds hold the train and validation cases of their fold and nothing else.
 *
 * @param plan The parsed JSON.
 * @throws CohortError `SPLITS_FORMAT`, `SPLITS_HASH`, `UNKNOWN_CASE`, `COHORT_CHANGED`, `LEAK` (a patient is in two splits
 * of a fold, or a tested patient in an inner fold), `FOLDS_INCOMPLETE` (a case is missing, twice, or not tested once)
 * @example
 * const plan = await checkFolds(JSON.parse(text), manifest.cases);
 */
export async function checkFolds(plan: unknown, cases: readonly CohortCase[]): Promise<FoldPlan> {
  const parsed = planSchema.safeParse(plan);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new CohortError({
      code: 'SPLITS_FORMAT',
      message: `This is not a fold plan: ${issue.path.join('.') || 'the content'}: ${issue.message}.`,
      cause: parsed.error,
    });
  }
  const { sha256: seal, ...content } = parsed.data;
  if ((await sha256(content)) !== seal) {
    throw new CohortError({
      code: 'SPLITS_HASH',
      message: 'The fold plan was changed after it was written: its hash does not fit. Make the folds again.',
    });
  }
  const byId = new Map(cases.map((current) => [current.caseId, current]));
  const everyCase = new Set(byId.keys());
  for (const fold of content.folds) {
    checkFold(fold, everyCase, byId);
    const development = new Set([...fold.train, ...fold.validation]);
    for (const inner of fold.inner) checkFold(inner, development, byId);
    if (fold.inner.length > 0) checkTested(`the inner folds of ${fold.name}`, fold.inner, development);
  }
  if (content.scheme !== 'holdOut') {
    for (const repetition of new Set(content.folds.map((fold) => fold.repetition))) {
      const folds = content.folds.filter((fold) => fold.repetition === repetition);
      checkTested(`repetition ${repetition}`, folds, everyCase);
    }
  }
  const names = content.folds.flatMap((fold) => [fold.name, ...fold.inner.map((inner) => inner.name)]);
  if (new Set(names).size < names.length || (content.scheme === 'holdOut' && content.folds.length > 1)) {
    throw incomplete(
      `the plan has ${names.length} folds, and two of them bear one name or test the same cases`,
    );
  }
  if (content.cohortSha256 !== (await hashCases(cases))) {
    throw new CohortError({
      code: 'COHORT_CHANGED',
      message: 'The fold plan was made for other rows than this manifest has. Make the folds again.',
    });
  }
  return parsed.data;
}

/** Every patient in one split, and exactly the `expected` cases. */
function checkFold(fold: InnerFold, expected: Set<string>, byId: Map<string, CohortCase>): void {
  const patients = new Map<string, { split: SplitName; line: number }>();
  const seen = new Set<string>();
  for (const split of splitNames) {
    for (const caseId of fold[split]) {
      const found = byId.get(caseId);
      if (!found) {
        throw new CohortError({
          code: 'UNKNOWN_CASE',
          message: `${fold.name} names ${caseId} in ${split}, which the manifest does not have.`,
        });
      }
      const earlier = patients.get(found.patientId);
      if (earlier && earlier.split !== split) {
        throw new CohortError({
          code: 'LEAK',
          line: found.line,
          message:
            `In ${fold.name} the patient of ${caseId} (line ${found.line} of the manifest) is in ${split}, ` +
            `and with line ${earlier.line} in ${earlier.split}. Make the folds again.`,
        });
      }
      if (!expected.has(caseId)) {
        throw new CohortError({
          code: 'LEAK',
          line: found.line,
          message: `${fold.name} holds ${caseId}, which the fold around it tests. Make the folds again.`,
        });
      }
      if (seen.has(caseId)) throw incomplete(`${fold.name} has ${caseId} twice in ${split}`);
      patients.set(found.patientId, { split, line: found.line });
      seen.add(caseId);
    }
  }
  if (seen.size < expected.size) {
    const missing = [...expected].find((caseId) => !seen.has(caseId));
    throw incomplete(
      `${fold.name} leaves out ${expected.size - seen.size} cases, the first being ${missing}`,
    );
  }
}

/** Every expected case is tested by one fold. */
function checkTested(what: string, folds: readonly InnerFold[], expected: Set<string>): void {
  const tested = folds.flatMap((fold) => fold.test);
  const unique = new Set(tested);
  if (unique.size === tested.length && unique.size === expected.size) return;
  throw incomplete(
    `${what} of the plan tests ${unique.size} of ${expected.size} cases, ${tested.length - unique.size} of them more than once`,
  );
}

function incomplete(found: string): CohortError {
  return new CohortError({ code: 'FOLDS_INCOMPLETE', message: `${found}. Make the folds again.` });
}
