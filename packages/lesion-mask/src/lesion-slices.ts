import {
  type Grid,
  indexToPhysical,
  type Mask,
  physicalToIndex,
  reorientGrid,
  resample,
  sameGrid,
  spacedGrid,
  type Vec3,
  type Volume,
  windowIntensity,
} from '@onco-response/volume';
import { chooseSlices, type SliceChoice } from './choose-slices.js';
import {
  CHANNEL_MODES,
  type ChannelMode,
  INPUT_MODES,
  type InputMode,
  type Plane,
  writePixels,
} from './input-pixels.js';
import { type LesionBox, lesionBox } from './lesion-box.js';
import { LesionMaskError } from './lesion-mask-error.js';
import { lesionOnGrid } from './lesion-on-grid.js';
import { type PlaneCut, resizeNearest, smoothResizer } from './resize-plane.js';
import { type SliceAxis, viewOf } from './slice-axis.js';

export interface LesionSlicesOptions {
  readonly input: InputMode;
  /**
   * 'repeat' shows one slice in all channels; 'neighbours' ("2.5D") the slices below, at and above it, on the grid that
   * is worked on (one `spacing` apart), the volume's outermost slice standing in for what lies beyond. Default 'repeat'.
   */
  readonly channels?: ChannelMode | undefined;
  /**
   * The planes that are looked at: 'axial', or 'acquisition': across the axis with the widest spacing, in which the scan
   * was made (axial where it is not clearly wider, by 5 %). `spacing` is then that of the looked-at planes' x, y and
   * normal. Default 'axial'.
   */
  readonly axis?: SliceAxis | undefined;
  /** The whole plane, or the square box around the lesion plus `marginMm`. */
  readonly field: 'full' | 'lesionBox';
  readonly marginMm: number;
  /** HU shown from black to white. */
  readonly window: { readonly level: number; readonly width: number };
  /** Resample to this spacing first (CT linear, mask nearest), in mm; null keeps the given grid. */
  readonly spacing: Vec3 | null;
  readonly slices: SliceChoice;
  /** Height and width of the result. */
  readonly imageSize: number;
  /** Normalisation of the encoder, per channel. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

export interface LesionSlices {
  /** [S, H, W, 3], normalised. */
  readonly pixels: Float32Array;
  readonly count: number;
  readonly imageSize: number;
  /** Index of each slice along the given volume's axis that the slices lie across (z of an axial volume). */
  readonly sliceIndices: number[];
  /** Position of each slice along its normal, mm. */
  readonly sliceLocationsMm: number[];
  /** [S, H, W], the windowed CT as 0-255, for display. */
  readonly windowed: Uint8Array;
  /** [S, H, W], 0/1. */
  readonly lesion: Uint8Array;
  /** Of the given mask. */
  readonly lesionVolumeMm3: number;
  readonly warnings: string[];
}

/**
 * The slices of a lesion as an encoder sees them. Volume and mask are looked at along the axes nearest to LPS; with
 * `spacing` they are resampled first; the lesion's slices are chosen; each is windowed, cut to its field (a square in
 * mm; beyond the volume lies the window's minimum) and resized (CT bilinear with antialias, mask nearest). Only what
 * the chosen slices show is computed.
 * @throws LesionMaskError GRID_MISMATCH, EMPTY_MASK, INVALID_ARGUMENT
 * @example
 * const { pixels, count } = lesionSlices(ct, mask, options); // [count, 224, 224, 3]
 */
export function lesionSlices(volume: Volume, mask: Mask, options: LesionSlicesOptions): LesionSlices {
  const { labels: _, ...slices } = labelledSlices(volume, mask, options);
  return slices;
}

export interface LabelledSlices extends LesionSlices {
  /** [S, H, W], the mask's labels. */
  readonly labels: Uint8Array;
}

/** lesionSlices with the labels that its lesion has. */
export function labelledSlices(volume: Volume, mask: Mask, options: LesionSlicesOptions): LabelledSlices {
  checkOptions(options);
  if (!sameGrid(volume, mask)) {
    throw new LesionMaskError({
      code: 'GRID_MISMATCH',
      message: `the mask (size ${mask.size.join(' ')}) lies on another grid than the volume (size ${volume.size.join(' ')}): resample it onto the volume first`,
    });
  }
  const { spacing, field, marginMm, imageSize, window, input, channels, mean, std } = options;
  const planes = reorientGrid(volume, viewOf(volume, options.axis));
  const grid = spacing === null ? planes : spacedGrid(planes, spacing);
  const { lesion: onGrid, first, givenVolumeMm3 } = lesionOnGrid(mask, grid);
  const box = lesionBox(onGrid, { marginMm });
  const areas = sliceAreas(onGrid, first[2], field === 'full' ? grid.size[2] : undefined);
  const chosen = chooseSlices(areas.area, options.slices).map((slice) => slice + areas.first);

  const plan = planField(grid, field, box, first);
  const fill = window.level - window.width / 2;
  const size2 = imageSize * imageSize;
  const result = {
    pixels: new Float32Array(chosen.length * size2 * 3),
    count: chosen.length,
    imageSize,
    sliceIndices: chosen.map((slice) => givenIndex(volume, grid, slice)),
    sliceLocationsMm: chosen.map((slice) => location(grid, slice)),
    windowed: new Uint8Array(chosen.length * size2),
    lesion: new Uint8Array(chosen.length * size2),
    labels: new Uint8Array(chosen.length * size2),
    lesionVolumeMm3: givenVolumeMm3,
    warnings: [...plan.warnings],
  };
  const counted = options.slices.choice === 'lesionUniform' || options.slices.choice === 'largestArea';
  if (counted && chosen.length < options.slices.count) {
    result.warnings.push(
      `the lesion has ${chosen.length} slices, fewer than the ${options.slices.count} asked for`,
    );
  }
  const resizeSmooth = smoothResizer(plan.cut, imageSize);
  const computed = new Map<number, LabelledPlane>();
  const planeAt = (slice: number): LabelledPlane => {
    const inVolume = Math.min(Math.max(slice, 0), grid.size[2] - 1);
    const known = computed.get(inVolume);
    if (known) return known;
    const like = planeGrid(grid, plan.start, plan.extent, inVolume);
    const shown = windowIntensity(resample(volume, { like }, { interpolation: 'linear', fill }), window);
    const labels = resample(mask, { like }, { interpolation: 'nearest' }).data;
    const resized = resizeNearest(labels, plan.cut, imageSize);
    const plane = {
      ct: resizeSmooth(shown.data),
      lesion: resized.map((v) => (v === 0 ? 0 : 1)),
      labels: resized,
    };
    computed.set(inVolume, plane);
    return plane;
  };
  chosen.forEach((slice, at) => {
    const plane = planeAt(slice);
    const shown =
      channels === 'neighbours'
        ? ([planeAt(slice - 1), plane, planeAt(slice + 1)] as const)
        : ([plane, plane, plane] as const);
    writePixels(result.pixels, at * size2 * 3, shown, input, mean, std);
    result.lesion.set(plane.lesion, at * size2);
    result.labels.set(plane.labels, at * size2);
    for (let pixel = 0; pixel < size2; pixel++)
      result.windowed[at * size2 + pixel] = Math.round(plane.ct[pixel]! * 255);
    // Slices come in ascending order: what lies below the next one's neighbour is not needed again.
    for (const old of computed.keys()) if (old < slice) computed.delete(old);
  });
  return result;
}

interface LabelledPlane extends Plane {
  readonly labels: Uint8Array;
}

/** Lesion voxels in each slice of the field: from `first`, or from slice 0 when the field is the whole volume. */
function sliceAreas(
  lesion: Mask,
  firstSlice: number,
  wholeDepth: number | undefined,
): { area: Float64Array; first: number } {
  const first = wholeDepth === undefined ? firstSlice : 0;
  const area = new Float64Array(wholeDepth ?? lesion.size[2]);
  const plane = lesion.size[0] * lesion.size[1];
  for (let z = 0, at = 0; z < lesion.size[2]; z++) {
    for (let end = at + plane; at < end; at++) if (lesion.data[at] !== 0) area[z + firstSlice - first]!++;
  }
  return { area, first };
}

interface FieldPlan {
  /** First voxel of the part of the plane that is read, and its size; it may lie outside the grid. */
  readonly start: readonly [number, number];
  readonly extent: readonly [number, number];
  readonly cut: PlaneCut;
  readonly warnings: string[];
}

function planField(grid: Grid, field: 'full' | 'lesionBox', box: LesionBox, first: Vec3): FieldPlan {
  const full = field === 'full';
  const [sx, sy] = grid.spacing;
  const sideMm = full ? Math.max(grid.size[0] * sx, grid.size[1] * sy) : box.sideMm;
  const centre = full
    ? [(grid.size[0] - 1) / 2, (grid.size[1] - 1) / 2]
    : [box.centre[0] + first[0], box.centre[1] + first[1]];
  const sides = [sideMm / sx, sideMm / sy] as const;
  // in voxel edges: voxel i covers [i, i + 1)
  const edges = sides.map((side, axis) => centre[axis]! + 0.5 - side / 2);
  const rounding = 1e-9;
  const start = edges.map((edge) => Math.floor(edge + rounding)) as [number, number];
  const extent = sides.map((side, axis) => Math.ceil(edges[axis]! + side - rounding) - start[axis]!) as [
    number,
    number,
  ];
  const outside = start.some((s, axis) => s < 0 || s + extent[axis]! > grid.size[axis]!);
  return {
    start,
    extent,
    cut: {
      width: extent[0],
      height: extent[1],
      left: edges[0]! - start[0],
      top: edges[1]! - start[1],
      across: sides[0],
      down: sides[1],
    },
    warnings:
      outside && !full
        ? ["the lesion box runs past the volume's edge and was filled up with the window's minimum"]
        : [],
  };
}

/** One slice of the grid, cut to the part that is read. */
function planeGrid(
  grid: Grid,
  start: readonly [number, number],
  extent: readonly [number, number],
  slice: number,
): Grid {
  return {
    ...grid,
    size: [extent[0], extent[1], 1],
    origin: indexToPhysical(grid, [start[0], start[1], slice]),
  };
}

/** The given volume's slice nearest to a slice of the working grid, along the given axis that runs to head or feet. */
function givenIndex(volume: Volume, grid: Grid, slice: number): number {
  const middle: Vec3 = [(grid.size[0] - 1) / 2, (grid.size[1] - 1) / 2, slice];
  const index = physicalToIndex(volume, indexToPhysical(grid, middle));
  const along = [0, 1, 2].map((axis) => Math.abs(cosine(volume, axis, grid)));
  const axis = along.indexOf(Math.max(...along));
  return Math.min(Math.max(Math.round(index[axis]!), 0), volume.size[axis]! - 1);
}

/** Cosine between an axis of the volume and the slice direction of the grid. */
function cosine({ direction }: Volume, axis: number, grid: Grid): number {
  return [0, 1, 2].reduce((sum, row) => sum + direction[3 * row + axis]! * grid.direction[3 * row + 2]!, 0);
}

/** Position of a slice along the grid's slice direction, mm. */
function location(grid: Grid, slice: number): number {
  const point = indexToPhysical(grid, [0, 0, slice]);
  return [0, 1, 2].reduce((sum, row) => sum + point[row]! * grid.direction[3 * row + 2]!, 0);
}

function checkOptions(options: LesionSlicesOptions): void {
  const { input, channels = 'repeat', field, imageSize, window, mean, std } = options;
  const problem = !INPUT_MODES.includes(input)
    ? `input has to be one of ${INPUT_MODES.join(', ')}, found ${JSON.stringify(input)}`
    : !CHANNEL_MODES.includes(channels)
      ? `channels has to be one of ${CHANNEL_MODES.join(', ')}, found ${JSON.stringify(channels)}`
      : channels === 'neighbours' && input === 'ctMaskChannels'
        ? "ctMaskChannels fills the three channels: channels has to be 'repeat' with it"
        : field !== 'full' && field !== 'lesionBox'
          ? `field has to be 'full' or 'lesionBox', found ${JSON.stringify(field)}`
          : !Number.isInteger(imageSize) || imageSize < 1
            ? `imageSize has to be a whole number >= 1, found ${imageSize}`
            : !(Number.isFinite(window?.level) && window.width > 0)
              ? 'window has to be { level, width } in HU with width > 0'
              : mean?.length !== 3 || std?.length !== 3 || !std.every((s) => s > 0)
                ? 'mean and std have to be three numbers each, std > 0'
                : undefined;
  if (problem !== undefined) throw new LesionMaskError({ code: 'INVALID_ARGUMENT', message: problem });
}
