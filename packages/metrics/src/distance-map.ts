/** Sizes and spacings along x, y, z of a grid whose voxel (i, j, k) is at i + nx (j + ny k). */
export interface DistanceGrid {
  size: readonly [number, number, number];
  spacing: readonly [number, number, number];
}

/**
 * The squared distance from each voxel to the nearest marked one, exact, one pass an axis (Felzenszwalb and Huttenlocher 2012:
 * the lower envelope of parabolas). At least one voxel has to be marked.
 */
export function squaredDistances(marked: Uint8Array, { size, spacing }: DistanceGrid): Float64Array {
  const map = Float64Array.from(marked, (value) => (value === 0 ? Number.POSITIVE_INFINITY : 0));
  const strides = [1, size[0], size[0] * size[1]];
  for (let axis = 0; axis < 3; axis++) {
    const length = size[axis]!;
    if (length === 1) continue;
    const stride = strides[axis]!;
    const line = new Float64Array(length);
    const apex = new Int32Array(length);
    const from = new Float64Array(length);
    const step = spacing[axis]! ** 2;
    for (let start = 0; start < map.length; start++) {
      if (Math.floor(start / stride) % length !== 0) continue;
      for (let q = 0; q < length; q++) line[q] = map[start + q * stride]!;
      envelope(line, step, apex, from, (q, value) => {
        map[start + q * stride] = value;
      });
    }
  }
  return map;
}

function envelope(
  line: Float64Array,
  step: number,
  apex: Int32Array,
  from: Float64Array,
  write: (q: number, value: number) => void,
): void {
  let count = 0;
  for (let q = 0; q < line.length; q++) {
    if (line[q] === Number.POSITIVE_INFINITY) continue;
    let meet = Number.NEGATIVE_INFINITY;
    while (count > 0) {
      const last = apex[count - 1]!;
      meet = (line[q]! - line[last]! + step * (q * q - last * last)) / (2 * step * (q - last));
      if (meet > from[count - 1]!) break;
      count--;
      meet = Number.NEGATIVE_INFINITY;
    }
    apex[count] = q;
    from[count] = meet;
    count++;
  }
  if (count === 0) return;
  for (let q = 0, k = 0; q < line.length; q++) {
    while (k + 1 < count && from[k + 1]! < q) k++;
    write(q, line[apex[k]!]! + step * (q - apex[k]!) ** 2);
  }
}
