import type { Mat3, Vec3 } from '@onco-response/volume';
import type { ImagingError } from './imaging-error.js';

/** One image plane of a DICOM file: a whole file, or one frame of an enhanced multi-frame file. */
export interface DicomSlice {
  /** The path or name the caller gave. */
  readonly file: string;
  /** Offset of this plane's stored pixels in the file; -1 where they are compressed. */
  readonly pixelOffset: number;
  readonly format: PixelFormat;
  readonly slope: number;
  readonly intercept: number;
  /** ImagePositionPatient, mm. */
  readonly position: Vec3;
  /** Unit vectors along a row (voxel x) and down a column (voxel y): ImageOrientationPatient. */
  readonly row: Vec3;
  readonly column: Vec3;
  /** Distance of neighbouring columns (voxel x) and rows (voxel y), mm. */
  readonly spacing: readonly [number, number];
  /** What a lone slice says about its thickness, mm; never used between slices. */
  readonly thickness: number | undefined;
}

/** How the stored values of a plane are coded; all planes of a volume share it. */
export interface PixelFormat {
  readonly columns: number;
  readonly rows: number;
  readonly bitsAllocated: 8 | 16 | 32;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  readonly littleEndian: boolean;
}

/** What one DICOM file holds. */
export interface DicomFile {
  readonly file: string;
  readonly seriesUid: string;
  readonly modality: string;
  readonly frameOfReferenceUid: string;
  readonly isLocalizer: boolean;
  readonly compressed: boolean;
  /** MONOCHROME1: high values are shown dark. */
  readonly inverted: boolean;
  /** Why its slices cannot be read; `slices` is empty then. */
  readonly problem?: ImagingError;
  readonly slices: readonly DicomSlice[];
}

export function cross(a: Vec3, b: Vec3): Vec3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** The direction matrix whose columns are row, column and slice direction. */
export function directionOf(row: Vec3, column: Vec3, normal: Vec3): Mat3 {
  return [row[0], column[0], normal[0], row[1], column[1], normal[1], row[2], column[2], normal[2]];
}
