import type { Volume } from '@onco-response/volume';
import { refuseNaN } from './check-voxels.js';
import type { ReferencedGrid } from './dicom-seg-reference.js';
import { niftiGrid } from './nifti-geometry.js';
import type { NiftiHeader } from './nifti-header.js';
import { niftiVoxels } from './nifti-voxels.js';

/** A volume with what its reader noticed and the user should know. */
export interface ReadVolume extends Volume, ReferencedGrid {
  readonly warnings: readonly string[];
}

export interface ReadOptions {
  /** Accept voxels that are NaN or infinite (default false). */
  readonly allowNaN?: boolean;
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
