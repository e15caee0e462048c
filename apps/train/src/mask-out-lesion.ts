import { connectedComponents, type Mask, type Vec3, type Volume } from '@onco-response/volume';

/** Times the radius of the ball of a lesion's volume: past the lobes of all but the most irregular lesions. */
const REACH = 1.6;

/**
 * `control: lesionMaskedOut`: a copy of the volume without its lesions. About each (a connected part of the mask) a ball
 * whose radius follows from the lesion's volume alone is filled with what lies around it, mirrored at the ball's surface,
 * noise and all; so is what of the lesion sticks out of the ball. Neither texture nor outline is left to read.
 */
export function maskOutLesion(volume: Volume, lesion: Mask): Volume {
  const { size, spacing } = volume;
  const data = volume.data.slice();
  const { labels, components } = connectedComponents(lesion);
  for (const { label, volumeMm3 } of components) {
    const radius = REACH * Math.cbrt((3 * volumeMm3) / (4 * Math.PI));
    const own = extentOf(labels.data, label, size);
    const reach = spacing.map((side) => Math.ceil(radius / side));
    const low = own.centre.map((at, axis) =>
      Math.max(0, Math.min(own.low[axis]!, Math.floor(at - reach[axis]!))),
    );
    const high = own.centre.map((at, axis) =>
      Math.min(size[axis]! - 1, Math.max(own.high[axis]!, Math.ceil(at + reach[axis]!))),
    );
    for (let z = low[2]!; z <= high[2]!; z++) {
      for (let y = low[1]!; y <= high[1]!; y++) {
        for (let x = low[0]!; x <= high[0]!; x++) {
          const voxel = x + size[0] * (y + size[1] * z);
          const away = [x, y, z].map((at, axis) => (at - own.centre[axis]!) * spacing[axis]!);
          const distance = Math.hypot(...away);
          if (distance > radius && labels.data[voxel] !== label) continue;
          const direction = distance === 0 ? [1, 0, 0] : away.map((mm) => mm / distance);
          const from = distance > radius ? distance : 2 * radius - distance;
          data[voxel] = surrounding(volume, lesion, own.centre, direction, from);
        }
      }
    }
  }
  return { ...volume, data };
}

/** The first value along a ray, from `from` mm on, that is no lesion's; else the same the other way; else the volume's least. */
function surrounding(
  { data, size, spacing }: Volume,
  lesion: Mask,
  centre: readonly number[],
  direction: readonly number[],
  from: number,
): number {
  for (const sign of [1, -1]) {
    for (let mm = from; ; mm += Math.min(...spacing)) {
      const [x, y, z] = direction.map((share, axis) =>
        Math.round(centre[axis]! + (sign * share * mm) / spacing[axis]!),
      ) as [number, number, number];
      if (x < 0 || y < 0 || z < 0 || x >= size[0] || y >= size[1] || z >= size[2]) break;
      const voxel = x + size[0] * (y + size[1] * z);
      if (lesion.data[voxel] === 0) return data[voxel]!;
    }
  }
  let least = Number.POSITIVE_INFINITY;
  for (const value of data) least = Math.min(least, value);
  return least;
}

/** Centre of mass and bounding box, in voxels, of a label. */
function extentOf(labels: Uint32Array, label: number, size: Vec3) {
  const sum = [0, 0, 0];
  const low = [...size] as [number, number, number];
  const high = [-1, -1, -1];
  let count = 0;
  for (let z = 0, voxel = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++) {
      for (let x = 0; x < size[0]; x++, voxel++) {
        if (labels[voxel] !== label) continue;
        count++;
        [x, y, z].forEach((at, axis) => {
          sum[axis]! += at;
          low[axis] = Math.min(low[axis]!, at);
          high[axis] = Math.max(high[axis]!, at);
        });
      }
    }
  }
  return { centre: sum.map((total) => total / count), low, high };
}
