import { checkFinite, checkSameLength, type Values } from './check-input.js';
import { studentTwoSided } from './distributions.js';
import { MetricsError } from './metrics-error.js';
import { midranks } from './midranks.js';

/**
 * Spearman's rank correlation with midranks for ties, and the two-sided p of its t approximation (n - 2 degrees of freedom;
 * rough below ten cases).
 *
 * @throws MetricsError `EMPTY`, `LENGTH_MISMATCH`, `NOT_FINITE`; `TOO_FEW` below three cases; `NO_VARIANCE` for a constant
 * @see Spearman 1904; scipy `spearmanr`
 * @example
 * spearman([1, 2, 3, 4], [1, 3, 2, 4]).rho // 0.8
 */
export function spearman(x: Values, y: Values): { rho: number; p: number } {
  checkSameLength(x, y, 'x', 'y');
  checkFinite(x, 'x');
  checkFinite(y, 'y');
  const count = x.length;
  if (count < 3) {
    throw new MetricsError({
      code: 'TOO_FEW',
      message: `A rank correlation needs three cases; there are ${count}.`,
    });
  }
  const [ranksX, ranksY] = [midranks(x), midranks(y)];
  const mean = (count + 1) / 2;
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const [dx, dy] = [ranksX[i]! - mean, ranksY[i]! - mean];
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  if (xx === 0 || yy === 0) {
    throw new MetricsError({
      code: 'NO_VARIANCE',
      message: `All values of ${xx === 0 ? 'x' : 'y'} are equal, so ranks cannot correlate.`,
    });
  }
  const rho = Math.min(1, Math.max(-1, xy / Math.sqrt(xx * yy)));
  const unexplained = (1 - rho) * (1 + rho);
  return {
    rho,
    p: unexplained === 0 ? 0 : studentTwoSided(rho * Math.sqrt((count - 2) / unexplained), count - 2),
  };
}
