import type { SeededRandom } from '../seeded-random.js';
import type { Canvas } from './canvas.js';

/**
 * What a scanner makes of the painted HU: in-plane blur by [1 2 1] / 4 each way and noise that is partly blurred with
 * it, so that neighbouring pixels are correlated as in a reconstruction. Gives whole HU, at least -1024.
 */
export function scan(canvas: Canvas, noiseHu: number, random: SeededRandom): Int16Array {
  const [width, height, depth] = canvas.size;
  const slice = width * height;
  const image = new Int16Array(slice * depth);
  const noise = new Float32Array(slice);
  const rough = new Float32Array(slice);
  const across = new Float32Array(slice);
  let word = random.bits() | 1;
  for (let k = 0; k < depth; k++) {
    const start = slice * k;
    for (let pixel = 0; pixel < slice; pixel++) {
      // xorshift32; the sum of its four bytes is close to normal, with mean 510 and standard deviation 147.8.
      word ^= word << 13;
      word ^= word >>> 17;
      word ^= word << 5;
      const bytes = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
      const deviate = (bytes - 510) * (noiseHu / 147.8);
      noise[pixel] = deviate;
      rough[pixel] = canvas.hu[start + pixel]! + 1.6 * deviate; // with 0.5 after the blur: standard deviation noiseHu
    }
    for (let pixel = 0; pixel < slice; pixel++) {
      const x = pixel % width;
      const left = rough[x > 0 ? pixel - 1 : pixel]!;
      const right = rough[x < width - 1 ? pixel + 1 : pixel]!;
      across[pixel] = (left + 2 * rough[pixel]! + right) / 4;
    }
    for (let pixel = 0; pixel < slice; pixel++) {
      const above = across[pixel >= width ? pixel - width : pixel]!;
      const below = across[pixel < slice - width ? pixel + width : pixel]!;
      const hu = (above + 2 * across[pixel]! + below) / 4 + 0.5 * noise[pixel]!;
      image[start + pixel] = hu < -1024 ? -1024 : Math.round(hu);
    }
  }
  return image;
}
