import { join } from 'node:path';
import type { CohortCase } from '@onco-response/cohort';
import { Progress } from '@onco-response/command-line/node';
import { mahalanobis } from '@onco-response/metrics';
import {
  type FinishedRun,
  type FinishedTrial,
  openRun,
  openTrial,
  predictKept,
  trialClinical,
  trialImages,
} from './finished-run.js';
import { type CaseImages, caseStream, STRESS_CHANGES } from './stress-changes.js';
import { conformalSummary, type HeldOut } from './stress-conformal.js';
import { type StressRow, stressCasesCsv, stressCsv, stressTable, summariseStress } from './stress-summary.js';
import { patientsByCase } from './study-plan.js';
import { TrainError } from './train-error.js';
import { writeOutput } from './write-output.js';

export interface StressOptions {
  run: string;
  /** Where the results go; `stress` in the run's folder unless given. */
  out?: string | undefined;
  variant?: string | undefined;
  /** Change the images of so many test cases only, drawn by the seed, as many of each class as there are. */
  cases?: number | undefined;
  seed?: number;
  threads?: number | undefined;
  interrupted?: () => boolean;
}

/** Share of validation cases that lie within the limit of strangeness. */
const WITHIN = 0.95;
const UNCHANGED = 'unchanged';

/** What strangeness was measured with. */
interface StrangerFacts {
  shrinkage: number;
  dimensions: number;
  trainCases: number;
}

/**
 * How a finished run stands up to other input: every test case again with its mask or image changed, how far the test cases lie
 * from the training cases, and split-conformal sets. Writes `stress.json`, `stress.csv` and `stress-cases.csv`.
 *
 * Of several trials (folds, seeds) each model judges the test cases of its own fold; probabilities and strangeness are averaged
 * by case, as in the run's own evaluation.
 *
 * @returns the table, as Markdown
 * @throws TrainError as `openRun`; INTERRUPTED (nothing is kept); errors of imaging-io and lesion-mask
 */
export async function stressRun({
  run,
  out = join(run, 'stress'),
  variant,
  cases,
  seed = 0,
  threads,
  interrupted = () => false,
}: StressOptions): Promise<string> {
  const finished = await openRun(run, variant);
  const { plan } = finished;
  const rows: StressRow[] = [];
  const heldOut: HeldOut[] = [];
  const strangeness: StrangerFacts[] = [];
  for (const each of finished.trials) {
    const trial = await openTrial(plan, each, { interrupted, threads });
    try {
      const stranger = await strangerScore(trial);
      strangeness.push(stranger.facts);
      heldOut.push(await heldOutPredictions(trial));
      const chosen = chooseCases(trial.bySplit.test, cases, seed);
      const progress = new Progress(
        `changed input, ${trial.trial.fold}`,
        chosen.length * (STRESS_CHANGES.length + 1),
      );
      try {
        for (const one of chosen) {
          const images = await trialImages(trial, one);
          for (const { name, apply } of [
            { name: UNCHANGED, apply: (same: CaseImages) => same },
            ...STRESS_CHANGES,
          ]) {
            if (interrupted()) {
              throw new TrainError({ code: 'INTERRUPTED', message: 'stopped; the same command starts over' });
            }
            const changed = apply(images, caseStream(seed, one.caseId));
            progress.advance(1, name);
            if (!changed) continue;
            const { logit, embedding } = await trial.model.predict(
              changed.volume,
              changed.lesion,
              trialClinical(trial, one),
            );
            rows.push({
              change: name,
              caseId: one.caseId,
              label: one.label,
              probability: trial.probability(logit),
              threshold: trial.result.threshold,
              strangeness: stranger.score(embedding),
            });
          }
        }
      } finally {
        progress.stop();
      }
    } finally {
      trial.model.dispose();
    }
  }
  const result = stressOutput(finished, rows, heldOut, strangeness, seed);
  await writeOutput(join(out, 'stress.json'), `${JSON.stringify(result, null, 2)}\n`);
  await writeOutput(join(out, 'stress.csv'), stressCsv(result));
  await writeOutput(join(out, 'stress-cases.csv'), stressCasesCsv(rows));
  return stressTable(result);
}

export type StressOutput = ReturnType<typeof stressOutput>;

/** `stress.json`. */
function stressOutput(
  { plan, variant, trials }: FinishedRun,
  rows: readonly StressRow[],
  heldOut: readonly HeldOut[],
  strangeness: readonly StrangerFacts[],
  seed: number,
) {
  const { study, splitSeed } = trials[0]!.trial;
  const { resamples, level } = study.evaluation;
  const bootstrap = { resamples, level, seed: splitSeed };
  const summary = summariseStress(rows, {
    unchanged: UNCHANGED,
    changes: STRESS_CHANGES.map(({ name }) => name),
    bootstrap,
    patientOf: patientsByCase(plan),
  });
  const first = strangeness[0]!;
  return {
    name: study.name,
    synthetic: plan.origin !== undefined,
    variant,
    models: trials.length,
    seed,
    bootstrap,
    ...summary,
    outOfDistribution: {
      method: `Mahalanobis distance of the embedding from the training cases, divided by the limit (${first.dimensions} dimensions, Ledoit-Wolf covariance of ${first.trainCases} training cases, shrinkage ${strangeness.map(({ shrinkage }) => shrinkage.toFixed(2)).join(', ')})`,
      threshold: 1,
      rule: `the distance that ${Math.round(100 * WITHIN)}% of validation cases stay within`,
      ...summary.outOfDistribution,
    },
    ...conformalSummary(heldOut, level),
  };
}

/** Distance from the trial's training cases over the distance that validation cases stay within. */
async function strangerScore(trial: FinishedTrial) {
  const { bySplit } = trial;
  const embeddings = async (cases: readonly CohortCase[]) => {
    const rows: Float32Array[] = [];
    for (const each of cases) rows.push((await predictKept(trial, each)).embedding);
    return rows;
  };
  const distances = mahalanobis(await embeddings(bySplit.train), {
    reference: await embeddings(bySplit.validation),
  });
  const known = distances.reference;
  const rank = Math.min(known.length, Math.ceil((known.length + 1) * WITHIN));
  const limit = Math.sqrt(known[rank - 1] as number);
  const { shrinkage, dimensions, cases: trainCases } = distances;
  return {
    facts: { shrinkage, dimensions, trainCases },
    score: (embedding: Float32Array) =>
      Math.sqrt(distances.squaredDistances([embedding])[0] as number) / limit,
  };
}

async function heldOutPredictions(trial: FinishedTrial): Promise<HeldOut> {
  const { bySplit } = trial;
  const predicted = async (cases: readonly CohortCase[]) => {
    const probabilities: number[] = [];
    for (const each of cases) probabilities.push(trial.probability((await predictKept(trial, each)).logit));
    return { labels: cases.map(({ label }) => label), probabilities };
  };
  return { validation: await predicted(bySplit.validation), test: await predicted(bySplit.test) };
}

/** All cases, or about `count` of them: of each class the same share, drawn by the seed, at least one. */
function chooseCases(cases: readonly CohortCase[], count: number | undefined, seed: number): CohortCase[] {
  if (count === undefined || count >= cases.length) return [...cases];
  const chosen = new Set(
    [0, 1].flatMap((label) => {
      const own = cases.filter((each) => each.label === label);
      const share = Math.max(1, Math.round((count * own.length) / cases.length));
      return caseStream(seed, `cases of class ${label}`).shuffle(own).slice(0, share);
    }),
  );
  return cases.filter((each) => chosen.has(each));
}
