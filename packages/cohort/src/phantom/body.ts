import type { SeededRandom } from '../seeded-random.js';
import { type Canvas, region } from './canvas.js';
import type { LatticeNoise } from './lattice-noise.js';

/** The trunk of one synthetic patient. */
export interface Body {
  /** Half widths in mm of the abdominal cavity, [lateral, front to back]. */
  cavity: [number, number];
  /** Height of the field in mm. */
  height: number;
  paint(canvas: Canvas, noise: LatticeNoise): void;
}

/** Draws a trunk: a superellipse with an uneven outline, skin, subcutaneous fat, muscle wall, ribs, cavity fat. */
export function drawBody(random: SeededRandom, height: number): Body {
  const halfWidth = random.uniform(122, 148);
  const halfDepth = halfWidth * random.uniform(0.68, 0.8);
  const fat = random.uniform(8, 26);
  const muscle = random.uniform(10, 14);
  const waist = random.uniform(-0.05, 0.05);
  const waves = [2, 3, 4, 5].map((order) => ({
    order,
    size: random.normal() * 0.012,
    phase: random.uniform(0, 2 * Math.PI),
  }));
  const ribTilt = random.uniform(0.35, 0.6);
  const ribStart = random.uniform(0, 1);
  const wallHu = random.uniform(50, 65);

  const outline = (angle: number) => {
    const c = Math.abs(Math.cos(angle)) / halfWidth;
    const s = Math.abs(Math.sin(angle)) / halfDepth;
    const wave = waves.reduce(
      (sum, { order, size, phase }) => sum + size * Math.cos(order * angle + phase),
      1,
    );
    return wave / (c ** 2.4 + s ** 2.4) ** (1 / 2.4);
  };

  return {
    cavity: [halfWidth - 1.1 * fat - muscle, halfDepth - fat - muscle],
    height,
    paint(canvas, noise) {
      const { size, spacing, origin } = canvas;
      const slice = size[0] * size[1];
      for (let pixel = 0; pixel < slice; pixel++) {
        const x = origin[0] + (pixel % size[0]) * spacing[0];
        const y = origin[1] + Math.floor(pixel / size[0]) * spacing[1];
        const distance = Math.hypot(x, y);
        const angle = Math.atan2(y, x);
        const edge = outline(angle);
        if (distance > edge * 1.06) continue;
        const fatHere = fat * (1 + 0.25 * Math.sin(2 * angle + 0.6) + 0.25 * Math.max(0, Math.sin(angle)));
        const muscleHere = muscle * (1 + 0.35 * Math.max(0, Math.sin(angle))); // thicker along the back
        for (let k = 0; k < size[2]; k++) {
          const z = origin[2] + k * spacing[2];
          const depth = edge * (1 + waist * Math.sin((Math.PI * z) / height)) - distance;
          if (depth < 0) continue;
          const voxel = pixel + slice * k;
          const grain = noise(x / 11, y / 11, z / 11);
          canvas.region[voxel] = region.wall;
          if (depth < 2.5) canvas.hu[voxel] = 0;
          else if (depth < fatHere) canvas.hu[voxel] = -104 + 7 * grain;
          else if (depth < fatHere + muscleHere) {
            // Ribs run down and forward around the upper half of the trunk.
            const across = Math.abs(Math.cos(angle)) > 0.25 && z > 0.55 * height;
            const turn = z / 34 + ribTilt * Math.abs(angle - Math.PI / 2) * 2 + ribStart;
            const rib = across && turn - Math.floor(turn) < 0.3 && depth > fatHere + 2;
            canvas.hu[voxel] = rib ? 320 + 60 * grain : wallHu + 7 * grain;
          } else {
            canvas.region[voxel] = region.cavity;
            canvas.hu[voxel] = -98 + 10 * grain;
          }
        }
      }
    },
  };
}
