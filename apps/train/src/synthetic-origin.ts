import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What `onco-train phantom` wrote beside a synthetic cohort. */
export interface SyntheticOrigin {
  /** Largest AUC that any model can expect on these cases. */
  reachableAuc: number;
  description: string;
}

/** The origin of a synthetic cohort, or undefined for real cases. */
export async function syntheticOrigin(cohortFolder: string): Promise<SyntheticOrigin | undefined> {
  let text: string;
  try {
    text = await readFile(join(cohortFolder, 'phantom.json'), 'utf8');
  } catch {
    return undefined;
  }
  const { reachableAuc, seed, options } = JSON.parse(text);
  return {
    reachableAuc: reachableAuc.population,
    description: `expected AUC of the planted signal itself in synthetic cohorts of strength ${options.strength}; seed ${seed}`,
  };
}
