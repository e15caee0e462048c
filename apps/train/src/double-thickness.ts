import { indexToPhysical, type Mask, type Vec3, type Volume } from '@onco-response/volume';

/**
 * The volume as slices of twice the thickness: neighbours along the axis that runs to the head are averaged in pairs, and a
 * voxel is lesion where either was. An odd last slice is a pair with itself.
 */
export function doubleThickness({ volume, lesion }: { volume: Volume; lesion: Mask }): {
  volume: Volume;
  lesion: Mask;
} {
  const along = [0, 1, 2].map((axis) => Math.abs(volume.direction[6 + axis] as number));
  const axis = along.indexOf(Math.max(...along));
  return {
    volume: inPairs(volume, axis, (a, b) => (a + b) / 2, Float32Array),
    lesion: inPairs(lesion, axis, Math.max, Uint8Array),
  };
}

function inPairs<T extends Float32Array | Uint8Array>(
  volume: Volume,
  axis: number,
  join: (a: number, b: number) => number,
  type: new (length: number) => T,
): Volume<T> {
  const at = (vector: Vec3, value: number) => vector.with(axis, value) as unknown as Vec3;
  const depth = volume.size[axis] as number;
  const size = at(volume.size, Math.ceil(depth / 2));
  const data = new type(size[0] * size[1] * size[2]);
  const stride = [1, volume.size[0], volume.size[0] * volume.size[1]] as const;
  for (let z = 0, to = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++) {
      for (let x = 0; x < size[0]; x++, to++) {
        const index = [x, y, z];
        const first = 2 * (index[axis] as number);
        index[axis] = first;
        const from = index[0]! * stride[0] + index[1]! * stride[1] + index[2]! * stride[2];
        const next = first + 1 < depth ? from + stride[axis as 0 | 1 | 2] : from;
        data[to] = join(volume.data[from] as number, volume.data[next] as number);
      }
    }
  }
  return {
    data,
    size,
    spacing: at(volume.spacing, 2 * (volume.spacing[axis] as number)),
    origin: indexToPhysical(volume, at([0, 0, 0], 0.5)),
    direction: volume.direction,
  };
}
