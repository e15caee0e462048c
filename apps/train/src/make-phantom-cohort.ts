import { join } from 'node:path';
import { writePhantomCohort } from '@onco-response/cohort/node';
import { Progress } from '@onco-response/command-line/node';

export interface PhantomCommand {
  out: string;
  cases: number;
  seed: number;
  strength?: number;
  confoundVolume?: number;
}

/** `onco-train phantom`: a synthetic cohort on disk; complete files of the same seed are kept. */
export async function makePhantomCohort({ out, ...options }: PhantomCommand): Promise<void> {
  const progress = new Progress('synthetic cases', options.cases);
  try {
    const { reachableAuc } = await writePhantomCohort(out, {
      ...options,
      onProgress: () => progress.advance(),
    });
    const best = reachableAuc.population.toFixed(3);
    console.log(`${options.cases} synthetic cases in ${join(out, 'cohort.csv')}; best reachable AUC ${best}`);
  } finally {
    progress.stop();
  }
}
