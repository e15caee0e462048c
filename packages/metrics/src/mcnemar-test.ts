import { checkBinary, checkSameLength, type Values } from './check-input.js';
import { chiSquareUpperTail, fairBinomial, fairBinomialLowerTail } from './distributions.js';

export interface McnemarTest {
  /** cases where A is 1 and B is 0 */
  onlyA: number;
  /** cases where B is 1 and A is 0 */
  onlyB: number;
  /** two-sided exact binomial p: never too small, conservative for few discordant pairs */
  exactP: number;
  /** the exact p less half the chance of the observed table: the one to report for small samples (Fagerland 2013) */
  midP: number;
  /** (b - c)^2 / (b + c), without continuity correction; for 25 or more discordant pairs */
  chiSquare: number;
  chiSquareP: number;
}

/**
 * McNemar's test of two paired yes/no outcomes. Give "was A right" and "was B right" to compare accuracies; give A's and B's
 * calls on the positives alone to compare sensitivities, on the negatives alone for specificities.
 *
 * exactP = min(1, 2 P(X <= min(b, c))) and midP = exactP - P(X = min(b, c)), X binomial(b + c, 1/2). Without a
 * discordant pair all p are 1 and chiSquare is 0. For b = c, exactP is 1 and midP is 1 - P(X = b) / 2.
 *
 * @throws MetricsError `EMPTY`, `LENGTH_MISMATCH`, `INVALID_LABEL`
 * @see McNemar 1947; Fagerland, Lydersen and Laake 2013, BMC Med Res Methodol 13:91; statsmodels `mcnemar`
 * @example
 * mcnemarTest([1, 1, 1, 0, 1, 1], [0, 0, 1, 1, 0, 0]).exactP // 0.375
 */
export function mcnemarTest(outcomesA: Values, outcomesB: Values): McnemarTest {
  checkSameLength(outcomesA, outcomesB, 'outcomesA', 'outcomesB');
  checkBinary(outcomesA, 'outcomesA');
  checkBinary(outcomesB, 'outcomesB');
  let onlyA = 0;
  let onlyB = 0;
  for (let i = 0; i < outcomesA.length; i++) {
    if (outcomesA[i] === outcomesB[i]) continue;
    if (outcomesA[i] === 1) onlyA++;
    else onlyB++;
  }
  const discordant = onlyA + onlyB;
  if (discordant === 0) return { onlyA, onlyB, exactP: 1, midP: 1, chiSquare: 0, chiSquareP: 1 };
  const fewer = Math.min(onlyA, onlyB);
  const point = fairBinomial(fewer, discordant);
  const doubled = 2 * fairBinomialLowerTail(fewer, discordant);
  const chiSquare = (onlyA - onlyB) ** 2 / discordant;
  return {
    onlyA,
    onlyB,
    exactP: Math.min(1, doubled),
    midP: onlyA === onlyB ? 1 - point / 2 : doubled - point,
    chiSquare,
    chiSquareP: chiSquareUpperTail(chiSquare, 1),
  };
}
