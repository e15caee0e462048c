import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReportExplanation, ReportInput } from '@onco-response/report';
import type { ExplainResult } from './explain.js';
import type { StressOutput } from './stress.js';

/**
 * What `onco-train stress` found in a run, as the report takes it; nothing where it was not run.
 * @param caseIds of the report's models, in their order: strangeness is left out where it is not known of exactly these
 */
export async function readStress(
  run: string,
  caseIds: readonly string[],
): Promise<Pick<ReportInput, 'stress' | 'outOfDistribution' | 'conformal'>> {
  const found = await readJson<StressOutput>(join(run, 'stress', 'stress.json'));
  if (!found) return {};
  const { stress, outOfDistribution, conformal } = found;
  const { caseIds: known, scores, ...strangers } = outOfDistribution;
  const at = new Map(known.map((caseId, i) => [caseId, scores[i] as number]));
  const complete = caseIds.length === known.length && caseIds.every((caseId) => at.has(caseId));
  return {
    stress: stress.flatMap(({ auc, aucChange, meanProbabilityChange, ...rest }) =>
      auc && aucChange && meanProbabilityChange !== null
        ? [{ ...rest, auc, aucChange, meanProbabilityChange }]
        : [],
    ),
    ...(complete && {
      outOfDistribution: { ...strangers, scores: caseIds.map((caseId) => at.get(caseId) as number) },
    }),
    conformal,
  };
}

/** What `onco-train explain` found in a run, pictures included; nothing where it was not run. */
export async function readExplanation(run: string): Promise<ReportExplanation | undefined> {
  const folder = join(run, 'explain');
  const found = await readJson<ExplainResult>(join(folder, 'explain.json'));
  if (!found) return undefined;
  const { sanityChecks, nearest, similarityName, importance, importanceNote } = found;
  return {
    maps: await Promise.all(
      found.maps.map(async ({ file, ...map }) => ({
        ...map,
        image: new Uint8Array(await readFile(join(folder, file))),
      })),
    ),
    sanityChecks,
    nearest,
    similarityName,
    ...(importance && importanceNote && { importance, importanceNote }),
  };
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
