import { mirror } from './axis-taps.js';
import type { Vec3, VoxelArray } from './types.js';

/** The kernel is cut off after this many standard deviations, as scipy.ndimage does. */
const TRUNCATE = 4;

/** Voxels that the kernel reaches to each side. */
export function gaussianRadius(sigma: number): number {
  return sigma > 0 ? Math.floor(TRUNCATE * sigma + 0.5) : 0;
}

/** Lines filtered side by side: memory is read in order, and a line of 512 voxels of all of them stays in the cache. */
const LANES = 64;

/**
 * A Gaussian low-pass with standard deviation `sigma` (voxels, per axis), sampled, normalised, cut off after four
 * standard deviations, mirrored at the outer voxels' centres: scipy.ndimage.gaussian_filter(mode='mirror'). Axis by
 * axis, kept as float32 between the axes (float64 for float64 voxels).
 */
export function gaussianSmooth(voxels: VoxelArray, size: Vec3, sigma: Vec3): Float32Array | Float64Array {
  const smooth = voxels instanceof Float64Array ? voxels.slice() : Float32Array.from(voxels);
  const [width, height, depth] = size;
  const plane = width * height;
  const strides = [1, width, plane] as const;
  for (let axis = 0; axis < 3; axis++) {
    const radius = gaussianRadius(sigma[axis]!);
    if (radius === 0) continue;
    const kernel = gaussianKernel(sigma[axis]!, radius);
    const filter = lineFilter(smooth, kernel, size[axis]!, strides[axis]!);
    // neighbouring lines are a voxel apart, but for lines along x: there they are a row apart
    if (axis === 0)
      for (let row = 0; row < height * depth; row += LANES)
        filter(row * width, width, Math.min(LANES, height * depth - row));
    else if (axis === 1) {
      for (let z = 0; z < depth; z++) {
        for (let x = 0; x < width; x += LANES) filter(x + plane * z, 1, Math.min(LANES, width - x));
      }
    } else for (let at = 0; at < plane; at += LANES) filter(at, 1, Math.min(LANES, plane - at));
  }
  return smooth;
}

/** One half of the symmetric kernel: the weight at the centre, then outwards; they sum up to 1 over both sides. */
function gaussianKernel(sigma: number, radius: number): Float64Array {
  const kernel = Float64Array.from({ length: radius + 1 }, (_, n) =>
    Math.exp((-0.5 * n * n) / (sigma * sigma)),
  );
  const total = 2 * kernel.reduce((sum, weight) => sum + weight, 0) - kernel[0]!;
  return kernel.map((weight) => weight / total);
}

function lineFilter(
  voxels: Float32Array | Float64Array,
  kernel: Float64Array,
  length: number,
  stride: number,
): (start: number, laneStep: number, lanes: number) => void {
  const radius = kernel.length - 1;
  const lines = new Float64Array((length + 2 * radius) * LANES);
  const place = Int32Array.from({ length: length + 2 * radius }, (_, n) => mirror(n - radius, length));
  return (start, laneStep, lanes) => {
    for (let n = 0; n < place.length; n++) {
      const at = start + stride * place[n]!;
      for (let lane = 0; lane < lanes; lane++) lines[n * LANES + lane] = voxels[at + lane * laneStep]!;
    }
    for (let n = 0; n < length; n++) {
      const at = start + stride * n;
      const centre = (n + radius) * LANES;
      for (let lane = 0; lane < lanes; lane++) {
        let sum = kernel[0]! * lines[centre + lane]!;
        for (let step = 1, by = LANES; step <= radius; step++, by += LANES) {
          sum += kernel[step]! * (lines[centre + lane - by]! + lines[centre + lane + by]!);
        }
        voxels[at + lane * laneStep] = sum;
      }
    }
  };
}
