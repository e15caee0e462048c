import type { PngImage } from '@onco-response/report';

/** Purple over orange to yellow (matplotlib's inferno): lightness rises all the way, so it is read without colours too. */
const STOPS = [
  [0, 0, 4],
  [87, 16, 110],
  [188, 55, 84],
  [249, 142, 9],
  [252, 255, 164],
] as const;
const OUTLINE = [86, 180, 233] as const; // Okabe-Ito sky blue, which the map does not use
const GAP = 4;

/**
 * A map over a slice: the larger the value, the less of the grey shows through. Values from the share `top` of
 * the pixels on look alike, so that a few outliers leave the rest to be seen; the lesion's edge is drawn in blue.
 *
 * @param map [size * size], from 0 on; without it the slice alone
 */
export function heatMap(
  grey: Uint8Array,
  lesion: Uint8Array,
  size: number,
  map?: ArrayLike<number>,
  top = 0.99,
): PngImage {
  const largest = map ? percentile(map, top) : 0;
  const data = new Uint8Array(size * size * 3);
  for (let at = 0; at < size * size; at++) {
    const strength = map && largest > 0 ? Math.min(1, map[at]! / largest) : 0;
    const colour = colourOf(strength);
    for (let c = 0; c < 3; c++) {
      data[3 * at + c] = Math.round((1 - 0.8 * strength) * grey[at]! + 0.8 * strength * colour[c]!);
    }
    if (isEdge(lesion, at, size)) data.set(OUTLINE, 3 * at);
  }
  return { width: size, height: size, channels: 3, data };
}

/** Pictures of one size in rows, enlarged. */
export function sheet(rows: readonly (readonly PngImage[])[], zoom: number): PngImage {
  const [first] = rows[0]!;
  const side = first!.width * zoom;
  const columns = Math.max(...rows.map((row) => row.length));
  const width = columns * (side + GAP) + GAP;
  const height = rows.length * (side + GAP) + GAP;
  const data = new Uint8Array(width * height * 3).fill(255);
  rows.forEach((row, r) => {
    row.forEach((picture, c) => {
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          const from = 3 * (Math.floor(y / zoom) * picture.width + Math.floor(x / zoom));
          const to = 3 * ((GAP + r * (side + GAP) + y) * width + GAP + c * (side + GAP) + x);
          data.set(picture.data.subarray(from, from + 3), to);
        }
      }
    });
  });
  return { width, height, channels: 3, data };
}

/** A map with each pixel the mean of the square around it, so that single pixels can be seen; the sum stays, but at the edge. */
export function smoothed(map: ArrayLike<number>, size: number, reach: number): Float32Array {
  const along = (values: ArrayLike<number>, stride: number, other: number) => {
    const result = new Float32Array(size * size);
    for (let line = 0; line < size; line++) {
      for (let at = 0; at < size; at++) {
        let [sum, count] = [0, 0];
        for (let near = Math.max(0, at - reach); near <= Math.min(size - 1, at + reach); near++, count++) {
          sum += values[line * other + near * stride]!;
        }
        result[line * other + at * stride] = sum / count;
      }
    }
    return result;
  };
  return along(along(map, 1, size), size, 1);
}

function colourOf(strength: number): [number, number, number] {
  const place = strength * (STOPS.length - 1);
  const below = Math.min(STOPS.length - 2, Math.floor(place));
  const share = place - below;
  const mix = (c: 0 | 1 | 2) => (1 - share) * STOPS[below]![c] + share * STOPS[below + 1]![c];
  return [mix(0), mix(1), mix(2)];
}

function isEdge(lesion: Uint8Array, at: number, size: number): boolean {
  if (lesion[at] === 0) return false;
  const [x, y] = [at % size, Math.floor(at / size)];
  if (x === 0 || y === 0 || x === size - 1 || y === size - 1) return true;
  return [at - 1, at + 1, at - size, at + size].some((near) => lesion[near] === 0);
}

function percentile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(share * (sorted.length - 1))]!;
}
