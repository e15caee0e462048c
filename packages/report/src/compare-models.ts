import {
  type BootstrapInterval,
  bootstrapDifferenceCi,
  delongTest,
  MetricsError,
  rocAuc,
} from '@onco-response/metrics';
import type { EvaluationOptions } from './evaluate-model.js';

/** AUC of A minus AUC of B on the same cases. Plain JSON. */
export interface ModelComparison {
  aucA: number;
  aucB: number;
  /** paired bootstrap of the difference; draws patients when clusters are given */
  difference: BootstrapInterval;
  /** DeLong's two-sided test, which takes cases as independent; null where `notDefined` says why */
  delong: { z: number; p: number } | null;
  notDefined: Record<string, string>;
}

/**
 * Compares two models' AUC on the same cases, by DeLong's test and by a paired bootstrap of the difference.
 *
 * @throws MetricsError as `bootstrapDifferenceCi`
 * @example
 * compareModels(labels, model, volumeOnly, { bootstrap: { resamples: 2000, seed: 1, level: 0.95 } }).delong?.p
 */
export function compareModels(
  labels: ArrayLike<number>,
  scoresA: ArrayLike<number>,
  scoresB: ArrayLike<number>,
  { bootstrap, clusters }: Omit<EvaluationOptions, 'threshold'>,
): ModelComparison {
  const difference = bootstrapDifferenceCi(rocAuc, labels, scoresA, scoresB, {
    ...bootstrap,
    ...(clusters === undefined ? {} : { clusters }),
  });
  const aucs = { aucA: rocAuc(labels, scoresA), aucB: rocAuc(labels, scoresB), difference };
  try {
    const { z, p } = delongTest(labels, scoresA, scoresB);
    return { ...aucs, delong: { z, p }, notDefined: {} };
  } catch (error) {
    if (!MetricsError.isInstance(error)) throw error;
    return { ...aucs, delong: null, notDefined: { delong: error.message } };
  }
}
