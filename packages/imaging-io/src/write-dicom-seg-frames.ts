import type { Grid, Mask } from '@onco-response/volume';
import type { DicomSlice } from './dicom-slice.js';
import { coded, decimals, type Element, numbers, sequence, text } from './write-dicom-seg-elements.js';
import { SOURCE_PURPOSE } from './write-dicom-seg-source.js';

/** What of a mask is stored: one segment in one slice, or (label map) all in one. */
export interface WrittenFrame {
  /** Undefined in a label map. */
  readonly label: number | undefined;
  /** z index. */
  readonly slice: number;
}

/** A slice of the image, and how it is referred to. */
export interface SourcePlane {
  readonly slice: DicomSlice;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** From 1; undefined where the file holds one image. */
  readonly frameNumber: number | undefined;
}

/** How many voxels each label has in each slice: [slice * 256 + label]. */
export function countLabels({ data, size }: Mask): Uint32Array {
  const counts = new Uint32Array(size[2] * 256);
  const length = size[0] * size[1];
  for (let slice = 0, at = 0; slice < size[2]; slice++) {
    for (const end = at + length; at < end; at++) counts[slice * 256 + data[at]!]!++;
  }
  return counts;
}

/** The pixels of all frames: single bits, lowest first, without padding between frames (PS3.5 8.1.1). */
export function packedBits({ data, size }: Mask, frames: readonly WrittenFrame[]): Uint8Array {
  const length = size[0] * size[1];
  const packed = new Uint8Array(Math.ceil((frames.length * length) / 8));
  for (const [index, { label, slice }] of frames.entries()) {
    const start = index * length;
    for (let pixel = 0, at = slice * length; pixel < length; pixel++, at++) {
      if (data[at] !== label) continue;
      const bit = start + pixel;
      packed[Math.floor(bit / 8)]! |= 1 << (bit % 8);
    }
  }
  return packed;
}

/** A label map's pixels: the labels themselves. */
export function labelBytes({ data, size }: Mask, frames: readonly WrittenFrame[]): Uint8Array {
  const length = size[0] * size[1];
  const bytes = new Uint8Array(frames.length * length);
  for (const [index, { slice }] of frames.entries()) {
    bytes.set(data.subarray(slice * length, (slice + 1) * length), index * length);
  }
  return bytes;
}

/** What all frames have in common: how they lie, and how large their pixels are. */
export function sharedGroups(grid: Grid, { row, column, sliceThickness }: DicomSlice): Element {
  const [betweenColumns, betweenRows, step] = grid.spacing;
  const thickness = sliceThickness !== undefined && sliceThickness > 0 ? sliceThickness : step;
  return sequence(0x52009229, [
    [
      sequence(0x00209116, [[decimals(0x00200037, [...row, ...column])]]),
      sequence(0x00289110, [
        [
          decimals(0x00180050, [thickness]),
          decimals(0x00180088, [step]),
          decimals(0x00280030, [betweenRows, betweenColumns]), // PixelSpacing is [row, column]
        ],
      ]),
    ],
  ]);
}

/** What each frame shows: where it lies, from which image it was derived, of which segment it is. */
export function frameGroups(frames: readonly WrittenFrame[], planes: readonly SourcePlane[]): Element {
  // indices count what is stored, from 1 without gaps
  const places = ranks(frames.map(({ slice }) => slice));
  const segments = ranks(frames.flatMap(({ label }) => (label === undefined ? [] : [label])));
  return sequence(
    0x52009230,
    frames.map(({ label, slice }) => {
      const plane = planes[slice]!;
      const place = places.get(slice)!;
      return [
        sequence(0x00089124, [derivation(plane)]),
        sequence(0x00209111, [
          [numbers(0x00209157, 'UL', label === undefined ? [place] : [segments.get(label)!, place])],
        ]),
        sequence(0x00209113, [[decimals(0x00200032, plane.slice.position)]]),
        ...(label === undefined ? [] : [sequence(0x0062000a, [[numbers(0x0062000b, 'US', [label])]])]),
      ];
    }),
  );
}

/** How frames are told apart: by segment, then by position (PS3.3 C.7.6.17). */
export function dimensions(organisationUid: string, bySegment: boolean): Element[] {
  const organisation = text(0x00209164, 'UI', organisationUid);
  const dimension = (pointer: number, group: number, label: string): Element[] => [
    organisation,
    numbers(0x00209165, 'AT', [pointer]),
    numbers(0x00209167, 'AT', [group]),
    text(0x00209421, 'LO', label),
  ];
  return [
    sequence(0x00209221, [[organisation]]),
    sequence(0x00209222, [
      ...(bySegment ? [dimension(0x0062000b, 0x0062000a, 'Segment Number')] : []),
      dimension(0x00200032, 0x00209113, 'Image Position Patient'),
    ]),
  ];
}

/** ReferencedSOPClassUID and ReferencedSOPInstanceUID. */
export function reference({ sopClassUid, sopInstanceUid }: SourcePlane): Element[] {
  return [text(0x00081150, 'UI', sopClassUid), text(0x00081155, 'UI', sopInstanceUid)];
}

function derivation(plane: SourcePlane): Element[] {
  return [
    sequence(0x00082112, [
      [
        ...reference(plane),
        ...(plane.frameNumber === undefined ? [] : [text(0x00081160, 'IS', String(plane.frameNumber))]),
        text(0x0028135a, 'CS', 'YES'), // SpatialLocationsPreserved
        SOURCE_PURPOSE,
      ],
    ]),
    coded(0x00089215, { value: '113076', scheme: 'DCM', meaning: 'Segmentation' }),
  ];
}

function ranks(values: readonly number[]): Map<number, number> {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  return new Map(sorted.map((value, at) => [value, at + 1]));
}
