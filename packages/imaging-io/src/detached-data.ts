import type { SourceFile } from './byte-source.js';
import { bytesFile } from './bytes-source.js';
import { ImagingError } from './imaging-error.js';

export interface DetachedOptions {
  /** What messages call the file. */
  readonly name?: string;
  /** The bytes of the data file, where the header keeps its voxels in another file (.nhdr, .mhd). */
  readonly dataFile?: Uint8Array;
}

/**
 * The data file that came with a header.
 * @throws ImagingError NOT_FOUND where it was not given
 */
export function givenDataFile(dataFile: Uint8Array | undefined, name: string): SourceFile {
  if (dataFile !== undefined) return bytesFile(dataFile, name);
  throw new ImagingError({
    code: 'NOT_FOUND',
    message: `${name} is only a header: give the bytes of its data file as dataFile`,
  });
}
