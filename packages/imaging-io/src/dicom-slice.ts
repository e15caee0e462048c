import type { Mat3, Vec3 } from '@onco-response/volume';
import type { ByteRange, SourceFile } from './byte-source.js';
import type { Moment } from './dicom-time.js';
import type { ImagingError } from './imaging-error.js';
import type { PetHeader } from './pet-header.js';

/** One image plane of a DICOM file: a whole file, or one frame of an enhanced multi-frame file. */
export interface DicomSlice {
  /** The path or name the caller gave. */
  readonly file: string;
  /** Which of the file's frames this is, from 0. */
  readonly frame: number;
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
  /** SliceThickness, mm; for choosing series only. */
  readonly sliceThickness: number | undefined;
  readonly timing: SliceTiming;
}

/** What a slice says about when it was taken; which of it is meaningful differs between vendors. */
export interface SliceTiming {
  /** TemporalPositionIdentifier, in enhanced files TemporalPositionIndex: 1, 2, ... */
  readonly temporalPosition: number | undefined;
  /** TriggerTime in seconds: since the contrast or the heart beat. */
  readonly trigger: number | undefined;
  readonly acquisition: Moment | undefined;
  /** When the image was made, which is later. */
  readonly content: Moment | undefined;
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

/** What one DICOM image file holds. */
export interface DicomFile {
  readonly file: string;
  readonly seriesUid: string;
  readonly modality: string;
  /** SeriesDescription as it is: for matching, never for messages. */
  readonly description: string;
  /** SeriesDescription with names, numbers and dates taken out. */
  readonly shownDescription: string;
  readonly frameOfReferenceUid: string;
  readonly isLocalizer: boolean;
  readonly transferSyntax: string;
  /** Where its stored pixels lie: in the file, in the deflated object once that is inflated, or in fragments. */
  readonly storage: 'native' | 'deflated' | 'encapsulated';
  /** All its stored pixels, the frames one behind the other, or the value that holds the fragments. */
  readonly pixels: ByteRange;
  readonly source: SourceFile;
  /** The preamble, which may hold anything, holds the beginning of a program. */
  readonly program: boolean;
  /** What PET (modality PT) says about activity. */
  readonly pet: PetHeader | undefined;
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
