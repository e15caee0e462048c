import type { Mask, Volume } from '@onco-response/volume';
import { SeededRandom } from '../seeded-random.js';
import { type Body, drawBody } from './body.js';
import { type Canvas, makeCanvas, visitBox } from './canvas.js';
import { type LatticeNoise, latticeNoise } from './lattice-noise.js';
import { drawLesions, type Lesion } from './lesions.js';
import { paintOrgans } from './organs.js';
import { completeOptions, type PhantomOptions } from './phantom-options.js';
import { drawSignal, type PlantedSignal } from './planted-signal.js';
import { scan } from './scanner.js';

/** The truth about one synthetic case, without its images. */
export interface PhantomTruth extends PlantedSignal {
  lesionCount: number;
  /** Volume of the mask. */
  volumeMm3: number;
}

/** One synthetic case: an abdominal CT in HU with its lesion mask (1 = lesion). */
export interface PhantomCase extends PhantomTruth {
  volume: Volume<Int16Array>;
  mask: Mask;
}

/**
 * Makes one case of the synthetic cohort `seed`: the same arguments always give the same case.
 *
 * A latent m ~ N(0, 1) sets how irregular the surface of the case's lesions is and how necrotic and coarse their inside;
 * the label is drawn from sigmoid(intercept + strength * m). The mask's volume does not depend on m unless
 * `confoundVolume` is given. Everything else (body, organs, contrast phase, places, sizes, noise) is chance.
 *
 * @throws CohortError `OPTIONS`
 * @example
 * const { volume, mask, label, latent } = phantomCase(7, 0);
 */
export function phantomCase(seed: number, index: number, options: PhantomOptions = {}): PhantomCase {
  const plan = planCase(seed, index, options);
  const { canvas, body, lesions } = plan;
  const noise = latticeNoise(new SeededRandom(seed, `phantom ${index} noise`));
  body.paint(canvas, noise);
  paintOrgans(canvas, body, noise, new SeededRandom(seed, `phantom ${index} organs`));
  const mask = maskOf(canvas, lesions, (voxel, lesion, share, x, y, z) => {
    canvas.hu[voxel] = lesionHu(lesion, share, noise, x, y, z);
  });
  const scanner = new SeededRandom(seed, `phantom ${index} scanner`);
  const image = scan(canvas, scanner.uniform(9, 15), scanner);
  return { ...truthOf(plan, mask), volume: gridOf(canvas, image), mask: gridOf(canvas, mask) };
}

/** What {@link phantomCase} would tell of a case, without painting it. */
export function phantomTruth(seed: number, index: number, options: PhantomOptions = {}): PhantomTruth {
  const plan = planCase(seed, index, options);
  return truthOf(plan, maskOf(plan.canvas, plan.lesions));
}

interface CasePlan {
  canvas: Canvas;
  body: Body;
  lesions: Lesion[];
  signal: PlantedSignal;
}

function planCase(seed: number, index: number, given: PhantomOptions): CasePlan {
  const options = completeOptions(given);
  const signal = drawSignal(seed, index, options);
  const canvas = makeCanvas(options.size, options.spacing);
  const body = drawBody(
    new SeededRandom(seed, `phantom ${index} body`),
    options.size[2] * options.spacing[2],
  );
  const random = new SeededRandom(seed, `phantom ${index} lesions`);
  const pull = options.confoundVolume;
  const sizeScore = -pull * signal.latent + Math.sqrt(1 - pull * pull) * random.normal();
  const lesions = drawLesions(random, body, signal.latent, sizeScore);
  return { canvas, body, lesions, signal };
}

/** 0/1 voxels whose centre is inside a lesion; `paint` gets each with its share of the way from centre to surface. */
function maskOf(
  canvas: Canvas,
  lesions: readonly Lesion[],
  paint?: (voxel: number, lesion: Lesion, share: number, x: number, y: number, z: number) => void,
): Uint8Array {
  const mask = new Uint8Array(canvas.hu.length);
  for (const lesion of lesions) {
    const { center, surface } = lesion;
    visitBox(canvas, center, [surface.reach, surface.reach, surface.reach], (voxel, x, y, z) => {
      const [dx, dy, dz] = [x - center[0], y - center[1], z - center[2]];
      const distance = Math.hypot(dx, dy, dz);
      if (distance > surface.reach) return;
      const edge =
        distance === 0 ? surface.reach : surface.distance(dx / distance, dy / distance, dz / distance);
      if (distance > edge) return;
      mask[voxel] = 1;
      if (paint) paint(voxel, lesion, distance / edge, x, y, z);
    });
  }
  return mask;
}

/** HU inside a lesion: solid tissue with fine texture and, as heterogeneity rises, a dark core, a rim and coarse texture. */
function lesionHu(
  lesion: Lesion,
  share: number,
  noise: LatticeNoise,
  x: number,
  y: number,
  z: number,
): number {
  const { heterogeneity, hu, grain } = lesion;
  const coarse = noise(x / 9 + grain, y / 9, z / 11);
  const core = 0.35 + 0.4 * heterogeneity + 0.12 * coarse; // share of the radius that is necrotic
  const inside = Math.min(1, Math.max(0, (core - share) / 0.15));
  const rim = share > 0.8 ? 18 * heterogeneity : 0;
  return hu - 45 * heterogeneity * inside + rim + (3 + 20 * heterogeneity) * coarse;
}

function truthOf({ canvas, lesions, signal }: CasePlan, mask: Uint8Array): PhantomTruth {
  const voxels = mask.reduce((sum, value) => sum + value, 0);
  const [x, y, z] = canvas.spacing;
  return { ...signal, lesionCount: lesions.length, volumeMm3: voxels * x * y * z };
}

function gridOf<T extends Int16Array | Uint8Array>({ size, spacing, origin }: Canvas, data: T): Volume<T> {
  return { data, size, spacing, origin, direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] };
}
