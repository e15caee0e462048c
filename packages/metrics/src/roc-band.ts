import type { BootstrapOptions } from './bootstrap-ci.js';
import { checkCount, checkLabelled, checkLevel, type Values } from './check-input.js';
import { quantile } from './quantile.js';
import { forEachResample } from './resampler.js';
import { rank } from './weighted-ranking.js';

/** Pointwise limits of sensitivity at each of `fpr`. */
export interface RocBand {
  fpr: number[];
  lower: number[];
  upper: number[];
}

/**
 * Pointwise bootstrap band of the ROC curve (vertical averaging: sensitivity at fixed 1 - specificity, linear between the
 * curve's points). It is a band for each point, not for the curve as a whole.
 *
 * @throws MetricsError as `bootstrapCi`
 * @see Fawcett 2006, section 9.1; Macskassy and Provost 2004
 * @example
 * rocBand(labels, scores, { resamples: 2000, seed: 7, points: 51 }).lower
 */
export function rocBand(
  labels: Values,
  scores: Values,
  { level = 0.95, points = 101, ...options }: Omit<BootstrapOptions, 'method'> & { points?: number } = {},
): RocBand {
  checkLabelled(labels, scores);
  checkLevel(level);
  checkCount(points, 'points', 2);
  const ranking = rank(labels, scores);
  const fpr = Array.from({ length: points }, (_, i) => i / (points - 1));
  const columns: number[][] = fpr.map(() => []);
  forEachResample(labels, options, (counts) => {
    let positives = 0;
    let negatives = 0;
    for (let i = 0; i < counts.length; i++) {
      if (labels[i] === 1) positives += counts[i]!;
      else negatives += counts[i]!;
    }
    if (positives === 0 || negatives === 0) return;
    let tp = 0;
    let fp = 0;
    let [lastX, lastY] = [0, 0];
    let next = 0;
    for (let k = 0; k < ranking.order.length; k++) {
      const index = ranking.order[k]!;
      if (ranking.labels[k] === 1) tp += counts[index]!;
      else fp += counts[index]!;
      if (ranking.endsTie[k] === 0) continue;
      const [x, y] = [fp / negatives, tp / positives];
      // At a vertical step the highest sensitivity counts, so a grid point waits until the curve has passed it.
      for (; next < points && fpr[next]! < x; next++) {
        columns[next]!.push(lastY + ((y - lastY) * (fpr[next]! - lastX)) / (x - lastX));
      }
      [lastX, lastY] = [x, y];
    }
    for (; next < points; next++) columns[next]!.push(1);
  });
  const sorted = columns.map((column) => Float64Array.from(column).sort());
  return {
    fpr,
    lower: sorted.map((column) => quantile(column, (1 - level) / 2)),
    upper: sorted.map((column) => quantile(column, (1 + level) / 2)),
  };
}
