import { z } from 'zod';
import { CohortError } from './cohort-error.js';
import type { CohortCase, SplitName } from './parse-manifest.js';
import { sha256 } from './sha256.js';

/** The names of the splits, in order. */
export const splitNames = ['train', 'validation', 'test'] as const satisfies readonly SplitName[];

const caseIds = z.array(z.string());
const splitsSchema = z.strictObject({
  version: z.literal(1),
  seed: z.number().int(),
  /** Which fold of how many is the test split; null for a single split. */
  fold: z.strictObject({ index: z.number().int(), count: z.number().int() }).nullable(),
  /** Hash of the cases that were split: their order, patients, labels and files. */
  cohortSha256: z.string(),
  /** Case ids of each split. */
  cases: z.strictObject({ train: caseIds, validation: caseIds, test: caseIds }),
  /** Hash of everything above. */
  sha256: z.string(),
});

/** The content of `splits.json`: which case is in which split, sealed by a hash. It names no patient. */
export type Splits = z.infer<typeof splitsSchema>;

/** Seals a split of `cases` with its hashes. */
export async function sealSplits(
  content: Pick<Splits, 'seed' | 'fold' | 'cases'>,
  cases: readonly CohortCase[],
): Promise<Splits> {
  const unsealed = { version: 1 as const, ...content, cohortSha256: await hashCases(cases) };
  return { ...unsealed, sha256: await sha256(unsealed) };
}

/**
 * Checks a `splits.json` that was read back against the cohort it is for.
 *
 * @param splits The parsed JSON.
 * @throws CohortError `SPLITS_FORMAT` (not such a file), `SPLITS_HASH` (edited since it was written), `UNKNOWN_CASE`,
 * `PATIENT_IN_TWO_SPLITS`, `COHORT_CHANGED` (the manifest's rows are not the ones that were split)
 * @example
 * const splits = await checkSplits(JSON.parse(text), manifest.cases);
 */
export async function checkSplits(splits: unknown, cases: readonly CohortCase[]): Promise<Splits> {
  const parsed = splitsSchema.safeParse(splits);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new CohortError({
      code: 'SPLITS_FORMAT',
      message: `This is not a split file: ${issue.path.join('.') || 'the content'}: ${issue.message}.`,
      cause: parsed.error,
    });
  }
  const { sha256: seal, ...content } = parsed.data;
  if ((await sha256(content)) !== seal) {
    throw new CohortError({
      code: 'SPLITS_HASH',
      message:
        'The split file was changed after it was written: its hash does not fit. Make the splits again.',
    });
  }
  checkPatients(content.cases, cases);
  if (content.cohortSha256 !== (await hashCases(cases))) {
    throw new CohortError({
      code: 'COHORT_CHANGED',
      message: 'The split file was made for other rows than this manifest has. Make the splits again.',
    });
  }
  return parsed.data;
}

function checkPatients(assigned: Splits['cases'], cases: readonly CohortCase[]): void {
  const byId = new Map(cases.map((current) => [current.caseId, current]));
  const seen = new Map<string, { split: SplitName; line: number }>();
  for (const split of splitNames) {
    for (const caseId of assigned[split]) {
      const found = byId.get(caseId);
      if (!found) {
        throw new CohortError({
          code: 'UNKNOWN_CASE',
          message: `The split file names ${caseId} in ${split}, which the manifest does not have.`,
        });
      }
      const earlier = seen.get(found.patientId);
      if (earlier && earlier.split !== split) {
        throw new CohortError({
          code: 'PATIENT_IN_TWO_SPLITS',
          line: found.line,
          message:
            `The patient of ${caseId} (line ${found.line} of the manifest) is in ${split}, ` +
            `and with line ${earlier.line} in ${earlier.split}. Make the splits again.`,
        });
      }
      seen.set(found.patientId, { split, line: found.line });
    }
  }
}

/** Hash of the cases that were split: their order, patients, labels and files. */
export function hashCases(cases: readonly CohortCase[]): Promise<string> {
  return sha256(
    cases.map(({ caseId, patientId, label, image, mask }) => [
      caseId,
      patientId,
      label,
      fileName(image),
      mask && fileName(mask),
    ]),
  );
}

/** Without the folder, so that a cohort may move. */
function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}
