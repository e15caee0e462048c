import type { SeededRandom } from '../seeded-random.js';

/** A star-shaped surface: the distance in mm from the centre to the surface along a unit direction. */
export interface LesionSurface {
  distance(x: number, y: number, z: number): number;
  /** The largest distance. */
  reach: number;
}

interface Wave {
  direction: Direction;
  order: number;
  weight: number;
}
type Direction = readonly [number, number, number];

/** Directions over which a surface is measured: a Fibonacci sphere, 600 points of equal area. */
const sphere: readonly Direction[] = Array.from({ length: 600 }, (_, index) => {
  const z = 1 - (2 * index + 1) / 600;
  const angle = index * Math.PI * (3 - Math.sqrt(5));
  const ring = Math.sqrt(1 - z * z);
  return [ring * Math.cos(angle), ring * Math.sin(angle), z];
});

/**
 * Draws a surface: an ellipsoid whose radius is multiplied by 1 + irregularity * f, with f a sum of Legendre waves of
 * orders 3 to 6 about random axes (lobes) and of narrow bumps (spicules), scaled to a root mean square of 1.
 * The whole is rescaled so that it encloses exactly the volume of a ball of `radius`: volume cannot tell irregularity.
 */
export function drawSurface(random: SeededRandom, radius: number, irregularity: number): LesionSurface {
  const axes = [0, 1, 2].map(() => Math.exp(0.12 * random.normal()));
  const waves = Array.from(
    { length: 9 },
    (): Wave => ({
      direction: randomDirection(random),
      order: 3 + random.integer(4),
      weight: random.normal(),
    }),
  );
  const spicules = Array.from({ length: 6 }, () => ({
    direction: randomDirection(random),
    weight: random.uniform(0.8, 2.2),
  }));
  const rough = (x: number, y: number, z: number) => {
    let sum = 0;
    for (const { direction, order, weight } of waves) {
      sum += weight * legendre(order, x * direction[0] + y * direction[1] + z * direction[2]);
    }
    for (const { direction, weight } of spicules) {
      const along = x * direction[0] + y * direction[1] + z * direction[2];
      if (along > 0.7) sum += weight * Math.exp(22 * (along - 1));
    }
    return sum;
  };
  const values = sphere.map((direction) => rough(...direction));
  const mean = average(values);
  const spread = Math.sqrt(average(values.map((value) => (value - mean) ** 2)));
  const unscaled = (x: number, y: number, z: number) => {
    const base = 1 / Math.hypot(x / axes[0]!, y / axes[1]!, z / axes[2]!);
    return base * Math.max(0.3, 1 + (irregularity * (rough(x, y, z) - mean)) / spread);
  };
  const distances = sphere.map((direction) => unscaled(...direction));
  const scale = radius / Math.cbrt(average(distances.map((distance) => distance ** 3)));
  return {
    distance: (x, y, z) => scale * unscaled(x, y, z),
    reach: 1.1 * scale * Math.max(...distances), // the largest of 600 directions is not quite the largest of all
  };
}

function legendre(order: number, t: number): number {
  const t2 = t * t;
  if (order === 3) return t * (2.5 * t2 - 1.5);
  if (order === 4) return (35 * t2 * t2 - 30 * t2 + 3) / 8;
  if (order === 5) return (t * (63 * t2 * t2 - 70 * t2 + 15)) / 8;
  return (231 * t2 * t2 * t2 - 315 * t2 * t2 + 105 * t2 - 5) / 16;
}

function randomDirection(random: SeededRandom): Direction {
  const [x, y, z] = [random.normal(), random.normal(), random.normal()];
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
