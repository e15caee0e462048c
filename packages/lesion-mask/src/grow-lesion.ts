import {
  type Box,
  connectedComponents,
  crop,
  dilate,
  erode,
  fillHoles,
  type Mask,
  physicalToIndex,
  type Vec3,
  type Volume,
  voxelVolumeMm3,
} from '@onco-response/volume';
import { frontLeak } from './front-leak.js';
import { geodesicDistance } from './geodesic-distance.js';
import { limitsFromSeed, type ValueLimits, valueAt } from './lesion-limits.js';
import { LesionMaskError, refuse } from './lesion-mask-error.js';
import { type LesionSeed, type PlacedSeed, placeSeed } from './lesion-seed.js';
import { placeMask } from './mask-part.js';
import { countVoxels, type MaskStep } from './mask-step.js';

export interface GrowLesionOptions {
  /** HU between which a voxel may be lesion, both included; a side left out is guessed from the seed. */
  readonly limits?:
    | { readonly minimum?: number | undefined; readonly maximum?: number | undefined }
    | undefined;
  /** No voxel farther from the seed, or from the line's middle. Default 50 mm, or 0.6 of the line's length. */
  readonly radiusMm?: number | undefined;
  /**
   * What is joined to the lesion by less than about twice this is cut off (erosion, the part at the seed, dilation
   * within what was grown). Default 0, or 0.1 of the line's length, at most 3 mm.
   */
  readonly openingMm?: number | undefined;
  /** A leak that the growing front shows is cut off at its narrowest place, or only reported. Default 'cut'. */
  readonly leak?: 'cut' | 'report' | undefined;
  /** Fill enclosed background afterwards. Default true. */
  readonly fillHoles?: boolean | undefined;
}

export interface GrownLesion {
  /** 0/1, on the volume's grid. */
  readonly mask: Mask;
  readonly volumeMm3: number;
  readonly limits: ValueLimits;
  readonly radiusMm: number;
  /** The front passed a narrow place and grew again, or growth was stopped by the radius. */
  readonly leaked: boolean;
  readonly steps: MaskStep[];
  readonly warnings: string[];
}

/** More than this share of the surface at the radius limit: the limit, not the lesion, gave the outline. */
const STOPPED_BY_RADIUS = 0.05;

/**
 * A lesion mask from a point or a RECIST line, without a network: the voxels within the HU limits that hang together
 * with the seed over faces, no farther than `radiusMm`. Leak control, in this order: the radius; the front (see
 * frontLeak); the opening. Every step is recorded, and what smells of a leak is in `warnings`: look at the result
 * (`lesionContactSheet`). Without leak control it is SimpleITK's ConnectedThreshold. Only the ball around the seed is
 * worked on, so that it answers while a person waits.
 * @throws LesionMaskError NO_LESION where no voxel of the seed lies within the limits; INVALID_ARGUMENT
 * @example
 * const { mask } = growLesion(ct, { line: [[12.5, -80, 41], [31, -74, 41]] }, { limits: { minimum: -400 } });
 */
export function growLesion(
  volume: Volume,
  seed: LesionSeed,
  { limits: given, radiusMm, openingMm, leak = 'cut', fillHoles: filling = true }: GrowLesionOptions = {},
): GrownLesion {
  const placed = placeSeed(volume, seed);
  const isLine = placed.lengthMm > 0;
  const radius = radiusMm ?? (isLine ? 0.6 * placed.lengthMm : 50);
  const opening = openingMm ?? (isLine ? Math.min(0.1 * placed.lengthMm, 3) : 0);
  if (!(Number.isFinite(radius) && radius > 0)) refuse(`radiusMm has to be > 0, found ${radius}`);
  if (!(Number.isFinite(opening) && opening >= 0)) refuse(`openingMm has to be >= 0, found ${opening}`);
  if (leak !== 'cut' && leak !== 'report')
    refuse(`leak has to be 'cut' or 'report', found ${JSON.stringify(leak)}`);
  const guessed =
    given?.minimum === undefined || given.maximum === undefined
      ? limitsFromSeed(volume, seed, placed)
      : undefined;
  const limits = {
    minimum: given?.minimum ?? guessed!.minimum,
    maximum: given?.maximum ?? guessed!.maximum,
  };
  if (!(limits.minimum <= limits.maximum))
    refuse(`limits have to be minimum <= maximum, found ${limits.minimum} and ${limits.maximum}`);

  const steps: MaskStep[] = [];
  const warnings: string[] = [];
  const ball = ballAround(volume, placed, radius);
  const part = crop(volume, ball.box);
  const { size, spacing } = part;
  const seeds = placed.voxels
    .map((voxel) => voxel.map((v, axis) => v - ball.box.minimum[axis]!))
    .map(([x, y, z]) => x! + size[0] * (y! + size[1] * z!));
  const { accepted, beyond } = acceptVoxels(part, ball.centre, radius, limits);
  const distance = geodesicDistance(accepted, size, spacing, seeds);

  let grown: Mask = { ...part, data: nearerThan(distance, Number.POSITIVE_INFINITY) };
  let voxels = 0;
  const done = (step: string, parameters: Record<string, unknown>, data: Uint8Array): void => {
    grown = { ...grown, data };
    const voxelsAfter = countVoxels(data);
    steps.push({ step, parameters, voxelsBefore: voxels, voxelsAfter });
    voxels = voxelsAfter;
  };
  const guess = { minimum: given?.minimum === undefined, maximum: given?.maximum === undefined };
  done('grow', { seed, limits, guessed: guess, radiusMm: radius }, grown.data);
  if (voxels === 0) {
    const values = placed.voxels.map((voxel) => valueAt(volume, voxel));
    throw new LesionMaskError({
      code: 'NO_LESION',
      message: `no lesion was found at the seed: its values run from ${Math.min(...values)} to ${Math.max(...values)}, the limits from ${limits.minimum} to ${limits.maximum}`,
      steps,
    });
  }

  const { surface, stopped } = surfaceAtLimit(grown, beyond);
  const atRadius = stopped > STOPPED_BY_RADIUS * surface;
  if (atRadius) {
    warnings.push(
      `growth was stopped by the radius of ${radius.toFixed(1)} mm at ${Math.round((100 * stopped) / surface)} % of the surface`,
    );
  }
  const shellMm = Math.max(...spacing);
  const narrowest = frontLeak(fronts(distance, shellMm));
  if (narrowest !== null) {
    const beyondMm = (narrowest + 1) * shellMm;
    const what = `the growing front shrank and grew again ${beyondMm.toFixed(1)} mm from the seed`;
    warnings.push(leak === 'cut' ? `${what}: cut off there` : `${what}: it may have leaked`);
    if (leak === 'cut') done('leak', { beyondMm }, nearerThan(distance, beyondMm));
  }
  if (opening > 0) {
    const opened = openAtSeed(grown, opening, seeds);
    if (opened !== null) done('opening', { mm: opening }, opened);
    else
      warnings.push(`the lesion is too thin for an opening of ${opening.toFixed(1)} mm, which was left out`);
  }
  if (filling) done('fillHoles', {}, fillHoles(grown).data);
  return {
    mask: placeMask(grown, ball.box.minimum, volume),
    volumeMm3: voxels * voxelVolumeMm3(volume),
    limits,
    radiusMm: radius,
    leaked: atRadius || narrowest !== null,
    steps,
    warnings,
  };
}

/** The box around the ball, within the volume, and the ball's centre in the box's voxels. */
function ballAround(volume: Volume, { centreMm }: PlacedSeed, radius: number): { box: Box; centre: Vec3 } {
  const middle = physicalToIndex(volume, centreMm);
  const reach = volume.spacing.map((s) => radius / s);
  const minimum = middle.map((v, axis) => Math.max(0, Math.floor(v - reach[axis]!))) as unknown as Vec3;
  const maximum = middle.map((v, axis) =>
    Math.min(volume.size[axis]! - 1, Math.ceil(v + reach[axis]!)),
  ) as unknown as Vec3;
  return {
    box: { minimum, maximum },
    centre: middle.map((v, axis) => v - minimum[axis]!) as unknown as Vec3,
  };
}

/** Voxels within the limits, in the ball (`accepted`) and out of it (`beyond`). */
function acceptVoxels(
  { data, size, spacing }: Volume,
  centre: Vec3,
  radius: number,
  { minimum, maximum }: ValueLimits,
): { accepted: Uint8Array; beyond: Uint8Array } {
  const accepted = new Uint8Array(data.length);
  const beyond = new Uint8Array(data.length);
  const limit = (radius + 1e-6) ** 2;
  for (let z = 0, at = 0; z < size[2]; z++) {
    const dz = ((z - centre[2]) * spacing[2]) ** 2;
    for (let y = 0; y < size[1]; y++) {
      const dyz = dz + ((y - centre[1]) * spacing[1]) ** 2;
      for (let x = 0; x < size[0]; x++, at++) {
        const value = data[at]!;
        if (!(value >= minimum && value <= maximum)) continue;
        const within = dyz + ((x - centre[0]) * spacing[0]) ** 2 <= limit;
        (within ? accepted : beyond)[at] = 1;
      }
    }
  }
  return { accepted, beyond };
}

/** Faces between the mask and what is not mask, and how many of them would have been crossed but for the radius. */
function surfaceAtLimit({ data, size }: Mask, beyond: Uint8Array): { surface: number; stopped: number } {
  const [width, height] = size;
  const plane = width * height;
  let surface = 0;
  let stopped = 0;
  const face = (to: number): void => {
    if (data[to] !== 0) return;
    surface++;
    if (beyond[to] !== 0) stopped++;
  };
  for (let at = 0; at < data.length; at++) {
    if (data[at] === 0) continue;
    const x = at % width;
    const y = Math.floor(at / width) % height;
    if (x > 0) face(at - 1);
    if (x < width - 1) face(at + 1);
    if (y > 0) face(at - width);
    if (y < height - 1) face(at + width);
    if (at >= plane) face(at - plane);
    if (at + plane < data.length) face(at + plane);
  }
  return { surface, stopped };
}

function nearerThan(distance: Float32Array, mm: number): Uint8Array {
  const near = new Uint8Array(distance.length);
  for (let at = 0; at < near.length; at++) if (distance[at]! < mm) near[at] = 1;
  return near;
}

/** Voxels in each shell of `shellMm` around the seed. */
function fronts(distance: Float32Array, shellMm: number): number[] {
  const front: number[] = [];
  for (let at = 0; at < distance.length; at++) {
    const mm = distance[at]!;
    if (mm === Infinity) continue;
    const shell = Math.floor(mm / shellMm);
    while (front.length <= shell) front.push(0);
    front[shell]!++;
  }
  return front;
}

/** Erosion, the component nearest to the seed, dilation within the mask; null where the erosion leaves nothing. */
function openAtSeed(mask: Mask, mm: number, seeds: readonly number[]): Uint8Array | null {
  const { labels, count } = connectedComponents(erode(mask, mm), { connectivity: 6 });
  if (count === 0) return null;
  const hits = new Map<number, number>();
  for (const seed of seeds) {
    const label = labels.data[seed]!;
    if (label !== 0) hits.set(label, (hits.get(label) ?? 0) + 1);
  }
  // the component with most of the seed; the largest where none holds any
  const [best] = [...hits].sort(([a, m], [b, n]) => n - m || a - b)[0] ?? [1];
  const core = new Uint8Array(mask.data.length);
  for (let at = 0; at < core.length; at++) if (labels.data[at] === best) core[at] = 1;
  const opened = dilate({ ...mask, data: core }, mm).data;
  for (let at = 0; at < core.length; at++) if (mask.data[at] === 0) opened[at] = 0;
  return opened;
}
