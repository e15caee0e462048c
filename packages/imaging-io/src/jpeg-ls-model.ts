import type { JpegHeader } from './jpeg-header.js';

/** What a JPEG-LS scan is coded with (T.87 A.2 and C.2.4.1). */
export interface JpegLsParameters {
  readonly maximum: number;
  readonly near: number;
  readonly thresholds: readonly [number, number, number];
  readonly reset: number;
  readonly range: number;
  readonly rangeBits: number;
  /** Longest code in bits. */
  readonly limit: number;
}

/** The parameters of a scan; undefined where they contradict each other. */
export function jpegLsParameters({ precision, preset, scan }: JpegHeader): JpegLsParameters | undefined {
  const maximum = preset?.maximum || 2 ** precision - 1;
  const near = scan.start;
  const usual = usualThresholds(maximum, near);
  const thresholds = usual.map((value, at) => preset?.thresholds[at] || value) as [number, number, number];
  const reset = preset?.reset || 64;
  const range = Math.floor((maximum + 2 * near) / (2 * near + 1)) + 1;
  const bits = Math.max(2, Math.ceil(Math.log2(maximum + 1)));
  const [first, second, third] = thresholds;
  const sound =
    maximum < 2 ** precision &&
    near <= Math.min(255, maximum >> 1) &&
    first > near &&
    second >= first &&
    third >= second &&
    third <= maximum &&
    reset >= 3;
  if (!sound) return undefined;
  const rangeBits = Math.ceil(Math.log2(range));
  return { maximum, near, thresholds, reset, range, rangeBits, limit: 2 * (bits + Math.max(8, bits)) };
}

/** T.87 C.2.4.1.1.1. */
function usualThresholds(maximum: number, near: number): [number, number, number] {
  const clamp = (value: number, lowest: number): number =>
    value > maximum || value < lowest ? lowest : value;
  if (maximum >= 128) {
    const factor = Math.floor((Math.min(maximum, 4095) + 128) / 256);
    const first = clamp(factor + 2 + 3 * near, near + 1);
    const second = clamp(4 * factor + 3 + 5 * near, first);
    return [first, second, clamp(17 * factor + 4 + 7 * near, second)];
  }
  const factor = Math.floor(256 / (maximum + 1));
  const first = clamp(Math.max(2, Math.floor(3 / factor) + 3 * near), near + 1);
  const second = clamp(Math.max(3, Math.floor(7 / factor) + 5 * near), first);
  return [first, second, clamp(Math.max(4, Math.floor(21 / factor) + 7 * near), second)];
}

/** Contexts of regular mode: 0 to 364; of interrupted runs: 365 and 366. */
const CONTEXTS = 367;

/** What has been learnt in each context: A, B, C and N of T.87. */
export class JpegLsModel {
  readonly size: Int32Array;
  readonly bias = new Int32Array(CONTEXTS);
  readonly correction = new Int32Array(CONTEXTS);
  readonly count = new Int32Array(CONTEXTS).fill(1);
  /** Negative errors of interrupted runs. */
  readonly negative = new Int32Array(CONTEXTS);
  readonly #reset: number;

  constructor({ range, reset }: JpegLsParameters) {
    this.size = new Int32Array(CONTEXTS).fill(Math.max(2, (range + 32) >> 6));
    this.#reset = reset;
  }

  /** The Golomb parameter for errors of this size. */
  golomb(context: number, size: number): number {
    let bits = 0;
    while (this.count[context]! << bits < size && bits < 16) bits++;
    return bits;
  }

  /** T.87 A.6. */
  learn(context: number, error: number, step: number): void {
    let bias = this.bias[context]! + error * step;
    this.size[context]! += Math.abs(error);
    if (this.count[context] === this.#reset) {
      this.size[context]! >>= 1;
      this.count[context]! >>= 1;
      bias >>= 1;
    }
    const count = ++this.count[context]!;
    if (bias <= -count) {
      bias = Math.max(bias + count, 1 - count);
      if (this.correction[context]! > -128) this.correction[context]!--;
    } else if (bias > 0) {
      bias = Math.min(bias - count, 0);
      if (this.correction[context]! < 127) this.correction[context]!++;
    }
    this.bias[context] = bias;
  }

  /** T.87 A.7.2: after an interrupted run. */
  learnRun(context: number, error: number, grown: number): void {
    if (error < 0) this.negative[context]!++;
    this.size[context]! += grown;
    if (this.count[context] === this.#reset) {
      this.size[context]! >>= 1;
      this.count[context]! >>= 1;
      this.negative[context]! >>= 1;
    }
    this.count[context]!++;
  }
}
