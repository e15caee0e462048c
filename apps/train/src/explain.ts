import { join } from 'node:path';
import type { CohortCase } from '@onco-response/cohort';
import { Progress } from '@onco-response/command-line/node';
import {
  type ExplanationMap,
  encodePng,
  type NearestCases,
  type SanityCheck,
  type VariableImportance,
} from '@onco-response/report';
import { clinicalImportance } from './explain-importance.js';
import {
  type ExplainedCase,
  gradientMap,
  rolloutMap,
  type SanityRow,
  sanityCheck,
  sanityMaps,
} from './explain-maps.js';
import { nearestCases, type Placed } from './explain-neighbours.js';
import {
  type FinishedTrial,
  openRun,
  openTrial,
  predictKept,
  trialClinical,
  trialImages,
} from './finished-run.js';
import { heatMap, sheet, smoothed } from './heat-map.js';
import { describeTrial } from './study-plan.js';
import { markdownTable } from './table.js';
import { TrainError } from './train-error.js';
import { writeOutput } from './write-output.js';

export interface ExplainOptions {
  run: string;
  /** Where the results go; `explain` in the run's folder unless given. */
  out?: string | undefined;
  variant?: string | undefined;
  /** Which of the variant's trials, from 0: one model is explained, with its own test cases. */
  trial?: number;
  /** So many of the best, of the worst and of the most uncertain cases. */
  cases?: number;
  /** So many of the most attended slices of each. */
  slices?: number;
  /** Points of the path of integrated gradients. */
  steps?: number;
  /** So many cases whose maps are checked against random weights. */
  checked?: number;
  /** Shuffles of each clinical column. */
  repeats?: number;
  seed?: number;
  threads?: number | undefined;
  interrupted?: () => boolean;
}

/** A map as the report takes it, but for the picture, which is a file beside `explain.json`. */
export interface ExplainedMap extends Omit<ExplanationMap, 'image'> {
  file: string;
  /** Logit of the case less its logit with this slice blank, and what the map's sum lacks of it. */
  logitChange?: number;
  completenessError?: number;
}

export interface ExplainedPage {
  caseLabel: string;
  kind: 'best' | 'worst' | 'most uncertain';
  label: 0 | 1;
  probability: number;
  /** A slice a row: the slice, integrated gradients, attention rollout. */
  sheet: string;
  attention: { sliceIndex: number; weight: number }[];
}

/** `explain.json`. */
export interface ExplainResult {
  name: string;
  synthetic: boolean;
  model: string;
  threshold: number;
  seed: number;
  steps: number;
  baseline: string;
  cases: ExplainedPage[];
  maps: ExplainedMap[];
  /** Each method with everything made random that can be; `sanityStages` has the way there, and the slices that were used. */
  sanityChecks: SanityCheck[];
  sanityStages: (SanityRow & { slices: number })[];
  nearest: NearestCases[];
  similarityName: string;
  /** Of the nearest training cases of all test cases. */
  sameLabelAmongNearest: number;
  importance?: (VariableImportance & { deviation: number })[];
  importanceNote?: string;
}

/** Rank correlation with a random model's map above which a map is taken to show the image, not the model. A limit of ours. */
const SANITY_LIMIT = 0.5;
const NEIGHBOURS = 5;

interface Ranked {
  each: CohortCase;
  kind: ExplainedPage['kind'];
  probability: number;
  attention: number[];
  embedding: Float32Array;
}

/**
 * Why a finished run says what it says: maps of the most attended slices of the best, the worst and the most uncertain test
 * cases, what is left of those maps when the weights are random, the nearest training cases, and what clinical columns are worth.
 * Writes `explain.json` and PNGs.
 *
 * @returns a summary, as Markdown
 * @throws TrainError as `openRun`; NO_TRIAL; INTERRUPTED (nothing is kept)
 */
export async function explainRun({
  run,
  out = join(run, 'explain'),
  variant,
  trial: index = 0,
  cases = 2,
  slices = 2,
  steps = 50,
  checked = 2,
  repeats = 5,
  seed = 0,
  threads,
  interrupted = () => false,
}: ExplainOptions): Promise<string> {
  const finished = await openRun(run, variant);
  const given = finished.trials[index];
  if (!given) {
    throw new TrainError({
      code: 'NO_TRIAL',
      message: `${run}: variant ${finished.variant} has ${finished.trials.length} trials, 0 to ${finished.trials.length - 1}: give one of them as --trial`,
    });
  }
  const trial = await openTrial(finished.plan, given, { interrupted, threads });
  const stopIfAsked = () => {
    if (interrupted()) {
      throw new TrainError({ code: 'INTERRUPTED', message: 'stopped; the same command starts over' });
    }
  };
  try {
    const { train, test } = trial.bySplit;
    const progress = new Progress('embeddings', train.length + test.length);
    const predict = async (own: readonly CohortCase[]) => {
      const said: (Awaited<ReturnType<typeof predictKept>> & { each: CohortCase })[] = [];
      for (const each of own) {
        stopIfAsked();
        said.push({ each, ...(await predictKept(trial, each)) });
        progress.advance();
      }
      return said;
    };
    const placed: Placed[] = (await predict(train)).map(({ each, embedding }) => ({
      caseId: each.caseId,
      label: each.label,
      embedding,
    }));
    const said = await predict(test);
    progress.stop();
    const all = said.map(({ each, logit, attention, embedding }) => ({
      each,
      attention,
      embedding,
      probability: trial.probability(logit),
    }));
    const ranked = rank(all, trial.result.threshold, cases);
    const pages = await explainCases(trial, ranked, { out, slices, steps, checked, seed, stopIfAsked });
    const sanityStages = meanRows(pages.flatMap(({ sanity }) => sanity));
    const neighbours = all.map(({ each, embedding }) => ({
      label: each.label,
      nearest: nearestCases(embedding, placed, NEIGHBOURS),
    }));
    const agree = neighbours.flatMap(({ label, nearest }) =>
      nearest.map((one) => Number(one.label === label)),
    );
    const importance = await importanceOf(trial, test, { repeats, seed });
    const { study } = trial.trial;
    const result: ExplainResult = {
      name: study.name,
      synthetic: finished.plan.origin !== undefined,
      model: describeTrial(trial.trial),
      threshold: trial.result.threshold,
      seed,
      steps,
      baseline:
        'a blank slice, the minimum of the window everywhere (what is blank already, such as all around the lesion with maskedCt, gets no part); the other slices as they are',
      cases: pages.map(({ page }) => page),
      maps: pages.flatMap(({ maps }) => maps),
      sanityChecks: lastStages(sanityStages),
      sanityStages,
      nearest: ranked.map(({ each, probability, embedding }) => ({
        caseLabel: each.caseId,
        label: each.label,
        probability,
        neighbours: nearestCases(embedding, placed, NEIGHBOURS),
      })),
      similarityName: 'cosine similarity of the embeddings',
      sameLabelAmongNearest: agree.reduce((sum, value) => sum + value, 0) / agree.length,
      ...(importance && {
        importance: importance.importance,
        importanceNote: `${repeats} shuffles among ${test.length} test cases; limits are the smallest and the largest of them`,
      }),
    };
    await writeOutput(join(out, 'explain.json'), `${JSON.stringify(result, null, 2)}\n`);
    return summary(result);
  } finally {
    trial.model.dispose();
  }
}

/** The surest right, the surest wrong and the least certain cases; a case is named once. */
function rank(all: readonly Omit<Ranked, 'kind'>[], threshold: number, count: number): Ranked[] {
  const ofTruth = ({ each, probability }: Omit<Ranked, 'kind'>) =>
    each.label === 1 ? probability : 1 - probability;
  const isRight = ({ each, probability }: Omit<Ranked, 'kind'>) =>
    Number(probability >= threshold) === each.label;
  const taken = new Set<string>();
  const take = (kind: Ranked['kind'], own: readonly Omit<Ranked, 'kind'>[]) =>
    own
      .filter(({ each }) => !taken.has(each.caseId))
      .slice(0, count)
      .map((one) => {
        taken.add(one.each.caseId);
        return { ...one, kind };
      });
  const byTruth = [...all].sort((a, b) => ofTruth(b) - ofTruth(a));
  const undecided = [...all].sort(
    (a, b) => Math.abs(a.probability - threshold) - Math.abs(b.probability - threshold),
  );
  return [
    ...take('best', byTruth.filter(isRight)),
    ...take('worst', byTruth.filter((one) => !isRight(one)).reverse()),
    ...take('most uncertain', undecided),
  ];
}

async function explainCases(
  trial: FinishedTrial,
  ranked: readonly Ranked[],
  {
    out,
    slices: count,
    steps,
    checked,
    seed,
    stopIfAsked,
  }: { out: string; slices: number; steps: number; checked: number; seed: number; stopIfAsked: () => void },
) {
  const { model } = trial;
  const checkSteps = Math.min(16, steps);
  const points =
    ranked.length * count * steps + Math.min(checked, ranked.length) * sanityMaps(model) * checkSteps;
  const progress = new Progress('maps', points);
  const pages: { page: ExplainedPage; maps: ExplainedMap[]; sanity: SanityRow[] }[] = [];
  try {
    for (const [position, { each, kind, probability, attention }] of ranked.entries()) {
      const { volume, lesion } = await trialImages(trial, each);
      const slices = model.slices(volume, lesion);
      const explained: ExplainedCase = {
        model,
        slices,
        embeddings: await model.sliceEmbeddings(await model.prefixTokens(slices)),
        clinical: trialClinical(trial, each),
      };
      const chosen = attention
        .map((weight, slice) => ({ weight, slice }))
        .sort((a, b) => b.weight - a.weight)
        .slice(0, count);
      const size = slices.imageSize;
      const maps: ExplainedMap[] = [];
      const rows = [];
      const advance = (done: number) => {
        progress.advance(done, each.caseId);
        stopIfAsked();
      };
      for (const { slice, weight } of chosen) {
        const part = <T extends Uint8Array>(values: T) =>
          values.subarray(slice * size * size, (slice + 1) * size * size);
        const [grey, mask] = [part(slices.windowed), part(slices.lesion)];
        const gradients = await gradientMap(explained, slice, { steps, advance });
        const rollout = await rolloutMap(explained, slice);
        const sizes = gradients.values.map(Math.abs);
        const pictures = [
          heatMap(grey, mask, size),
          heatMap(grey, mask, size, smoothed(sizes, size, Math.round(size / 56))),
          // DINOv2 has a few patches that draw most of the attention, wherever they are (Darcet et al. 2023).
          heatMap(grey, mask, size, rollout, 0.95),
        ] as const;
        rows.push(pictures);
        const index = slices.sliceIndices[slice] as number;
        const named = [
          { method: 'integrated gradients', values: sizes, picture: pictures[1] },
          { method: 'attention rollout', values: rollout, picture: pictures[2] },
        ];
        for (const { method, values, picture } of named) {
          const file = `${each.caseId}-slice-${index}-${method.replaceAll(' ', '-')}.png`;
          await writeOutput(join(out, file), encodePng(picture));
          maps.push({
            caseLabel: each.caseId,
            method,
            sliceIndex: index,
            file,
            attention: weight,
            insideLesion: shareInside(values, mask),
            ...(method === 'integrated gradients' && {
              logitChange: gradients.total,
              completenessError: gradients.delta,
            }),
          });
        }
      }
      const file = `${each.caseId}.png`;
      await writeOutput(join(out, file), encodePng(sheet(rows, Math.max(1, Math.round(336 / size)))));
      const sanity: SanityRow[] =
        position < checked
          ? await sanityCheck(explained, chosen[0]!.slice, { seed, steps: checkSteps, advance })
          : [];
      const weights = slices.sliceIndices.map((sliceIndex, s) => ({
        sliceIndex,
        weight: attention[s] as number,
      }));
      pages.push({
        page: {
          caseLabel: each.caseId,
          kind,
          label: each.label,
          probability,
          sheet: file,
          attention: weights,
        },
        maps,
        sanity,
      });
    }
  } finally {
    progress.stop();
  }
  return pages;
}

function shareInside(values: ArrayLike<number>, lesion: Uint8Array): number {
  let [inside, total] = [0, 0];
  for (let at = 0; at < lesion.length; at++) {
    total += values[at]!;
    if (lesion[at] !== 0) inside += values[at]!;
  }
  return total > 0 ? inside / total : 0;
}

/** The mean over cases of each method and stage, in the order of the stages. */
function meanRows(rows: readonly SanityRow[]): (SanityRow & { slices: number })[] {
  const keys = [...new Set(rows.map(({ method, randomised }) => JSON.stringify([method, randomised])))];
  return keys.map((key) => {
    const [method, randomised] = JSON.parse(key) as [string, string];
    const own = rows.filter((row) => row.method === method && row.randomised === randomised);
    const correlation = own.reduce((sum, row) => sum + row.correlation, 0) / own.length;
    return { method, randomised, correlation, slices: own.length };
  });
}

/** Only a model that is random as a whole has to have other maps: a random head leaves the attention of the blocks as it is. */
function lastStages(stages: readonly SanityRow[]): SanityCheck[] {
  const last = new Map(stages.map((row) => [row.method, row]));
  return [...last.values()].map(({ method, correlation }) => ({
    method,
    randomised: 'everything but the embedding of patches',
    correlation,
    passed: correlation < SANITY_LIMIT,
    limit: SANITY_LIMIT,
  }));
}

async function importanceOf(
  trial: FinishedTrial,
  test: readonly CohortCase[],
  options: { repeats: number; seed: number },
) {
  if (trial.model.recipe.clinical.length === 0) return undefined;
  const embeddings: Float32Array[] = [];
  for (const { caseId } of test)
    embeddings.push(await trial.model.sliceEmbeddings(await trial.tokens.read(caseId)));
  return clinicalImportance(trial, test, embeddings, options);
}

function summary({
  synthetic,
  cases,
  maps,
  sanityStages,
  importance,
  sameLabelAmongNearest,
}: ExplainResult): string {
  const inside = (caseLabel: string, method: string) => {
    const own = maps.filter((map) => map.caseLabel === caseLabel && map.method === method);
    return `${((100 * own.reduce((sum, { insideLesion }) => sum + (insideLesion as number), 0)) / own.length).toFixed(0)}%`;
  };
  return [
    ...(synthetic ? ['SYNTHETIC cases', ''] : []),
    markdownTable([
      ['case', '', 'label', 'probability', 'gradients inside the lesion', 'rollout inside the lesion'],
      ...cases.map(({ caseLabel, kind, label, probability }) => [
        caseLabel,
        kind,
        String(label),
        probability.toFixed(3),
        inside(caseLabel, 'integrated gradients'),
        inside(caseLabel, 'attention rollout'),
      ]),
    ]),
    '',
    markdownTable([
      ['map', 'made random, with all above', 'rank correlation', 'depends on the model'],
      ...sanityStages.map(({ method, randomised, correlation }, i) => [
        method,
        randomised,
        correlation.toFixed(2),
        sanityStages[i + 1]?.method === method ? '' : correlation < SANITY_LIMIT ? 'yes' : 'NOT SHOWN',
      ]),
    ]),
    '',
    `${(100 * sameLabelAmongNearest).toFixed(0)}% of the ${NEIGHBOURS} nearest training cases have the test case's label`,
    ...(importance
      ? [
          '',
          markdownTable([
            ['shuffled', 'AUC lost'],
            ...importance.map(({ variable, aucDrop }) => [variable, aucDrop.toFixed(3)]),
          ]),
        ]
      : []),
  ].join('\n');
}
