import { type Calibrator, restoreCalibrator } from './calibrator.js';
import { checkLabelled, type Values } from './check-input.js';
import { scoreGroups } from './score-groups.js';

/** `x` rises, `y` never falls; between knots the curve is linear, beyond them constant. */
export type IsotonicCalibrator = Calibrator & { method: 'isotonic'; x: number[]; y: number[] };

/**
 * Isotonic calibration: the non-decreasing step function of least squares (pool adjacent violators), tied scores taken
 * together, linear interpolation between the fitted scores. It overfits below a few hundred cases and makes ties, so the AUC
 * may change a little.
 *
 * @throws MetricsError as `rocAuc`
 * @see Zadrozny and Elkan 2002; scikit-learn `IsotonicRegression(out_of_bounds='clip')`
 * @example
 * fitIsotonic([0, 1, 0, 1], [0.1, 0.3, 0.4, 0.8]).y // [0, 0.5, 0.5, 1]
 */
export function fitIsotonic(labels: Values, scores: Values): IsotonicCalibrator {
  const { positives } = checkLabelled(labels, scores);
  const groups = scoreGroups(labels, scores, positives);
  const blocks: { positives: number; count: number; first: number; last: number }[] = [];
  for (let g = groups.thresholds.length - 1; g >= 0; g--) {
    const score = groups.thresholds[g]!;
    const own = groups.positives[g]!;
    blocks.push({ positives: own, count: own + groups.negatives[g]!, first: score, last: score });
    for (
      let top = blocks.at(-1)!, below = blocks.at(-2);
      below;
      top = blocks.at(-1)!, below = blocks.at(-2)
    ) {
      // Shares compared as whole numbers, so that equal ones are equal.
      if (below.positives * top.count < top.positives * below.count) break;
      blocks.pop();
      below.positives += top.positives;
      below.count += top.count;
      below.last = top.last;
    }
  }
  const x: number[] = [];
  const y: number[] = [];
  for (const block of blocks) {
    for (const knot of block.first === block.last ? [block.first] : [block.first, block.last]) {
      x.push(knot);
      y.push(block.positives / block.count);
    }
  }
  return restoreCalibrator({ method: 'isotonic', x, y });
}
