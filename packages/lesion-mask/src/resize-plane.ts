/** A square cut out of a plane of width x height voxels, in fractional voxel edges (0 = left edge of the first). */
export interface PlaneCut {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  /** Extent in voxels along x and y. */
  readonly across: number;
  readonly down: number;
}

/** Weights of source voxels for each target pixel: source `first[t] + n` has weight `weights[t][n]`. */
interface Taps {
  readonly first: Int32Array;
  readonly weights: readonly Float64Array[];
}

/**
 * Triangle filter as wide as the step: bilinear when enlarging, antialiased when shrinking (as Pillow's BILINEAR and
 * torchvision's resize with antialias). Weights are renormalised at the plane's edge.
 */
function triangleTaps(length: number, start: number, extent: number, targets: number): Taps {
  const step = extent / targets;
  const reach = Math.max(step, 1);
  const first = new Int32Array(targets);
  const weights = Array.from({ length: targets }, (_, target) => {
    const centre = start + (target + 0.5) * step;
    const from = Math.min(Math.max(Math.floor(centre - reach + 0.5), 0), length - 1);
    const to = Math.min(Math.max(Math.floor(centre + reach + 0.5), from + 1), length);
    first[target] = from;
    const row = Float64Array.from({ length: to - from }, (_, n) =>
      Math.max(0, 1 - Math.abs((from + n + 0.5 - centre) / reach)),
    );
    const sum = row.reduce((total, weight) => total + weight, 0);
    if (sum === 0) return row.fill(1 / row.length);
    return row.map((weight) => weight / sum);
  });
  return { first, weights };
}

/**
 * Resizes the cut of any plane of that shape to imageSize x imageSize, bilinear with antialias. The weights are
 * computed once for all slices.
 */
export function smoothResizer(cut: PlaneCut, imageSize: number): (plane: ArrayLike<number>) => Float32Array {
  const x = triangleTaps(cut.width, cut.left, cut.across, imageSize);
  const y = triangleTaps(cut.height, cut.top, cut.down, imageSize);
  return (plane) => {
    const narrow = new Float64Array(cut.height * imageSize); // [height, imageSize]
    for (let row = 0; row < cut.height; row++) {
      for (let t = 0; t < imageSize; t++) {
        const weights = x.weights[t]!;
        const from = row * cut.width + x.first[t]!;
        let sum = 0;
        for (let n = 0; n < weights.length; n++) sum += weights[n]! * plane[from + n]!;
        narrow[row * imageSize + t] = sum;
      }
    }
    const resized = new Float32Array(imageSize * imageSize);
    for (let t = 0; t < imageSize; t++) {
      const weights = y.weights[t]!;
      for (let n = 0; n < weights.length; n++) {
        const weight = weights[n]!;
        const from = (y.first[t]! + n) * imageSize;
        const to = t * imageSize;
        for (let i = 0; i < imageSize; i++) resized[to + i] = resized[to + i]! + weight * narrow[from + i]!;
      }
    }
    return resized;
  };
}

/** Resizes a mask's cut: each pixel takes the label of the voxel its centre lies in; pixels beyond the plane are 0. */
export function resizeNearest(plane: ArrayLike<number>, cut: PlaneCut, imageSize: number): Uint8Array {
  const column = Array.from({ length: imageSize }, (_, t) =>
    Math.floor(cut.left + ((t + 0.5) * cut.across) / imageSize),
  );
  const row = Array.from({ length: imageSize }, (_, t) =>
    Math.floor(cut.top + ((t + 0.5) * cut.down) / imageSize),
  );
  const resized = new Uint8Array(imageSize * imageSize);
  for (let y = 0; y < imageSize; y++) {
    if (row[y]! < 0 || row[y]! >= cut.height) continue;
    for (let x = 0; x < imageSize; x++) {
      const from = column[x]!;
      if (from >= 0 && from < cut.width) resized[y * imageSize + x] = plane[row[y]! * cut.width + from]!;
    }
  }
  return resized;
}
