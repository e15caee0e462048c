import { type Mask, sameGrid, type Volume } from '@onco-response/volume';
import { countOf, permuted, reversed, type Shape3, stridesOf } from './array-shape.js';
import { nonzeroBox } from './nonzero-box.js';
import { SegmentationError } from './segmentation-error.js';
import { weightedQuantile } from './weighted-quantile.js';

/** What planning has to know of one case. JSON. */
export interface CaseFingerprint {
  /** Of the box of voxels that are not 0, and voxels' sizes in mm, along [z, y, x]. */
  readonly shapeAfterCrop: Shape3;
  readonly spacing: Shape3;
  readonly relativeSizeAfterCropping: number;
  /** Of the lesion's voxels, one a channel; null where there is no lesion. */
  readonly foreground: readonly ForegroundIntensities[] | null;
}

interface ForegroundIntensities {
  readonly mean: number;
  readonly meanOfSquares: number;
  readonly min: number;
  readonly max: number;
  /** Order statistics, evenly spaced: all of them for small lesions. */
  readonly values: readonly number[];
}

/** What planning has to know of a dataset: nnU-Net's dataset_fingerprint.json. */
export interface DatasetFingerprint {
  readonly spacings: readonly (readonly number[])[];
  readonly shapes_after_crop: readonly (readonly number[])[];
  readonly foreground_intensity_properties_per_channel: Readonly<
    Record<string, Readonly<Record<(typeof PROPERTIES)[number], number>>>
  >;
  readonly median_relative_size_after_cropping: number;
}

const PROPERTIES = ['mean', 'median', 'std', 'min', 'max', 'percentile_99_5', 'percentile_00_5'] as const;

/** Order statistics kept of a case: enough for its 0.5th percentile, and small beside an image. */
const MAX_VALUES = 1000;

/**
 * Measures one case: one volume for each channel and the mask of the lesion (any label above 0), all on one grid.
 * @throws SegmentationError GEOMETRY_MISMATCH
 */
export function caseFingerprint(volumes: readonly Volume[], mask: Mask): CaseFingerprint {
  const [first] = volumes as [Volume];
  if (![...volumes, mask].every((each) => sameGrid(each, first))) {
    throw new SegmentationError({
      code: 'GEOMETRY_MISMATCH',
      message: `The mask is ${mask.size.join(' x ')} voxels of ${mask.spacing.join(' x ')} mm and the image ${first.size.join(' x ')} of ${first.spacing.join(' x ')}, or they lie elsewhere: resample the mask to the image first.`,
    });
  }
  const shape = reversed(first.size);
  const box = nonzeroBox(
    volumes.map(({ data }) => data),
    shape,
  );
  const shapeAfterCrop = permuted(
    box.map(([start, end]) => end - start),
    [0, 1, 2],
  );
  const inside: number[] = [];
  const [inZ, inY] = stridesOf(shape);
  const [[z0, z1], [y0, y1], [x0, x1]] = box;
  for (let z = z0; z < z1; z++) {
    for (let y = y0; y < y1; y++) {
      const row = z * inZ + y * inY;
      for (let x = x0; x < x1; x++) if (mask.data[row + x]! > 0) inside.push(row + x);
    }
  }
  return {
    shapeAfterCrop,
    spacing: reversed(first.spacing),
    relativeSizeAfterCropping: countOf(shapeAfterCrop) / countOf(shape),
    foreground: inside.length === 0 ? null : volumes.map((volume) => intensitiesOf(volume, inside)),
  };
}

function intensitiesOf({ data }: Volume, inside: readonly number[]): ForegroundIntensities {
  const all = Float64Array.from(inside, (voxel) => data[voxel]!).sort();
  let [sum, squares] = [0, 0];
  for (const value of all) {
    sum += value;
    squares += value * value;
  }
  const kept = Math.min(all.length, MAX_VALUES);
  return {
    mean: sum / all.length,
    meanOfSquares: squares / all.length,
    min: all[0]!,
    max: all.at(-1)!,
    values: Array.from({ length: kept }, (_, at) => all[Math.floor(((at + 0.5) / kept) * all.length)]!),
  };
}

/**
 * The fingerprint of a dataset. As in nnU-Net every case with a lesion counts the same, however large the lesion; nnU-Net
 * draws voxels at random for that, here the distribution itself is used, so that its numbers are those that nnU-Net's
 * tend to and do not depend on a seed.
 * @throws SegmentationError INVALID_DATASET where no case has a lesion
 */
export function datasetFingerprint(cases: readonly CaseFingerprint[]): DatasetFingerprint {
  const withLesion = cases.flatMap(({ foreground }) => (foreground ? [foreground] : []));
  if (withLesion.length === 0) {
    throw new SegmentationError({
      code: 'INVALID_DATASET',
      message: `None of the ${cases.length} masks has a voxel above 0: there is nothing to learn.`,
    });
  }
  const properties = withLesion[0]!.map((_, channel) => {
    const each = withLesion.map((foreground) => foreground[channel]!);
    const mean = each.reduce((sum, own) => sum + own.mean, 0) / each.length;
    const meanOfSquares = each.reduce((sum, own) => sum + own.meanOfSquares, 0) / each.length;
    const sorted = each
      .flatMap(({ values }) => values.map((value) => ({ value, weight: 1 / values.length })))
      .sort((a, b) => a.value - b.value);
    return {
      mean,
      median: weightedQuantile(sorted, 0.5),
      std: Math.sqrt(Math.max(0, meanOfSquares - mean ** 2)),
      min: Math.min(...each.map(({ min }) => min)),
      max: Math.max(...each.map(({ max }) => max)),
      percentile_99_5: weightedQuantile(sorted, 0.995),
      percentile_00_5: weightedQuantile(sorted, 0.005),
    };
  });
  const relative = cases.map((own) => own.relativeSizeAfterCropping).sort((a, b) => a - b);
  const middle = relative.length / 2;
  return {
    spacings: cases.map(({ spacing }) => spacing),
    shapes_after_crop: cases.map(({ shapeAfterCrop }) => shapeAfterCrop),
    foreground_intensity_properties_per_channel: Object.fromEntries(properties.entries()),
    median_relative_size_after_cropping:
      (relative[Math.ceil(middle) - 1]! + relative[Math.floor(middle)]!) / 2,
  };
}
