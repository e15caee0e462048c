import { checkFinite, type Values } from './check-input.js';
import { MetricsError } from './metrics-error.js';
import { rocAuc } from './roc-auc.js';

export interface MulticlassAuc {
  auc: number;
  /** Hand-Till: A(i, j) for each pair i < j; one-vs-rest: the AUC of each class */
  parts: { classes: number[]; auc: number }[];
}

/**
 * The AUC of several classes. `handTill` (default) is the mean over pairs of classes of (A(i|j) + A(j|i)) / 2, A(i|j) being the
 * AUC of score i among cases of i and j alone; it does not depend on the prevalences. `oneVsRest` is the mean over classes of
 * the AUC of score i for class i against all others, plain (`macro`) or by prevalence (`weighted`), and does depend on them.
 * Ties count half, as in `rocAuc`. With two classes whose scores add to 1 every form is `rocAuc`.
 *
 * @param labels 0, 1, ... one a case: the column of `scores` that is its class; each column's class needs a case
 * @param scores one row a case, one column a class; they need not add to 1
 * @throws MetricsError `EMPTY`, `LENGTH_MISMATCH`, `NOT_FINITE`, `INVALID_LABEL`; `ONE_CLASS` when a class has no case
 * @see Hand and Till 2001, Mach Learn 45:171; scikit-learn `roc_auc_score(multi_class='ovo' | 'ovr')`
 * @example
 * multiclassAuc([0, 1, 2], [[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.3, 0.4, 0.3]]).auc // 0.917
 */
export function multiclassAuc(
  labels: Values,
  scores: ArrayLike<Values>,
  {
    method = 'handTill',
    average = 'macro',
  }: { method?: 'handTill' | 'oneVsRest'; average?: 'macro' | 'weighted' } = {},
): MulticlassAuc {
  const counts = checkClasses(labels, scores);
  const cases = Array.from({ length: labels.length }, (_, i) => i);
  const aucOf = (among: number[], positive: number) =>
    rocAuc(
      among.map((i) => (labels[i] === positive ? 1 : 0)),
      among.map((i) => scores[i]![positive]!),
    );
  if (method === 'oneVsRest' && (average === 'macro' || average === 'weighted')) {
    const parts = counts.map((_, k) => ({ classes: [k], auc: aucOf(cases, k) }));
    const weights = counts.map((count) => (average === 'macro' ? 1 / counts.length : count / cases.length));
    return { auc: parts.reduce((sum, part, k) => sum + weights[k]! * part.auc, 0), parts };
  }
  if (method !== 'handTill' || average !== 'macro') {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `method ${String(method)} with average ${String(average)}: give 'handTill' (macro), or 'oneVsRest' with 'macro' or 'weighted'.`,
    });
  }
  const parts: MulticlassAuc['parts'] = [];
  for (let i = 0; i < counts.length; i++) {
    for (let j = i + 1; j < counts.length; j++) {
      const among = cases.filter((c) => labels[c] === i || labels[c] === j);
      parts.push({ classes: [i, j], auc: (aucOf(among, i) + aucOf(among, j)) / 2 });
    }
  }
  return { auc: parts.reduce((sum, part) => sum + part.auc, 0) / parts.length, parts };
}

/** How many cases each class has. */
function checkClasses(labels: Values, scores: ArrayLike<Values>): number[] {
  if (typeof labels?.length !== 'number' || labels.length !== scores?.length) {
    throw new MetricsError({
      code: 'LENGTH_MISMATCH',
      message: `labels has ${labels?.length} values and scores ${scores?.length} rows: both need one a case.`,
    });
  }
  if (labels.length === 0) throw new MetricsError({ code: 'EMPTY', message: 'labels and scores are empty.' });
  const classes = scores[0]?.length ?? 0;
  const counts = new Array<number>(classes).fill(0);
  for (let i = 0; i < labels.length; i++) {
    const row = scores[i];
    if (row?.length !== classes || classes < 2) {
      throw new MetricsError({
        code: 'LENGTH_MISMATCH',
        message: `scores[${i}] has ${row?.length} values, the first row ${classes}: give one column a class, two or more.`,
      });
    }
    checkFinite(row, `scores[${i}]`);
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new MetricsError({
        code: 'INVALID_LABEL',
        message: `labels[${i}] is ${String(label)}: it has to be a whole number from 0 to ${classes - 1}, the column of its class.`,
      });
    }
    counts[label] = counts[label]! + 1;
  }
  const missing = counts.indexOf(0);
  if (missing >= 0) {
    throw new MetricsError({
      code: 'ONE_CLASS',
      message: `No case is of class ${missing}, so its AUC has no value: leave its column out.`,
    });
  }
  return counts;
}
