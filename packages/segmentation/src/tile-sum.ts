import { halfValues, toHalf } from './half-float.js';
import { SegmentationError } from './segmentation-error.js';

/**
 * The weighted sum of overlapping tiles, and of their weights, for as many planes as a tile is deep: tiles come in the
 * order of the first axis, and a plane that no later tile reaches is taken out. So memory does not grow with the number of
 * planes. Sums are float16, rounded after each addition: that is what nnU-Net does, and half of the memory.
 */
export class TileSum {
  private readonly values = halfValues();
  private readonly sums: Uint16Array[];
  private readonly weights: Uint16Array;

  /** @param folds networks whose sums are kept apart; @param sharing how many networks add to each */
  constructor(
    private readonly depth: number,
    private readonly height: number,
    private readonly width: number,
    private readonly classes: number,
    folds: number,
    private readonly sharing: number,
  ) {
    const plane = height * width;
    this.sums = Array.from({ length: folds }, () => new Uint16Array(depth * plane * classes));
    this.weights = new Uint16Array(depth * plane);
  }

  /** Adds the logits [d, h, w, classes] of a tile that starts at (z, y, x). */
  add(
    fold: number,
    logits: Float32Array,
    gaussian: Float32Array,
    [d, h, w]: readonly [number, number, number],
    [z, y, x]: readonly [number, number, number],
  ): void {
    const { values, classes } = this;
    const sums = this.sums[fold]!;
    let from = 0;
    for (let i = 0; i < d; i++) {
      const plane = (z + i) % this.depth;
      for (let j = 0; j < h; j++) {
        let to = ((plane * this.height + y + j) * this.width + x) * classes;
        for (let k = 0; k < w; k++) {
          const weight = gaussian[(i * h + j) * w + k]!;
          for (let output = 0; output < classes; output++, to++, from++) {
            sums[to] = toHalf(values[sums[to]!]! + Math.fround(logits[from]! * weight));
          }
        }
      }
    }
  }

  /** Counts the weights of a tile: once, for all networks. */
  addWeights(
    gaussian: Float32Array,
    [d, h, w]: readonly [number, number, number],
    [z, y, x]: readonly [number, number, number],
  ): void {
    const { values, weights } = this;
    let from = 0;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < h; j++) {
        let to = (((z + i) % this.depth) * this.height + y + j) * this.width + x;
        for (let k = 0; k < w; k++, to++, from++) {
          weights[to] = toHalf(values[weights[to]!]! + gaussian[from]!);
        }
      }
    }
  }

  /** Takes plane z out: mean logits over tiles and networks, of rows and columns in `window`, [h, w, classes]. */
  take(
    z: number,
    window: readonly [readonly [number, number], readonly [number, number]],
    folds: number,
  ): Float32Array {
    const { values, classes, weights } = this;
    const [[top, bottom], [left, right]] = window;
    const logits = new Float32Array((bottom - top) * (right - left) * classes);
    const plane = z % this.depth;
    const start = plane * this.height * this.width;
    let to = 0;
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const voxel = start + y * this.width + x;
        const weight = values[weights[voxel]!]!;
        for (let output = 0; output < classes; output++) {
          let sum = 0;
          for (const sums of this.sums) {
            sum = values[toHalf(sum + values[toHalf(values[sums[voxel * classes + output]!]! / weight)]!)]!;
          }
          logits[to++] = folds > 1 ? values[toHalf(sum / folds)]! : sum;
        }
      }
    }
    for (const value of logits) {
      if (Number.isFinite(value)) continue;
      throw new SegmentationError({
        code: 'UNSUPPORTED',
        message: `The network gave ${value} as a logit (or one beyond float16) in plane ${z}: check that the image is in the units that it was trained on.`,
      });
    }
    const end = start + this.height * this.width;
    weights.fill(0, start, end);
    for (const sums of this.sums) sums.fill(0, start * classes, end * classes);
    return logits;
  }

  /** Bytes that a sum takes. */
  static bytes(depth: number, height: number, width: number, classes: number, folds: number): number {
    return 2 * depth * height * width * (classes * folds + 1);
  }

  /** Which sum a network adds to. */
  sumOf(network: number): number {
    return Math.floor(network / this.sharing);
  }
}
