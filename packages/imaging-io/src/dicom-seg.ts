import { GRID_TOLERANCE_MM, type Grid, type Mask } from '@onco-response/volume';
import { type Segmentation, segmentationOf } from './dicom-seg-frames.js';
import { placeFrame, spannedGrid } from './dicom-seg-grid.js';
import { fail, type Inflate, listNumbers, parseMaskObject, withCodedErrors } from './dicom-seg-object.js';
import { framePixels } from './dicom-seg-pixels.js';
import { agreedReference, type ReferencedGrid, referenced } from './dicom-seg-reference.js';

/** A mask and what was assumed while it was read. */
export interface ReadMask extends Mask, ReferencedGrid {
  readonly warnings: readonly string[];
}

export interface ReadDicomMaskOptions {
  /** The image's grid, on which the mask is put. */
  readonly like?: ReferencedGrid | undefined;
  /** A number is the SegmentNumber or ROINumber, a string the SegmentLabel or ROIName. */
  readonly segment?: string | number | undefined;
  /** FrameOfReferenceUID of the image, where `like` does not know it: a mask of another one is refused. */
  readonly frameOfReferenceUid?: string | undefined;
  readonly inflate?: Inflate | undefined;
}

/** Beyond the rounding of positions to 0.1 mm (0.05 mm at each end) a frame lies elsewhere. */
const MAX_DEVIATION_MM = 0.11;

/**
 * A mask from a DICOM segmentation object (BINARY, FRACTIONAL at >= 0.5 of its maximum, LABELMAP), uncompressed.
 * Without `segment`, label n is segment n; with it, that segment is 1. With `like`, the frames are put on that grid
 * (slices without a frame stay empty); without, the frames span the grid.
 * @throws ImagingError GRID_MISMATCH, OVERLAPPING_SEGMENTS (give `segment`), INVALID_MASK (numbers exceed 255: give
 * `segment`), EMPTY_MASK (no such segment), MIXED_ORIENTATION, MISSING_SLICES, TRUNCATED, MALFORMED, UNSUPPORTED, TOO_LARGE
 * @example
 * const liver = readDicomSeg(bytes, 'liver.dcm', { segment: 'Liver', like: ct });
 */
export function readDicomSeg(
  bytes: Uint8Array,
  file: string,
  { like, segment, frameOfReferenceUid, inflate }: ReadDicomMaskOptions = {},
): ReadMask {
  const object = parseMaskObject(bytes, file, inflate);
  const segmentation = withCodedErrors(file, () => segmentationOf(object, file));
  const reference = agreedReference(segmentation.frameOfReferenceUid, { like, frameOfReferenceUid }, file);
  const selected = segment === undefined ? undefined : segmentNumber(segmentation, segment, file);
  const warnings: string[] = [];
  if (segmentation.type === 'FRACTIONAL') {
    warnings.push(`${file} is fractional: voxels of at least half its maximum count as inside`);
  }
  const { grid, tolerance } = like === undefined ? spanned(segmentation, file) : placed(segmentation, like);
  if (like !== undefined && tolerance > GRID_TOLERANCE_MM) {
    warnings.push(`${file} has rounded frame positions: they lie up to ${tolerance.toFixed(3)} mm off`);
  }
  const { size, spacing, origin, direction } = grid;
  const data = new Uint8Array(size[0] * size[1] * size[2]);
  fillFrames(data, segmentation, { grid, tolerance, selected, file });
  if (selected !== undefined && !data.includes(1)) {
    fail('EMPTY_MASK', `${file} has no voxel of segment ${selected}`);
  }
  return referenced({ data, size, spacing, origin, direction, warnings }, reference);
}

type Target = { grid: Grid; tolerance: number };

function spanned(segmentation: Segmentation, file: string): Target {
  const { grid, deviation } = spannedGrid(segmentation, file);
  return { grid, tolerance: deviation + GRID_TOLERANCE_MM };
}

/**
 * Frames keep their source slices' positions, which may be rounded to 0.1 mm, while the image's grid is even: where the
 * frames themselves are uneven by that much, they may lie that far off.
 */
function placed(segmentation: Segmentation, like: Grid): Target {
  let deviation = 0;
  try {
    deviation = spannedGrid(segmentation, '').deviation;
  } catch {
    // frames that span no grid of their own may still lie on the image's
  }
  const rounded = deviation > GRID_TOLERANCE_MM ? Math.min(2 * deviation, MAX_DEVIATION_MM) : 0;
  return { grid: like, tolerance: GRID_TOLERANCE_MM + rounded };
}

function fillFrames(
  data: Uint8Array,
  segmentation: Segmentation,
  { grid, tolerance, selected, file }: Target & { selected: number | undefined; file: string },
): void {
  const { type, rows, columns, frames, padding, segments } = segmentation;
  const background = padding ?? 0;
  const zeroIsSegment = background !== 0 && segments.some(({ number }) => number === 0);
  // only in a label map may 0 be asked for, or stand for a segment
  const zeroIsOutside = type !== 'LABELMAP' || (selected !== 0 && !zeroIsSegment);
  for (const [index, frame] of frames.entries()) {
    const placement = placeFrame(frame, segmentation, grid, tolerance);
    if (placement === undefined) {
      fail(
        'GRID_MISMATCH',
        `${file} lies on another grid than its image: frame ${index + 1} of ${frames.length} (${columns} x ${rows} pixels) does not fall on its voxels; give the image that was segmented`,
      );
    }
    if (selected !== undefined && frame.segment !== undefined && frame.segment !== selected) continue;
    const labels = framePixels(segmentation, index);
    const { start, alongColumns, alongRows } = placement;
    for (let row = 0, from = 0; row < rows; row++) {
      for (let column = 0, to = start + row * alongRows; column < columns; column++, to += alongColumns) {
        const label = labels[from++]!;
        if (label === 0 && zeroIsOutside) continue;
        if (selected !== undefined) {
          if (label === selected) data[to] = 1;
          continue;
        }
        if (label === background) continue;
        if (label === 0 || label > 255) {
          fail(
            'INVALID_MASK',
            `${file} has segment ${label}, which is no label 1-255: read it as { segment }`,
          );
        }
        const present = data[to]!;
        if (present !== 0 && present !== label) {
          fail(
            'OVERLAPPING_SEGMENTS',
            `${file} has segments that overlap (${present} and ${label}): read them one by one with { segment }`,
          );
        }
        data[to] = label;
      }
    }
  }
}

/** The number of the segment that the caller names; labels are free text and stay out of messages. */
function segmentNumber({ segments }: Segmentation, segment: string | number, file: string): number {
  const named = segments.filter(({ number, label }) => number === segment || label === segment);
  if (named.length > 1) {
    fail('INVALID_MASK', `${file} has ${named.length} segments of that label: give the segment's number`);
  }
  const byDigits = segments.find(({ number }) => String(number) === segment);
  const found = named[0] ?? byDigits;
  if (found !== undefined) return found.number;
  const numbers = listNumbers(segments);
  return fail(
    'EMPTY_MASK',
    `${file} has no segment ${JSON.stringify(segment)}; it has the numbers ${numbers}`,
  );
}
