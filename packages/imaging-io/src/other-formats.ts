import type { ByteSource } from './byte-source.js';
import type { ReadOptions, ReadVolume } from './nifti.js';
import type { Reading } from './reading.js';

/** Formats that have no reader of our own: in Node some are read by itk-wasm. */
export interface OtherFormats {
  /** For messages. */
  readonly endings: string;
  /** Whether a file of this name is theirs. */
  reads(name: string): boolean;
  /** @throws ImagingError UNSUPPORTED, TRUNCATED, CORRUPT, MALFORMED, TOO_LARGE, NAN_VOXELS */
  read(source: ByteSource, options: ReadOptions, reading: Reading): Promise<ReadVolume>;
}
