import { createHash } from 'node:crypto';
import type { CohortCase } from '@onco-response/cohort';
import { Progress } from '@onco-response/command-line/node';
import { RandomStream } from '@onco-response/engine';
import { type AugmentCaseOptions, augmentCase, nameMask } from '@onco-response/lesion-mask';
import type { PrefixTokens, Recipe, ResponseModel } from '@onco-response/response-model';
import type { CaseTokens } from './case-tokens.js';
import type { Study } from './study.js';
import { TrainError } from './train-error.js';

/** Where variants of training cases come from. */
export type AugmentedTokens =
  | {
      kind: 'copies';
      /** Of each case. */
      count: number;
      /** Names of the copies in the cache, case after case. */
      keys: string[];
      warnings: { caseId: string; text: string }[];
      /** Copies are counted from 1. */
      read(caseId: string, copy: number): Promise<PrefixTokens>;
    }
  | {
      kind: 'fresh';
      /** A variant that the stream decides, through the frozen blocks now. */
      compute(caseId: string, random: RandomStream): Promise<PrefixTokens>;
    };

export interface AugmentedTokensOptions {
  augmentation: Study['augmentation'];
  /** Training cases only. */
  train: readonly CohortCase[];
  /** Prepared with these cases. */
  tokens: CaseTokens;
  model: ResponseModel;
  /** Draws the copies. */
  seed: number;
  interrupted: () => boolean;
}

/** Changes whenever the same draws would give other tokens. */
const FORMAT = 'augmented-copy-1';

/**
 * The variants of a trial's training cases, or undefined where its study has none. Copies go through the frozen blocks
 * here, unless the cache has them: their key is that of the case as it is, the changes, the seed and the copy's number,
 * so that all folds, all variants with the same input and encoder, and studies with more copies share them. What is drawn
 * follows from seed, content of image and mask, and number: neither the order of the table nor the machine matters.
 *
 * @throws TrainError INTERRUPTED between two copies; errors of imaging-io and lesion-mask
 */
export async function augmentedTokens(options: AugmentedTokensOptions): Promise<AugmentedTokens | undefined> {
  const { augmentation, train, tokens, model, seed, interrupted } = options;
  const { beforePrefix, ...changes } = augmentation;
  if (beforePrefix === 'none') return undefined;
  if (beforePrefix === 'fresh') {
    const cases = new Map(train.map((each) => [each.caseId, each]));
    return {
      kind: 'fresh',
      compute: async (caseId, random) => {
        const each = cases.get(caseId) as CohortCase;
        return (await augmentedCase(each, await tokens.load(each), model, changes, random)).tokens;
      },
    };
  }
  const { copies: count } = beforePrefix;
  const keys = new Map<string, string>();
  const warnings: { caseId: string; text: string }[] = [];
  const progress = new Progress('augmented copies through the frozen blocks', train.length * count);
  try {
    for (const each of train) {
      const { key: own, content } = tokens.facts(each.caseId);
      let read: ReturnType<CaseTokens['load']> | undefined; // once for all copies, and only where one is missing
      for (let copy = 1; copy <= count; copy++) {
        if (interrupted()) {
          throw new TrainError({
            code: 'INTERRUPTED',
            message: 'stopped; the same command goes on from here',
          });
        }
        const key = createHash('sha256')
          .update(JSON.stringify([FORMAT, own, changes, seed, copy]))
          .digest('hex');
        const facts = await tokens.keep(key, async () => {
          read ??= tokens.load(each);
          const random = new RandomStream(seed, `augmented copy ${copy} of ${content}`);
          return augmentedCase(each, await read, model, changes, random);
        });
        warnings.push(...facts.warnings.map((text) => ({ caseId: each.caseId, text: `a copy: ${text}` })));
        keys.set(nameOf(each.caseId, copy), key);
        progress.advance();
      }
    }
  } finally {
    progress.stop();
  }
  return {
    kind: 'copies',
    count,
    keys: [...keys.values()],
    warnings,
    read: (caseId, copy) => tokens.readKept(keys.get(nameOf(caseId, copy)) as string, caseId),
  };
}

const nameOf = (caseId: string, copy: number) => `${caseId} ${copy}`;

async function augmentedCase(
  each: CohortCase,
  { volume, lesion }: Awaited<ReturnType<CaseTokens['load']>>,
  model: ResponseModel,
  changes: AugmentCaseOptions,
  random: RandomStream,
) {
  const { slices, applied, warnings } = await nameMask(each.mask as string, () => {
    const varied = augmentCase(volume, lesion, { ...changes, ...surroundings(model.recipe) }, random);
    return { ...varied, slices: model.slices(varied.volume, varied.mask) };
  });
  return { tokens: await model.prefixTokens(slices), facts: { applied, warnings } };
}

/** How much of the volume the encoder's input needs: with a lesion box its margin, many times faster than all of it. */
function surroundings({ input }: Pick<Recipe, 'input'>): Pick<AugmentCaseOptions, 'aroundMm'> {
  const { field, marginMm, spacing, channels } = input;
  // On a coarser grid a slice's neighbours may lie beyond what is kept of the volume.
  if (field === 'full' || (spacing !== null && channels === 'neighbours')) return {};
  // The box is cut on the grid that is resampled to, of which a voxel at either side may be needed.
  return { aroundMm: marginMm + (spacing === null ? 0 : 2 * Math.max(...spacing)) };
}
