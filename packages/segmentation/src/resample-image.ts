import { countOf, gather, permuted, type Shape3, sameShape, stridesOf } from './array-shape.js';
import { type AxisTaps, axisTaps, resampleLines } from './resample-axis.js';
import type { Resampling } from './resampling-plan.js';

/**
 * One image channel at another shape, as nnU-Net's `resample_data_or_seg` with `skimage.transform.resize` (mode 'edge', no
 * antialiasing): splines pass through the voxels, edge values go on outside, and what overshoots is clipped to the range
 * of the image; where an axis is resampled apart, to the range of each plane across it.
 */
export function resampleImage(image: Float32Array, resampling: Resampling): Float32Array {
  const { from, to, apart } = resampling;
  if (sameShape(from, to)) return image;
  if (apart === undefined) return resampleTogether(image, resampling);
  if (apart === 0) return resampleApart(image, resampling);
  const axes = apart === 1 ? [1, 0, 2] : [2, 0, 1];
  const back = apart === 1 ? [1, 0, 2] : [1, 2, 0];
  const inFront = resampleApart(transposed(image, from, axes), {
    ...resampling,
    from: permuted(from, axes),
    to: permuted(to, axes),
  });
  return transposed(inFront, permuted(to, axes), back);
}

function transposed(image: Float32Array, shape: Shape3, axes: readonly number[]): Float32Array {
  const sizes = permuted(shape, axes);
  return gather(
    image,
    permuted(stridesOf(shape), axes),
    sizes.map((size) => [0, size] as const),
  );
}

function resampleTogether(image: Float32Array, { from, to, order }: Resampling): Float32Array {
  const planes = new Float32Array(from[0] * to[1] * to[2]);
  const resize = planeResizer(from, to, order);
  const plane = from[1] * from[2];
  let [minimum, maximum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let z = 0; z < from[0]; z++) {
    const values = Float64Array.from(image.subarray(z * plane, (z + 1) * plane));
    for (const value of values) {
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
    }
    planes.set(resize(values), z * to[1] * to[2]);
  }
  const resampled = from[0] === to[0] ? planes : alongDepth(planes, to, axisTaps(from[0], to[0], order));
  for (let at = 0; at < resampled.length; at++) {
    const value = resampled[at]!;
    if (value < minimum) resampled[at] = minimum;
    else if (value > maximum) resampled[at] = maximum;
  }
  return resampled;
}

/** The first axis is apart: each plane in 2D, then along it. */
function resampleApart(image: Float32Array, { from, to, order, orderApart }: Resampling): Float32Array {
  const resize = planeResizer(from, to, order);
  const plane = from[1] * from[2];
  const clipped = (z: number): Float64Array => {
    const values = Float64Array.from(image.subarray(z * plane, (z + 1) * plane));
    const resized = resize(values);
    if (resized !== values) clipTo(resized, values);
    return resized;
  };
  const depth = from[0] === to[0] ? undefined : axisTaps(from[0], to[0], orderApart);
  if (depth && orderApart !== 0) {
    const planes = new Float32Array(from[0] * to[1] * to[2]);
    for (let z = 0; z < from[0]; z++) planes.set(clipped(z), z * to[1] * to[2]);
    return alongDepth(planes, to, depth);
  }
  const resampled = new Float32Array(countOf(to));
  let last: { z: number; values: Float64Array } | undefined;
  for (let z = 0; z < to[0]; z++) {
    const source = depth ? depth.first[z]! : z;
    if (last?.z !== source) last = { z: source, values: clipped(source) };
    resampled.set(last.values, z * to[1] * to[2]);
  }
  return resampled;
}

/** Resamples planes [from[1], from[2]] to [to[1], to[2]]; gives back what it was given where nothing changes. */
function planeResizer(
  from: Shape3,
  to: Shape3,
  order: Resampling['order'],
): (plane: Float64Array) => Float64Array {
  const rows = from[1] === to[1] ? undefined : axisTaps(from[1], to[1], order);
  const columns = from[2] === to[2] ? undefined : axisTaps(from[2], to[2], order);
  return (plane) => {
    let resized = plane;
    if (columns) {
      const across = turned(resized, from[1], from[2]); // [X, Y]
      resized = turned(resampleLines(across, from[1], columns), to[2], from[1]); // [Y, X']
    }
    return rows ? resampleLines(resized, to[2], rows) : resized;
  };
}

/** [rows, columns] to [columns, rows] */
function turned(plane: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(plane.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = plane[row * columns + column]!;
    }
  }
  return result;
}

/** Resamples planes of the wanted size along the first axis, row by row: a plane of lines at a time is in memory. */
function alongDepth(planes: Float32Array, to: Shape3, taps: AxisTaps): Float32Array {
  const [width, plane] = [to[2], to[1] * to[2]];
  const resampled = new Float32Array(countOf(to));
  const lines = new Float64Array(taps.from * width);
  for (let y = 0; y < to[1]; y++) {
    for (let z = 0; z < taps.from; z++) {
      const row = z * plane + y * width;
      lines.set(planes.subarray(row, row + width), z * width);
    }
    const result = resampleLines(lines, width, taps);
    for (let z = 0; z < to[0]; z++) {
      resampled.set(result.subarray(z * width, (z + 1) * width), z * plane + y * width);
    }
  }
  return resampled;
}

function clipTo(values: Float64Array, range: Float64Array): void {
  let [minimum, maximum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of range) {
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  for (let at = 0; at < values.length; at++) {
    values[at] = Math.min(Math.max(values[at]!, minimum), maximum);
  }
}
