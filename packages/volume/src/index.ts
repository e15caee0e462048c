export { boundingBox } from './bounding-box.js';
export { MAX_VOXELS } from './check-volume.js';
export { type Component, type Components, connectedComponents } from './connected-components.js';
export { createVolume, IDENTITY } from './create-volume.js';
export { crop } from './crop.js';
export { distanceTransform } from './distance-transform.js';
export { fillHoles } from './fill-holes.js';
export {
  GRID_TOLERANCE_MM,
  indexToPhysical,
  isOrthonormal,
  physicalToIndex,
  SHEAR_TOLERANCE,
  sameGrid,
  voxelVolumeMm3,
} from './geometry.js';
export { closing, dilate, erode, opening, ring } from './morphology.js';
export { pad } from './pad.js';
export { orientationOf, reorient, reorientGrid } from './reorient.js';
export { resample } from './resample.js';
export type { Interpolation, ResampleOptions, ResampleTarget } from './resample-plan.js';
export { spacedGrid } from './spaced-grid.js';
export type { Box, Grid, Mask, Mat3, Vec3, Volume, VoxelArray } from './types.js';
export { VolumeError, type VolumeErrorCode } from './volume-error.js';
export { volumeMm3 } from './volume-mm3.js';
export { windowIntensity } from './window-intensity.js';
