import type { Volume } from '@onco-response/volume';
import { refuseNaN } from './check-voxels.js';
import { ImagingError } from './imaging-error.js';
import { niftiGrid } from './nifti-geometry.js';
import { NIFTI_HEADER_BYTES, type NiftiHeader, niftiFileBytes, parseNiftiHeader } from './nifti-header.js';
import { niftiVoxels } from './nifti-voxels.js';

/** A volume with what its reader noticed and the user should know. */
export interface ReadVolume extends Volume {
  readonly warnings: readonly string[];
}

export interface ReadOptions {
  /** Accept voxels that are NaN or infinite (default false). */
  readonly allowNaN?: boolean;
}

/** A volume from the uncompressed bytes of a NIfTI file. */
export function parseNifti(bytes: Uint8Array, name: string, options: ReadOptions = {}): ReadVolume {
  const header = parseNiftiHeader(bytes.subarray(0, NIFTI_HEADER_BYTES), name);
  const expected = niftiFileBytes(header);
  if (bytes.length < expected) {
    throw new ImagingError({
      code: 'TRUNCATED',
      message: `${name} has ${bytes.length} bytes, its header announces ${expected}: copy or download it again`,
    });
  }
  return niftiVolume(header, bytes.subarray(header.voxelOffset, expected), name, options);
}

/** A volume from a parsed header and exactly the bytes of its voxels. */
export function niftiVolume(
  header: NiftiHeader,
  voxelBytes: Uint8Array,
  name: string,
  { allowNaN = false }: ReadOptions,
): ReadVolume {
  const { grid, warnings } = niftiGrid(header, name);
  const data = niftiVoxels(voxelBytes, header, name);
  if (!allowNaN) refuseNaN(data, name);
  return { data, ...grid, warnings };
}
