/** A closed polygon in voxel indices: x0, y0, x1, y1, ...; the last point is joined to the first. */
export type Polygon = Float64Array;

/**
 * The voxels of a plane whose centres lie inside the polygons by the even-odd rule over all of them, so that a polygon
 * inside another one is a hole and a keyhole's two edges cancel. A centre on a left or upper edge is inside, on a right
 * or lower one outside. Each edge flips its row from where it crosses on; the running parity is the mask.
 * @param polygons in voxel indices, so that voxel (x, y) has its centre at (x, y)
 * @returns [height, width] 0 or 1
 */
export function fillPolygons(polygons: readonly Polygon[], width: number, height: number): Uint8Array {
  const inside = new Uint8Array(width * height);
  for (const polygon of polygons) {
    for (let at = 0; at < polygon.length; at += 2) {
      const next = (at + 2) % polygon.length;
      const down = polygon[at + 1]! < polygon[next + 1]!;
      const [upper, lower] = down ? [at, next] : [next, at];
      const [x0, y0, x1, y1] = [polygon[upper]!, polygon[upper + 1]!, polygon[lower]!, polygon[lower + 1]!];
      const slope = (x1 - x0) / (y1 - y0);
      const end = Math.min(height, Math.ceil(y1));
      for (let row = Math.max(0, Math.ceil(y0)); row < end; row++) {
        const column = Math.max(0, Math.ceil(x0 + (row - y0) * slope));
        if (column < width) inside[row * width + column]! ^= 1;
      }
    }
  }
  for (let row = 0; row < height; row++) {
    for (let at = row * width + 1; at < (row + 1) * width; at++) inside[at]! ^= inside[at - 1]!;
  }
  return inside;
}
