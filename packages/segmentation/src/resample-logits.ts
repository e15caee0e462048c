import { type Shape3, sameShape } from './array-shape.js';
import { halfValues, toHalf } from './half-float.js';
import { type AxisTaps, axisTaps } from './resample-axis.js';
import type { Resampling } from './resampling-plan.js';
import { SegmentationError } from './segmentation-error.js';

/** Takes the logits of one voxel of the wanted array, and its place there. */
export type VoxelSink = (logits: Float32Array, z: number, y: number, x: number) => void;

/**
 * Brings logits to another shape plane by plane, without ever holding all of them: linear interpolation needs two planes.
 * Values are rounded to float16 as nnU-Net's are, whose logits keep their type through `resample_data_or_seg`.
 */
export class LogitResampler {
  private readonly resampling: Resampling;
  private readonly classes: number;
  private readonly sink: VoxelSink;
  private readonly taps: [AxisTaps, AxisTaps, AxisTaps];
  private readonly rounds: boolean;
  private before: Float32Array | undefined;
  private next = 0;

  /** @throws SegmentationError UNSUPPORTED for splines, which nnU-Net's plans do not use for logits */
  constructor(resampling: Resampling, classes: number, sink: VoxelSink) {
    const { from, to, order, apart, orderApart } = resampling;
    if (order === 3 || (apart !== undefined && orderApart === 3)) {
      throw new SegmentationError({
        code: 'UNSUPPORTED',
        message: 'This model resamples its logits with cubic splines; linear and nearest are known here.',
      });
    }
    const taps = (axis: 0 | 1 | 2): AxisTaps =>
      axisTaps(from[axis], to[axis], axis === apart ? orderApart : order);
    this.resampling = resampling;
    this.classes = classes;
    this.sink = sink;
    this.taps = [taps(0), taps(1), taps(2)];
    this.rounds = !sameShape(from, to);
  }

  /** Planes [h, w, classes] have to come in order; each gives the planes that lie up to it. */
  push(z: number, plane: Float32Array): void {
    const [alongZ] = this.taps;
    const last = this.resampling.from[0] - 1;
    for (; this.next < alongZ.to; this.next++) {
      const low = alongZ.first[this.next]!;
      const far = alongZ.width === 2 ? alongZ.weights[2 * this.next + 1]! : 0;
      if ((far > 0 ? Math.min(low + 1, last) : low) > z) break;
      const lower = low === z ? plane : this.before!;
      this.emit(this.next, far === 0 || low === z ? lower : between(lower, plane, 1 - far, far));
    }
    this.before = plane;
  }

  private emit(z: number, plane: Float32Array | Float64Array): void {
    const { classes, sink, rounds } = this;
    const [, alongY, alongX] = this.taps;
    const [, , width] = this.resampling.from as Shape3;
    const values = halfValues();
    const stride = width * classes;
    const logits = new Float32Array(classes);
    const row = new Float64Array(stride);
    for (let y = 0; y < alongY.to; y++) {
      const top = alongY.first[y]! * stride;
      const down = alongY.width === 2 ? alongY.weights[2 * y + 1]! : 0;
      if (down === 0) row.set(plane.subarray(top, top + stride));
      else {
        const up = alongY.weights[2 * y]!;
        for (let at = 0; at < stride; at++)
          row[at] = up * plane[top + at]! + down * plane[top + stride + at]!;
      }
      for (let x = 0; x < alongX.to; x++) {
        const left = alongX.first[x]! * classes;
        const right = alongX.width === 2 ? alongX.weights[2 * x + 1]! : 0;
        for (let output = 0; output < classes; output++) {
          const value =
            right === 0
              ? row[left + output]!
              : alongX.weights[2 * x]! * row[left + output]! + right * row[left + classes + output]!;
          logits[output] = rounds ? values[toHalf(value)]! : value;
        }
        sink(logits, z, y, x);
      }
    }
  }
}

function between(lower: Float32Array, upper: Float32Array, low: number, high: number): Float64Array {
  const mixed = new Float64Array(lower.length);
  for (let at = 0; at < mixed.length; at++) mixed[at] = low * lower[at]! + high * upper[at]!;
  return mixed;
}
