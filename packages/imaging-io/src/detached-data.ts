import { ImagingError } from './imaging-error.js';
import type { StoredVoxels } from './stored-voxels.js';

export interface DetachedOptions {
  /** What messages call the file. */
  readonly name?: string;
  /** The bytes of the data file, where the header keeps its voxels in another file (.nhdr, .mhd). */
  readonly dataFile?: Uint8Array;
}

/**
 * The bytes that hold the voxels: the file itself, or the data file that came with it.
 * @throws ImagingError NOT_FOUND where the header needs a data file that was not given
 */
export function bytesWithVoxels(
  file: Uint8Array,
  stored: StoredVoxels,
  { name, dataFile }: { name: string; dataFile: Uint8Array | undefined },
): Uint8Array {
  if (stored.dataFile === undefined) return file;
  if (dataFile !== undefined) return dataFile;
  throw new ImagingError({
    code: 'NOT_FOUND',
    message: `${name} is only a header: give the bytes of its data file as dataFile`,
  });
}
