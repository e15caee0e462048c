import {
  type Box,
  boundingBox,
  crop,
  type Grid,
  indexToPhysical,
  type Mask,
  type Mat3,
  type ResampleOptions,
  reorientGrid,
  resample,
  sameGrid,
  type Vec3,
  type Volume,
} from '@onco-response/volume';
import { cropGrid, isWhole, reach, shiftBox, squareAround } from './augmented-part.js';
import { LesionMaskError } from './lesion-mask-error.js';

/** Where random numbers come from, such as the engine's RandomStream. */
export interface RandomSource {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
}

/** How far a case may be changed. Everything is off unless given. */
export interface AugmentCaseOptions {
  /** Mirror left and right in half of the draws. */
  readonly flip?: boolean | undefined;
  /** Turn within the axial plane by up to this angle either way, uniformly. */
  readonly rotateDegrees?: number | undefined;
  /** Scale within the axial plane by 1 - scale to 1 + scale, uniformly; below 1. */
  readonly scale?: number | undefined;
  /** Move within the axial plane by up to this distance along each axis either way, uniformly. */
  readonly shiftMm?: number | undefined;
  /** Add one number of up to this size either way to all voxels, uniformly. */
  readonly intensityShiftHu?: number | undefined;
  /** Add normal noise to every voxel, of a standard deviation from 0 to this, uniformly. */
  readonly noiseHu?: number | undefined;
  /** What lies beyond the volume's edge. Default -1000, air. */
  readonly fillHu?: number | undefined;
  /**
   * Compute only the lesion's slices, and of these the square around the lesion plus this margin: the result lies on
   * that part of the grid. Enough for `lesionSlices` with a lesion box whose `marginMm` is no larger, and many times
   * faster. Default: the whole volume.
   */
  readonly aroundMm?: number | undefined;
}

/** What was drawn for a case. */
export interface Augmentation {
  readonly flipped: boolean;
  readonly degrees: number;
  readonly scale: number;
  /** Along the patient's left and back. */
  readonly shiftMm: readonly [number, number];
  readonly intensityShiftHu: number;
  readonly noiseHu: number;
}

/** A changed case on the grid it came on, or the part of it that `aroundMm` keeps. */
export interface AugmentedCase {
  /** Float32 where anything was changed. */
  readonly volume: Volume;
  readonly mask: Mask;
  readonly applied: Augmentation;
  readonly warnings: string[];
}

/**
 * A random variant of a case, for training: volume and mask are flipped, turned, scaled and moved as one, within the
 * axial plane and about the middle of the lesion's box, in one resampling (CT linear, mask nearest), then the
 * intensities are changed. Slices stay slices: nothing is mixed across them. Size, spacing, origin and direction are
 * those given. The same draws of `stream` give the same variant, and every call draws as many numbers for its
 * geometry, whatever the options; `noiseHu` draws one more a voxel.
 * A whole CT of 512 x 512 x 100 takes seconds; with `aroundMm` a lesion of 4 cm in it takes about a twentieth of that.
 *
 * It changes pixels, so it lies before whatever is computed of them and cached: each variant needs the encoder's frozen
 * blocks again. A fixed set of variants a case can be cached; a fresh one an epoch costs the whole encoder each time.
 * `shiftMm` shows only in the full field: a lesion box follows the mask.
 *
 * Where the moved mask would be empty (a lesion of a few voxels, or moved out), the geometry is left as it was and
 * `warnings` says so.
 *
 * @throws LesionMaskError EMPTY_MASK, GRID_MISMATCH, INVALID_ARGUMENT
 * @example
 * const stream = new RandomStream(7, `augmentation of case ${index}, epoch ${epoch}`); // of @onco-response/engine
 * const { volume, mask } = augmentCase(ct, lesion, { flip: true, rotateDegrees: 15, scale: 0.1, noiseHu: 10 }, stream);
 */
export function augmentCase(
  volume: Volume,
  mask: Mask,
  options: AugmentCaseOptions,
  stream: RandomSource,
): AugmentedCase {
  checkOptions(options);
  if (!sameGrid(volume, mask)) {
    throw new LesionMaskError({
      code: 'GRID_MISMATCH',
      message: 'the mask lies on another grid than the volume: resample it onto the volume first',
    });
  }
  const box = boundingBox(mask);
  if (box === null)
    throw new LesionMaskError({ code: 'EMPTY_MASK', message: 'the mask has no lesion voxel' });
  const middle = [0, 1, 2].map((axis) => (box.minimum[axis]! + box.maximum[axis]!) / 2) as unknown as Vec3;
  const drawn = draw(options, stream);
  const { fillHu: fill = -1000, aroundMm } = options;
  const whole: Box = { minimum: [0, 0, 0], maximum: mask.size.map((n) => n - 1) as unknown as Vec3 };
  const warnings: string[] = [];
  let applied = drawn;
  let part = aroundMm === undefined ? whole : reach(mask, box, drawn);
  const read = <V extends Volume>(given: V, how: ResampleOptions): V => {
    const cut = cropGrid(given, part);
    if (!moves(applied)) return (isWhole(given, part) ? given : crop(given, part)) as V;
    const like = sampledGrid(cut, indexToPhysical(given, middle), applied);
    return { ...cut, data: resample(given, { like }, how).data } as V;
  };
  let lesion = read(mask, nearest);
  let found = boundingBox(lesion);
  if (found === null) {
    warnings.push('the lesion would be lost: this variant keeps the geometry');
    applied = { ...drawn, flipped: false, degrees: 0, scale: 1, shiftMm: [0, 0] };
    part = whole;
    lesion = mask;
    found = box;
  }
  if (aroundMm !== undefined) {
    part = squareAround(mask, shiftBox(found, part.minimum), aroundMm);
    lesion = read(mask, nearest);
  }
  const volumeThere = changeIntensities(read(volume, { interpolation: 'linear', fill }), applied, stream);
  return { volume: volumeThere, mask: lesion, applied, warnings };
}

const nearest = { interpolation: 'nearest' } as const;

/** Always draws the same numbers, so that turning one change on leaves the others as they were. */
function draw(options: AugmentCaseOptions, stream: RandomSource): Augmentation {
  const { flip = false, rotateDegrees = 0, scale = 0, shiftMm = 0 } = options;
  const { intensityShiftHu = 0, noiseHu = 0 } = options;
  const either = (most: number): number => (2 * stream.uniform() - 1) * most;
  const mirrored = stream.uniform() < 0.5;
  return {
    flipped: mirrored && flip,
    degrees: either(rotateDegrees),
    scale: 1 + either(scale),
    shiftMm: [either(shiftMm), either(shiftMm)],
    intensityShiftHu: either(intensityShiftHu),
    noiseHu: stream.uniform() * noiseHu,
  };
}

function moves({ flipped, degrees, scale, shiftMm }: Augmentation): boolean {
  return flipped || degrees !== 0 || scale !== 1 || shiftMm.some((shift) => shift !== 0);
}

/**
 * Where the voxels of the result are read. A point p of the result shows the given point
 * `middle + F R^-1 (p - middle - shift) / scale`, so reading on the grid that this makes of the given one, and putting
 * what was read on the given grid, moves the picture.
 */
function sampledGrid(grid: Grid, middle: Vec3, { flipped, degrees, scale, shiftMm }: Augmentation): Grid {
  const { direction } = reorientGrid(grid, 'LPS');
  const left: Vec3 = [direction[0], direction[3], direction[6]];
  const back: Vec3 = [direction[1], direction[4], direction[7]];
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  const move = (vector: Vec3): Vec3 => {
    const [x, y] = [dot(vector, left), dot(vector, back)];
    const toLeft = (flipped ? -1 : 1) * (cos * x + sin * y) - x;
    const toBack = cos * y - sin * x - y;
    return vector.map((v, axis) => v + toLeft * left[axis]! + toBack * back[axis]!) as unknown as Vec3;
  };
  const columns = [0, 1, 2].map((axis) =>
    move([grid.direction[axis]!, grid.direction[axis + 3]!, grid.direction[axis + 6]!]),
  );
  const lengths = columns.map((column) => Math.hypot(...column));
  const start = grid.origin.map(
    (v, axis) => v - middle[axis]! - shiftMm[0] * left[axis]! - shiftMm[1] * back[axis]!,
  ) as unknown as Vec3;
  return {
    size: grid.size,
    spacing: lengths.map((length, axis) => length * grid.spacing[axis]!) as unknown as Vec3,
    origin: move(start).map((v, axis) => v + middle[axis]!) as unknown as Vec3,
    direction: [0, 1, 2].flatMap((row) =>
      columns.map((column, axis) => column[row]! / lengths[axis]!),
    ) as unknown as Mat3,
  };
}

function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function changeIntensities(
  volume: Volume,
  { intensityShiftHu, noiseHu }: Augmentation,
  stream: RandomSource,
): Volume {
  if (intensityShiftHu === 0 && noiseHu === 0) return volume;
  const data = Float32Array.from(volume.data);
  for (let at = 0; at < data.length; at++) {
    data[at]! += noiseHu === 0 ? intensityShiftHu : intensityShiftHu + noiseHu * stream.normal();
  }
  return { ...volume, data };
}

function checkOptions(options: AugmentCaseOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (name === 'flip' || value === undefined) continue;
    const least = name === 'fillHu' ? Number.NEGATIVE_INFINITY : 0;
    if (Number.isFinite(value) && value >= least && !(name === 'scale' && value >= 1)) continue;
    throw new LesionMaskError({
      code: 'INVALID_ARGUMENT',
      message: `${name} has to be a number ${name === 'scale' ? 'from 0 to below 1' : 'from 0'}, found ${value}`,
    });
  }
}
