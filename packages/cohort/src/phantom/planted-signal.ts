import { SeededRandom } from '../seeded-random.js';
import type { PhantomOptions } from './phantom-options.js';

/** What decides a synthetic case's label. */
export interface PlantedSignal {
  /** m ~ N(0, 1): drives the morphology of every lesion of the case. */
  latent: number;
  /** P(label = 1 | m). */
  probability: number;
  /** Drawn from that probability. */
  label: 0 | 1;
}

type SignalOptions = Required<Pick<PhantomOptions, 'strength' | 'intercept'>>;

/** P(label = 1 | latent). */
function labelProbability(latent: number, { strength, intercept }: SignalOptions): number {
  return 1 / (1 + Math.exp(-(intercept + strength * latent)));
}

/** Draws latent and label of one case. */
export function drawSignal(seed: number, index: number, options: SignalOptions): PlantedSignal {
  const random = new SeededRandom(seed, `phantom ${index} signal`);
  const latent = random.normal();
  const probability = labelProbability(latent, options);
  return { latent, probability, label: random.uniform() < probability ? 1 : 0 };
}

/**
 * The best AUC any model can reach on average over cases drawn like these: that of the latent itself, as expected over
 * the labels' own randomness. `sum_{m > m'} p(m) (1 - p(m')) / (sum p * sum (1 - p))` over the latents given, or over
 * 200,001 points of the normal density where none are.
 *
 * @example
 * const best = reachableAuc({ strength: 4, intercept: 0 });
 */
export function reachableAuc(options: SignalOptions, latents?: readonly number[]): number {
  const points = latents
    ? latents.map((latent) => ({ latent, weight: 1 }))
    : Array.from({ length: 200_001 }, (_, index) => {
        const latent = -8 + index * 8e-5;
        return { latent, weight: Math.exp(-(latent ** 2) / 2) };
      });
  const direction = Math.sign(options.strength) || 1;
  points.sort((a, b) => direction * (a.latent - b.latent));
  let positive = 0;
  let negative = 0;
  let ordered = 0;
  let itself = 0; // no case is compared with itself
  for (const { latent, weight } of points) {
    const one = weight * labelProbability(latent, options);
    const zero = weight - one;
    ordered += one * negative;
    itself += one * zero;
    positive += one;
    negative += zero;
  }
  return ordered / (positive * negative - itself);
}
