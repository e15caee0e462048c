import type { Vec3 } from '@onco-response/volume';

/** What a voxel may become: organs are painted only where the abdominal cavity is. */
export const region = { outside: 0, wall: 1, cavity: 2 } as const;

/** A volume being painted, in HU, with its coordinates in mm (LPS: x to the patient's left, y to the back, z to the head). */
export interface Canvas {
  size: Vec3;
  spacing: Vec3;
  /** Centre of voxel (0, 0, 0): x and y have 0 in the middle of the field, z starts at 0. */
  origin: Vec3;
  hu: Float32Array;
  region: Uint8Array;
}

/** An ellipsoid, turned about the z axis. */
export interface Ellipsoid {
  center: Vec3;
  radii: Vec3;
  /** Radians. */
  angle?: number;
}

/** An empty canvas filled with air. */
export function makeCanvas(size: Vec3, spacing: Vec3): Canvas {
  const count = size[0] * size[1] * size[2];
  const origin: Vec3 = [(-(size[0] - 1) * spacing[0]) / 2, (-(size[1] - 1) * spacing[1]) / 2, 0];
  return { size, spacing, origin, hu: new Float32Array(count).fill(-1000), region: new Uint8Array(count) };
}

/** First and last voxel index, within the canvas, of an interval in mm along one axis. */
function voxelRange(canvas: Canvas, axis: 0 | 1 | 2, low: number, high: number): [number, number] {
  const at = (mm: number) => (mm - canvas.origin[axis]) / canvas.spacing[axis];
  return [Math.max(0, Math.ceil(at(low))), Math.min(canvas.size[axis] - 1, Math.floor(at(high)))];
}

/** Calls `visit` with every voxel of a box around `center`, and its position in mm. */
export function visitBox(
  canvas: Canvas,
  center: Vec3,
  reach: Vec3,
  visit: (voxel: number, x: number, y: number, z: number) => void,
): void {
  const { origin, spacing, size } = canvas;
  const [i0, i1] = voxelRange(canvas, 0, center[0] - reach[0], center[0] + reach[0]);
  const [j0, j1] = voxelRange(canvas, 1, center[1] - reach[1], center[1] + reach[1]);
  const [k0, k1] = voxelRange(canvas, 2, center[2] - reach[2], center[2] + reach[2]);
  for (let k = k0; k <= k1; k++) {
    for (let j = j0; j <= j1; j++) {
      for (let i = i0; i <= i1; i++) {
        const voxel = i + size[0] * (j + size[1] * k);
        visit(voxel, origin[0] + i * spacing[0], origin[1] + j * spacing[1], origin[2] + k * spacing[2]);
      }
    }
  }
}

/**
 * Paints an ellipsoid into the cavity. `paint` gets q (0 in the centre, 1 on the surface) up to `reach` and the position,
 * and gives the new HU, or undefined to leave the voxel as it is.
 */
export function paintEllipsoid(
  canvas: Canvas,
  { center, radii, angle = 0 }: Ellipsoid,
  paint: (q: number, x: number, y: number, z: number) => number | undefined,
  reach = 1,
): void {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const wide = Math.max(radii[0], radii[1]) * reach;
  visitBox(canvas, center, [wide, wide, radii[2] * reach], (voxel, x, y, z) => {
    if (canvas.region[voxel] !== region.cavity) return;
    const dx = x - center[0];
    const dy = y - center[1];
    const u = (cos * dx + sin * dy) / radii[0];
    const v = (cos * dy - sin * dx) / radii[1];
    const w = (z - center[2]) / radii[2];
    const q = Math.sqrt(u * u + v * v + w * w);
    if (q > reach) return;
    const hu = paint(q, x, y, z);
    if (hu !== undefined) canvas.hu[voxel] = hu;
  });
}
