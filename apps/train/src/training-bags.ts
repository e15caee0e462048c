import { type RandomState, RandomStream } from '@onco-response/engine';
import type { PrefixTokens } from '@onco-response/response-model';
import type { AugmentedTokens } from './augmented-tokens.js';
import type { CaseTokens } from './case-tokens.js';

/**
 * What a step sees of its training cases: which variant of each, and which of its slices. Both are drawn, from streams of
 * their own, in the order of the batch.
 */
export class TrainingBags {
  readonly #tokens: Pick<CaseTokens, 'read'>;
  readonly #augmented: AugmentedTokens | undefined;
  readonly #slicesPerStep: number | null;
  readonly #slices: RandomStream;
  readonly #variants: RandomStream;

  constructor({
    tokens,
    augmented,
    slicesPerStep,
    seed,
  }: {
    /** The cases as they are. */
    tokens: Pick<CaseTokens, 'read'>;
    augmented?: AugmentedTokens | undefined;
    /** A random part of a case's slices; null = all. */
    slicesPerStep: number | null;
    seed: number;
  }) {
    this.#tokens = tokens;
    this.#augmented = augmented;
    this.#slicesPerStep = slicesPerStep;
    this.#slices = new RandomStream(seed, 'slices of a step');
    this.#variants = new RandomStream(seed, 'augmentation');
  }

  /** Bags in the order of the cases. */
  async read(caseIds: readonly string[]): Promise<PrefixTokens[]> {
    const readers = caseIds.map((caseId) => this.#draw(caseId)); // before anything is waited for
    let bags: PrefixTokens[] = [];
    if (this.#augmented?.kind === 'fresh') {
      for (const read of readers) bags.push(await read()); // one volume in memory at a time
    } else {
      bags = await Promise.all(readers.map((read) => read()));
    }
    return bags.map((bag) => chooseSlices(bag, this.#slicesPerStep, this.#slices));
  }

  #draw(caseId: string): () => Promise<PrefixTokens> {
    const augmented = this.#augmented;
    if (augmented?.kind === 'fresh') {
      const random = new RandomStream(this.#variants.bits(), 'fresh variant');
      return () => augmented.compute(caseId, random);
    }
    const copy = augmented ? this.#variants.integer(augmented.count + 1) : 0;
    return () => (augmented && copy > 0 ? augmented.read(caseId, copy) : this.#tokens.read(caseId));
  }

  /** From which the draws of the next step follow. */
  state(): { slices: RandomState; variants: RandomState } {
    return { slices: this.#slices.state(), variants: this.#variants.state() };
  }

  restore({ slices, variants }: { slices: RandomState; variants: RandomState }): void {
    this.#slices.restore(slices);
    this.#variants.restore(variants);
  }
}

/** A random part of a case's slices, in their order; all of them where there are no more than `count`. */
function chooseSlices(bag: PrefixTokens, count: number | null, random: RandomStream): PrefixTokens {
  const [slices, tokenCount, width] = bag.shape;
  if (count === null || slices <= count) return bag;
  const chosen = random
    .shuffle(Array.from({ length: slices }, (_, i) => i))
    .slice(0, count)
    .sort((a, b) => a - b);
  const perSlice = tokenCount * width;
  const data = new Float32Array(count * perSlice);
  chosen.forEach((slice, i) => {
    data.set(bag.data.subarray(slice * perSlice, (slice + 1) * perSlice), i * perSlice);
  });
  return { data, shape: [count, tokenCount, width] };
}
