import { ImagingError } from './imaging-error.js';
import type { JpegHeader } from './jpeg-header.js';
import { JpegLsBits } from './jpeg-ls-bits.js';
import { JpegLsModel, type JpegLsParameters, jpegLsParameters } from './jpeg-ls-model.js';

/** Log2 of the run lengths that one bit stands for (T.87 table A.3). */
// biome-ignore format: a table
const RUN_BITS = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

const INTERRUPTED = 365;

/**
 * JPEG-LS of one component, lossless and near-lossless (ITU-T T.87). CharLS's WebAssembly build is not used, since it runs
 * for seconds on a hundred bytes that are cut off.
 * @throws ImagingError TRUNCATED, CORRUPT, UNSUPPORTED
 */
export function decodeJpegLs(encoded: Uint8Array, header: JpegHeader, name: string): Uint16Array {
  const parameters = jpegLsParameters(header);
  if (parameters === undefined) {
    throw new ImagingError({ code: 'CORRUPT', message: `${name} has a damaged JPEG-LS header` });
  }
  if (header.scan.low !== 0 || header.restartInterval !== 0) {
    throw new ImagingError({
      code: 'UNSUPPORTED',
      message: `${name} has JPEG-LS data with a point transform or restarts, which are not read`,
    });
  }
  const scan = new Scan(new JpegLsBits(encoded, header.scan.dataOffset, name), parameters, name);
  const { rows, columns } = header;
  const samples = new Uint16Array(rows * columns);
  // a sample on each side: what lies beyond the edges
  let above = new Int32Array(columns + 2);
  let line = new Int32Array(columns + 2);
  for (let row = 0; row < rows; row++) {
    above[columns + 1] = above[columns]!;
    line[0] = above[1]!;
    scan.line(line, above, columns);
    samples.set(line.subarray(1, columns + 1), row * columns);
    [above, line] = [line, above];
  }
  return samples;
}

class Scan {
  readonly #bits: JpegLsBits;
  readonly #model: JpegLsModel;
  readonly #parameters: JpegLsParameters;
  /** 2 near + 1: the distance of values that are told apart. */
  readonly #step: number;
  readonly #name: string;
  #runIndex = 0;

  constructor(bits: JpegLsBits, parameters: JpegLsParameters, name: string) {
    this.#bits = bits;
    this.#parameters = parameters;
    this.#model = new JpegLsModel(parameters);
    this.#step = 2 * parameters.near + 1;
    this.#name = name;
  }

  line(line: Int32Array, above: Int32Array, columns: number): void {
    const { near } = this.#parameters;
    for (let at = 1; at <= columns; ) {
      const [left, up, corner, next] = [line[at - 1]!, above[at]!, above[at - 1]!, above[at + 1]!];
      const [right, down, back] = [next - up, up - corner, corner - left];
      if (Math.abs(right) <= near && Math.abs(down) <= near && Math.abs(back) <= near) {
        at = this.#run(line, above, at, columns);
      } else {
        const context = 81 * this.#level(right) + 9 * this.#level(down) + this.#level(back);
        line[at++] = this.#regular(context, left, up, corner);
      }
    }
  }

  /** T.87 A.3.3. */
  #level(gradient: number): number {
    const { near, thresholds } = this.#parameters;
    const size = Math.abs(gradient);
    if (size <= near) return 0;
    const level = size < thresholds[0] ? 1 : size < thresholds[1] ? 2 : size < thresholds[2] ? 3 : 4;
    return gradient < 0 ? -level : level;
  }

  #regular(signedContext: number, left: number, up: number, corner: number): number {
    const { near, maximum, limit } = this.#parameters;
    const model = this.#model;
    const sign = signedContext < 0 ? -1 : 1;
    const context = Math.abs(signedContext);
    const edge =
      corner >= Math.max(left, up)
        ? Math.min(left, up)
        : corner <= Math.min(left, up)
          ? Math.max(left, up)
          : left + up - corner;
    const predicted = Math.min(Math.max(edge + sign * model.correction[context]!, 0), maximum);
    const golomb = model.golomb(context, model.size[context]!);
    const mapped = this.#code(golomb, limit);
    const turned = near === 0 && golomb === 0 && 2 * model.bias[context]! <= -model.count[context]!;
    const odd = mapped & 1;
    const error = turned
      ? odd
        ? (mapped - 1) >> 1
        : -(mapped >> 1) - 1
      : odd
        ? -((mapped + 1) >> 1)
        : mapped >> 1;
    model.learn(context, error, this.#step);
    return this.#sample(predicted + sign * error * this.#step);
  }

  /** Fills a run and the sample that interrupts it; returns where the line goes on. */
  #run(line: Int32Array, above: Int32Array, start: number, columns: number): number {
    const value = line[start - 1]!;
    let at = start;
    while (at <= columns) {
      const bits = RUN_BITS[this.#runIndex]!;
      const whole = this.#bits.number(1) === 1;
      const length = whole ? Math.min(1 << bits, columns + 1 - at) : this.#bits.number(bits);
      if (at + length > columns + (whole ? 1 : 0)) this.#fail();
      line.fill(value, at, at + length);
      at += length;
      if (!whole) {
        line[at] = this.#interruption(value, above[at]!, bits);
        if (this.#runIndex > 0) this.#runIndex--;
        return at + 1;
      }
      if (length === 1 << bits && this.#runIndex < 31) this.#runIndex++;
    }
    return at;
  }

  #interruption(left: number, up: number, runBits: number): number {
    const { near, limit } = this.#parameters;
    const model = this.#model;
    const alike = Math.abs(left - up) <= near ? 1 : 0;
    const context = INTERRUPTED + alike;
    const count = model.count[context]!;
    const golomb = model.golomb(context, model.size[context]! + (alike ? count >> 1 : 0));
    const mapped = this.#code(golomb, limit - runBits - 1);
    const doubled = mapped + alike;
    const odd = (doubled & 1) === 1;
    const size = (doubled + 1) >> 1;
    const negativeWhereOdd = golomb !== 0 || 2 * model.negative[context]! >= count;
    const error = odd === negativeWhereOdd ? -size : size;
    model.learnRun(context, error, (mapped + 1 - alike) >> 1);
    const sign = alike === 0 && left > up ? -1 : 1;
    return this.#sample((alike ? left : up) + sign * error * this.#step);
  }

  /** Limited-length Golomb code (T.87 A.5.3). */
  #code(golomb: number, limit: number): number {
    const { rangeBits } = this.#parameters;
    const longest = limit - rangeBits - 1;
    const zeros = this.#bits.zeros(longest);
    return zeros < longest
      ? zeros * (1 << golomb) + this.#bits.number(golomb)
      : this.#bits.number(rangeBits) + 1;
  }

  /** A value modulo the range. */
  #sample(value: number): number {
    const { near, maximum, range } = this.#parameters;
    let sample = value;
    if (sample < -near) sample += range * this.#step;
    else if (sample > maximum + near) sample -= range * this.#step;
    return Math.min(Math.max(sample, 0), maximum);
  }

  #fail(): never {
    throw new ImagingError({ code: 'CORRUPT', message: `${this.#name} has damaged JPEG-LS data` });
  }
}
