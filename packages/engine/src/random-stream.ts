/** Everything needed to go on from the same point: the four words of the generator and a kept normal deviate. */
export interface RandomState {
  readonly words: readonly [number, number, number, number];
  readonly spare: number | null;
}

/**
 * A seeded stream of random numbers for one purpose. Streams of one seed and different purposes are independent, so
 * adding a draw to one (say, dropout) never moves another (say, the order of the cases).
 *
 * Generator: xoshiro128** (Blackman and Vigna 2018), its state filled by SplitMix32 from FNV-1a of seed and purpose.
 *
 * @example
 * const order = new RandomStream(7, 'order').shuffle([1, 2, 3, 4]);
 */
export class RandomStream {
  readonly seed: number;
  readonly purpose: string;
  #words: [number, number, number, number];
  #spare: number | null = null;

  constructor(seed: number, purpose = 'default') {
    this.seed = seed;
    this.purpose = purpose;
    let mixed = fnv1a(`${seed}/${purpose}`);
    const next = () => {
      mixed = (mixed + 0x9e3779b9) | 0;
      let z = mixed;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return (z ^ (z >>> 16)) >>> 0;
    };
    this.#words = [next(), next(), next(), next() | 1];
  }

  /** An unsigned 32-bit integer. */
  bits(): number {
    const s = this.#words;
    const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 11);
    return result;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return ((this.bits() >>> 5) * 67108864 + (this.bits() >>> 6)) / 9007199254740992;
  }

  /** Standard normal (Box-Muller). */
  normal(): number {
    if (this.#spare !== null) {
      const kept = this.#spare;
      this.#spare = null;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** A whole number in [0, limit). */
  integer(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const copy = [...items];
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
    }
    return copy;
  }

  /** An independent stream of the same seed. */
  fork(purpose: string): RandomStream {
    return new RandomStream(this.seed, `${this.purpose}/${purpose}`);
  }

  /** The point reached, as JSON. */
  state(): RandomState {
    return { words: [...this.#words], spare: this.#spare };
  }

  /** Goes on from a point that `state()` gave. */
  restore(state: RandomState): void {
    this.#words = [...state.words];
    this.#spare = state.spare;
  }
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
