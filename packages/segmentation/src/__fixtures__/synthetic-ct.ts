import { createVolume, type Mask, type Vec3, type Volume } from '@onco-response/volume';

const SIZE: Vec3 = [32, 32, 8];
const SPACING: Vec3 = [1.5, 1.5, 4];

/**
 * A SYNTHETIC CT of the kind that the tiny model of Dataset803_SyntheticLesion was trained on
 * (tooling/reference/segmentation_lesion_model.py): a ball of 220 HU, with bright stripes or not, in a body of 40 HU in
 * noise; and the ball as a mask.
 */
export function syntheticCt(
  seed: number,
  { lesion = true, striped = false }: { lesion?: boolean; striped?: boolean } = {},
): { volume: Volume<Int16Array>; mask: Mask } {
  const random = uniform(seed);
  const [nx, ny, nz] = SIZE;
  const data = new Int16Array(nx * ny * nz);
  const ball = new Uint8Array(data.length);
  const centre = [0, 0, 0].map(() => 8 * (random() - 0.5));
  const radius = 8 + 4 * random();
  for (let k = 0, at = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++, at++) {
        const [x, y, z] = [i, j, k].map(
          (index, axis) => (index - (SIZE[axis]! - 1) / 2) * SPACING[axis]!,
        ) as unknown as Vec3;
        const away = Math.hypot(x - centre[0]!, y - centre[1]!, z - centre[2]!);
        const noise = 12 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
        let hu = Math.hypot(x, y) < 22 ? 40 : -800;
        if (lesion && away < radius) {
          ball[at] = 1;
          hu = 220 + (striped && i % 4 < 2 ? 40 : 0);
        }
        data[at] = Math.round(hu + noise);
      }
    }
  }
  const grid = { size: SIZE, spacing: SPACING };
  return { volume: createVolume({ ...grid, data }), mask: createVolume({ ...grid, data: ball }) };
}

/** mulberry32 */
function uniform(seed: number): () => number {
  let state = seed + 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
