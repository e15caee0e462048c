import { checkLabelled, type Values } from './check-input.js';
import { MetricsError } from './metrics-error.js';
import { rocCurve } from './roc-curve.js';

export interface PartialAuc {
  /** within [0, to - from] */
  area: number;
  /** McClish's: 0.5 is chance and 1 perfect, whatever the range; below 0.5 where the curve lies under the diagonal */
  standardised: number;
}

/**
 * The area under the part of the ROC curve where specificity (or sensitivity) is between `from` and `to`, with straight lines
 * between the curve's points, so that ties count half. Over all of [0, 1] both values are the AUC.
 *
 * standardised = (1 + (area - chance) / (width - chance)) / 2, where chance is the area under the diagonal in the range.
 *
 * @param options.over the axis that is restricted; `specificity` unless given
 * @throws MetricsError as `rocAuc`; `INVALID_OPTION` unless 0 <= from < to <= 1
 * @see McClish 1989, Med Decis Making 9:190; scikit-learn `roc_auc_score(max_fpr)` is `{ from: 1 - max_fpr }`, standardised;
 *   pROC `auc(partial.auc, partial.auc.focus, partial.auc.correct)`
 * @example
 * partialAuc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], { from: 0.5 }) // { area: 0.25, standardised: 0.667 }
 */
export function partialAuc(
  labels: Values,
  scores: Values,
  { over = 'specificity', from, to = 1 }: { over?: 'specificity' | 'sensitivity'; from: number; to?: number },
): PartialAuc {
  checkLabelled(labels, scores);
  if (!(from >= 0 && from < to && to <= 1)) {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `from is ${from} and to is ${to}: give 0 <= from < to <= 1.`,
    });
  }
  if (over !== 'specificity' && over !== 'sensitivity') {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `over is ${String(over)}: give 'specificity' or 'sensitivity'.`,
    });
  }
  const { fpr, tpr } = rocCurve(labels, scores);
  // Both forms are an area above [1 - to, 1 - from] of the restricted axis turned round; swapping classes swaps the axes.
  const area =
    over === 'specificity'
      ? areaBetween(fpr, tpr, 1 - to, 1 - from)
      : areaBetween(
          tpr.map((value) => 1 - value).reverse(),
          fpr.map((value) => 1 - value).reverse(),
          1 - to,
          1 - from,
        );
  const chance = ((1 - from) ** 2 - (1 - to) ** 2) / 2;
  return { area, standardised: (1 + (area - chance) / (to - from - chance)) / 2 };
}

/** Trapezoids of a rising polyline, cut at two places of its x axis. */
function areaBetween(x: number[], y: number[], left: number, right: number): number {
  let area = 0;
  for (let i = 1; i < x.length; i++) {
    const [x0, x1, y0, y1] = [x[i - 1]!, x[i]!, y[i - 1]!, y[i]!];
    const [start, end] = [Math.max(x0, left), Math.min(x1, right)];
    if (end <= start) continue;
    const at = (place: number) => y0 + ((y1 - y0) * (place - x0)) / (x1 - x0);
    area += ((end - start) * (at(start) + at(end))) / 2;
  }
  return area;
}
