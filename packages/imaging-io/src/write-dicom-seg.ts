import { type Grid, type Mask, sameGrid } from '@onco-response/volume';
import { fail } from './dicom-seg-object.js';
import { agreedReference, type ReferencedGrid } from './dicom-seg-reference.js';
import type { DicomSlice } from './dicom-slice.js';
import { stackSlices } from './dicom-stack.js';
import { MAX_DICOM_FILE_BYTES } from './limits.js';
import {
  dataset,
  type Element,
  joined,
  numbers,
  octets,
  sequence,
  text,
} from './write-dicom-seg-elements.js';
import {
  countLabels,
  dimensions,
  frameGroups,
  labelBytes,
  packedBits,
  reference,
  type SourcePlane,
  sharedGroups,
  type WrittenFrame,
} from './write-dicom-seg-frames.js';
import { describedSegments, type SegmentDescription, segmentElements } from './write-dicom-seg-segments.js';
import { type SegSource, sharedElements } from './write-dicom-seg-source.js';
import { derivedUid, sha256 } from './write-dicom-seg-uid.js';

/** How a mask is written as a DICOM segmentation; everything has a default. */
export interface DicomSegOptions {
  /** SeriesInstanceUID of the image, where its files are of several series. */
  readonly seriesUid?: string;
  /** What the labels mean; without it, each label that occurs is a lesion called `Segment n`. */
  readonly segments?: readonly SegmentDescription[];
  /** One bit a voxel and segment, which everything reads, or one byte a voxel, which is new (2024). */
  readonly kind?: 'binary' | 'labelmap';
  /** Leaves out slices in which a segment has no voxel. */
  readonly omitEmptyFrames?: boolean;
  /** Writes a mask without any voxel too: all its frames, empty. */
  readonly allowEmpty?: boolean;
  /**
   * ContentDate and ContentTime, in the image's TimezoneOffsetFromUTC, else UTC. By default the present moment; with the
   * same moment, the same input gives the same bytes, UIDs included.
   */
  readonly now?: Date;
  readonly seriesNumber?: number;
  readonly seriesDescription?: string;
  /** ContentCreatorName: who is responsible for the mask. */
  readonly contentCreator?: string;
}

const SOP_CLASS = {
  binary: '1.2.840.10008.5.1.4.1.1.66.4',
  labelmap: '1.2.840.10008.5.1.4.1.1.66.7',
} as const;
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const PIXEL_DATA = 0x7fe00010;

/** Changes when the same input would be written in other bytes. */
const ENCODER_VERSION = '1';

/**
 * A mask as the bytes of a DICOM segmentation object (PS3.3 A.51): label n becomes segment n, each frame refers to the
 * slice it was drawn on, patient and study are the image's. The mask has to lie on the image's grid as `readDicomSeries`
 * gives it.
 * @param sources of the files of one series
 * @param name what messages call the mask
 * @throws ImagingError GRID_MISMATCH, EMPTY_MASK, INVALID_MASK, SEVERAL_SERIES, TOO_LARGE, UNSUPPORTED, and those of the
 * series' geometry
 */
export function dicomSegBytes(
  mask: Mask & ReferencedGrid,
  sources: readonly SegSource[],
  options: DicomSegOptions,
  name: string,
): Uint8Array {
  const { kind = 'binary', omitEmptyFrames = true, allowEmpty = false } = options;
  const { grid, planes, first } = imagePlanes(sources, name);
  checkMask(mask, grid, name);
  agreedReference(first.image.frameOfReferenceUid, { like: mask }, name);
  const counts = countLabels(mask);
  const occurring = new Set<number>();
  for (const [at, count] of counts.entries()) if (count > 0 && at % 256 > 0) occurring.add(at % 256);
  if (occurring.size === 0 && !allowEmpty) {
    fail('EMPTY_MASK', `${name} has no voxel: write it with { allowEmpty: true } if that is the finding`);
  }
  const segments = describedSegments(options.segments, occurring, name);
  const labels = kind === 'labelmap' ? [undefined] : segments.map(({ label }) => label);
  const holds = (label: number | undefined, slice: number): boolean =>
    label === undefined
      ? counts[slice * 256]! < mask.size[0] * mask.size[1]
      : counts[slice * 256 + label]! > 0;
  const frames: WrittenFrame[] = labels.flatMap((label) =>
    planes.flatMap((_, slice) =>
      !omitEmptyFrames || occurring.size === 0 || holds(label, slice) ? [{ label, slice }] : [],
    ),
  );
  const bytes = (frames.length * mask.size[0] * mask.size[1]) / (kind === 'binary' ? 8 : 1);
  if (bytes > MAX_DICOM_FILE_BYTES) {
    fail('TOO_LARGE', `${name} takes ${frames.length} frames, ${bytes} bytes: write it with fewer labels`);
  }
  const texts = [options.seriesDescription, options.contentCreator].filter((value) => value !== undefined);
  const named = segments.flatMap((segment) => [
    segment.name,
    segment.algorithmName,
    segment.category.meaning,
    segment.type.meaning,
  ]);
  const elements: Element[] = [
    ...sharedElements(first, [...texts, ...named], name),
    ...seriesElements(first, options),
    ...imageElements(mask, kind, frames.length),
    sequence(0x00081115, [
      [
        text(0x0020000e, 'UI', first.image.seriesUid),
        sequence(0x0008114a, [...new Map(planes.map((p) => [p.sopInstanceUid, p])).values()].map(reference)),
      ],
    ]),
    sequence(0x00620002, segments.map(segmentElements)),
    sharedGroups(grid, planes[0]!.slice),
    frameGroups(frames, planes),
    octets(PIXEL_DATA, kind === 'binary' ? packedBits(mask, frames) : labelBytes(mask, frames)),
  ];
  return withUids(elements, SOP_CLASS[kind], kind === 'binary');
}

/** The slices of the one series, in the order of the grid. */
function imagePlanes(
  sources: readonly SegSource[],
  name: string,
): { grid: Grid; planes: SourcePlane[]; first: SegSource } {
  const first = sources[0]!;
  for (const { image, studyUid } of sources) {
    if (studyUid !== first.studyUid || image.frameOfReferenceUid !== first.image.frameOfReferenceUid) {
      fail(
        'SEVERAL_SERIES',
        `${image.file} is of another study or frame of reference than ${first.image.file}`,
      );
    }
  }
  const planes = new Map<DicomSlice, SourcePlane>();
  for (const { image, sopClassUid, sopInstanceUid } of sources) {
    for (const slice of image.slices) {
      const frameNumber = image.slices.length > 1 ? slice.frame + 1 : undefined;
      planes.set(slice, { slice, sopClassUid, sopInstanceUid, frameNumber });
    }
  }
  const stack = stackSlices([...planes.keys()], `the image of ${name}`);
  return { grid: stack.grid, planes: stack.slices.map((slice) => planes.get(slice)!), first };
}

function checkMask(mask: Mask, grid: Grid, name: string): void {
  if (!(mask.data instanceof Uint8Array) || mask.data.length !== mask.size[0] * mask.size[1] * mask.size[2]) {
    fail('INVALID_MASK', `${name} is no Uint8Array of one label a voxel`);
  }
  if (sameGrid(mask, grid)) return;
  const round = (values: readonly number[]): string => values.map((v) => Number(v.toFixed(4))).join(' ');
  const differs = (['size', 'spacing', 'origin', 'direction'] as const)
    .filter((part) => round(mask[part]) !== round(grid[part]))
    .map((part) => `${part} ${round(mask[part])}, image ${round(grid[part])}`);
  fail(
    'GRID_MISMATCH',
    `${name} lies on another grid than its image: ${differs.join('; ')}; resample it onto the image (nearest) first`,
  );
}

/** Series, equipment and content. */
function seriesElements(
  { timezone, seriesNumber }: SegSource,
  { now = new Date(), ...options }: DicomSegOptions,
): Element[] {
  const { date, time } = dateAndTime(now, timezone);
  const number = options.seriesNumber ?? (Number.parseInt(seriesNumber, 10) || 0) * 100 + 1;
  const description = options.seriesDescription ?? 'Segmentation';
  return [
    text(0x00080023, 'DA', date),
    text(0x00080033, 'TM', time),
    text(0x00080060, 'CS', 'SEG'),
    text(0x00080070, 'LO', 'onco-response'),
    text(0x0008103e, 'LO', description),
    text(0x00081090, 'LO', '@onco-response/imaging-io'),
    text(0x00181000, 'LO', '0'), // DeviceSerialNumber
    text(0x00181020, 'LO', ENCODER_VERSION),
    text(0x00200011, 'IS', String(Number.isInteger(number) && Math.abs(number) < 2 ** 31 ? number : 1)),
    text(0x00200013, 'IS', '1'),
    text(0x00700080, 'CS', 'SEGMENTATION'),
    text(0x00700081, 'LO', ''),
    text(0x00700084, 'PN', options.contentCreator ?? ''),
  ];
}

/** How the pixels are stored. */
function imageElements({ size }: Mask, kind: 'binary' | 'labelmap', frames: number): Element[] {
  const bits = kind === 'binary' ? 1 : 8;
  return [
    text(0x00080008, 'CS', 'DERIVED\\PRIMARY'),
    numbers(0x00280002, 'US', [1]),
    text(0x00280004, 'CS', 'MONOCHROME2'),
    text(0x00280008, 'IS', String(frames)),
    numbers(0x00280010, 'US', [size[1]]),
    numbers(0x00280011, 'US', [size[0]]),
    numbers(0x00280100, 'US', [bits]),
    numbers(0x00280101, 'US', [bits]),
    numbers(0x00280102, 'US', [bits - 1]),
    numbers(0x00280103, 'US', [0]),
    ...(kind === 'labelmap' ? [numbers(0x00280120, 'US', [0])] : []), // 0 is outside every segment
    text(0x00620001, 'CS', kind === 'binary' ? 'BINARY' : 'LABELMAP'),
    text(0x00620013, 'CS', 'NO'), // SegmentsOverlap
  ];
}

/** The whole file; its UIDs come from all the rest of it, so that other content is another instance. */
function withUids(elements: readonly Element[], sopClassUid: string, bySegment: boolean): Uint8Array {
  const digest = sha256(dataset(elements));
  const instanceUid = derivedUid('instance', digest);
  const meta = dataset([
    octets(0x00020001, Uint8Array.of(0, 1)),
    text(0x00020002, 'UI', sopClassUid),
    text(0x00020003, 'UI', instanceUid),
    text(0x00020010, 'UI', EXPLICIT_LITTLE_ENDIAN),
    text(0x00020012, 'UI', derivedUid('onco-response imaging-io', new Uint8Array(0))),
    text(0x00020013, 'SH', `ONCORESPONSE_${ENCODER_VERSION}`),
  ]);
  return joined([
    new Uint8Array(128),
    new TextEncoder().encode('DICM'),
    numbers(0x00020000, 'UL', [meta.length]).bytes,
    meta,
    dataset([
      ...elements,
      text(0x00080016, 'UI', sopClassUid),
      text(0x00080018, 'UI', instanceUid),
      text(0x0020000e, 'UI', derivedUid('series', digest)),
      ...dimensions(derivedUid('dimensions', digest), bySegment),
    ]),
  ]);
}

/** As DA and TM, at the offset from UTC given as `+HHMM`. */
function dateAndTime(moment: Date, timezone: string): { date: string; time: string } {
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(timezone.trim()) ?? [];
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === '-' ? -1 : 1);
  const [date, time] = new Date(moment.getTime() + offset * 60_000).toISOString().split('T') as [
    string,
    string,
  ];
  return { date: date.replaceAll('-', ''), time: time.slice(0, 8).replaceAll(':', '') };
}
