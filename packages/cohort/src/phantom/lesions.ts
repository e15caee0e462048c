import type { Vec3 } from '@onco-response/volume';
import type { SeededRandom } from '../seeded-random.js';
import type { Body } from './body.js';
import { drawSurface, type LesionSurface } from './lesion-surface.js';

/** One lesion before it is painted. */
export interface Lesion {
  center: Vec3;
  /** mm of the ball of the same volume. */
  radius: number;
  surface: LesionSurface;
  /** 0 to 1: how much of a necrotic core, a rim and coarse texture it has. */
  heterogeneity: number;
  /** Mean HU of its solid part. */
  hu: number;
  /** Offset into the noise field, so that no two lesions share a texture. */
  grain: number;
}

/** Where lesions grow: share of the cavity's half width, half depth, and of the height, with the spread of each. */
const sites: readonly { at: Vec3; spread: Vec3 }[] = [
  { at: [0, -0.5, 0.45], spread: [0.5, 0.12, 0.15] }, // omentum
  { at: [0, 0.05, 0.22], spread: [0.35, 0.2, 0.06] }, // pelvis
  { at: [-0.62, 0.1, 0.45], spread: [0.1, 0.2, 0.15] }, // right paracolic gutter
  { at: [0.62, 0.1, 0.45], spread: [0.1, 0.2, 0.15] }, // left paracolic gutter
  { at: [0, -0.1, 0.45], spread: [0.35, 0.2, 0.15] }, // mesentery
  { at: [-0.5, -0.1, 0.75], spread: [0.15, 0.25, 0.06] }, // liver
];

/** Lesion-level scatter of the two signs around the case's latent: morphology shows the latent, but not exactly. */
const scatter = 0.25;

/**
 * Draws the lesions of a case. The latent enters only through `irregularity` and `heterogeneity`; sizes depend on it
 * only through `sizeScore`, which the caller makes independent of it or not.
 */
export function drawLesions(random: SeededRandom, body: Body, latent: number, sizeScore: number): Lesion[] {
  const share = random.uniform();
  const wanted = share < 0.3 ? 1 : share < 0.6 ? 2 : share < 0.85 ? 3 : 4;
  const hu = random.uniform(48, 72);
  const lesions: Lesion[] = [];
  for (let lesion = 0; lesion < wanted; lesion++) {
    const diameter = 35 * Math.exp(0.2 * sizeScore + 0.15 * random.normal());
    const radius = Math.min(60, Math.max(20, diameter)) / 2;
    const center = place(random, body, radius, lesions);
    const irregularity = 0.03 + 0.21 * sigmoid(1.3 * (latent + scatter * random.normal()));
    const heterogeneity = sigmoid(1.3 * (latent + scatter * random.normal()));
    const surface = drawSurface(random, radius, irregularity);
    const grain = random.uniform(0, 32);
    if (center) lesions.push({ center, radius, surface, heterogeneity, hu: hu + 5 * random.normal(), grain });
  }
  return lesions;
}

/** A free place at one of the sites; undefined where forty draws found none (never for the first lesion). */
function place(
  random: SeededRandom,
  body: Body,
  radius: number,
  others: readonly Lesion[],
): Vec3 | undefined {
  for (let attempt = 0; attempt < 40; attempt++) {
    const { at, spread } = sites[random.integer(sites.length)]!;
    const [x, y, z] = at.map((share, axis) => share + spread[axis]! * random.uniform(-1, 1)) as [
      number,
      number,
      number,
    ];
    const center: Vec3 = [x * body.cavity[0], y * body.cavity[1], z * body.height];
    const inside =
      Math.hypot(center[0] / (body.cavity[0] - radius), center[1] / (body.cavity[1] - radius)) < 0.95;
    const within = center[2] > 1.5 * radius && center[2] < body.height - 1.5 * radius;
    const clear = others.every((other) => distance(other.center, center) > 1.35 * (other.radius + radius));
    if (inside && within && clear) return center;
  }
  return others.length === 0 ? [0, -0.1 * body.cavity[1], 0.45 * body.height] : undefined;
}

function distance(a: Vec3, b: Vec3): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
