import {
  boundingBox,
  crop,
  type Grid,
  indexToPhysical,
  type Mask,
  physicalToIndex,
  resample,
  type Vec3,
  volumeMm3,
} from '@onco-response/volume';
import { LesionMaskError } from './lesion-mask-error.js';

/**
 * The mask on another grid (nearest), only the part that holds lesion. `first` is that part's first voxel in the grid;
 * `givenVolumeMm3` is the lesion's volume before.
 * @throws LesionMaskError EMPTY_MASK where the mask is empty, or so small that the new grid misses it
 */
export function lesionOnGrid(mask: Mask, grid: Grid): { lesion: Mask; first: Vec3; givenVolumeMm3: number } {
  const tight = boundingBox(mask);
  if (tight === null)
    throw new LesionMaskError({ code: 'EMPTY_MASK', message: 'the mask has no lesion voxel' });
  const lowest = [...grid.size];
  const highest = [0, 0, 0];
  for (let corner = 0; corner < 8; corner++) {
    const index = [0, 1, 2].map((axis) =>
      (corner >> axis) & 1 ? tight.maximum[axis]! + 0.5 : tight.minimum[axis]! - 0.5,
    ) as unknown as Vec3;
    physicalToIndex(grid, indexToPhysical(mask, index)).forEach((v, axis) => {
      lowest[axis] = Math.min(lowest[axis]!, Math.max(Math.floor(v), 0));
      highest[axis] = Math.max(highest[axis]!, Math.min(Math.ceil(v), grid.size[axis]! - 1));
    });
  }
  const first = lowest as unknown as Vec3;
  const size = highest.map((last, axis) => last - first[axis]! + 1) as unknown as Vec3;
  const like = { ...grid, size, origin: indexToPhysical(grid, first) };
  const lesion = resample(mask, { like }, { interpolation: 'nearest' });
  const found = boundingBox(lesion);
  if (found === null) {
    throw new LesionMaskError({
      code: 'EMPTY_MASK',
      message: `the lesion is lost at a spacing of ${grid.spacing.join(' x ')} mm: choose a finer spacing`,
    });
  }
  return {
    givenVolumeMm3: volumeMm3(crop(mask, tight)),
    lesion: crop(lesion, found),
    first: found.minimum.map((v, axis) => v + first[axis]!) as unknown as Vec3,
  };
}
