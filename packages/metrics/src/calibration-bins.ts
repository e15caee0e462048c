import { checkCount, type Values } from './check-input.js';
import { MetricsError } from './metrics-error.js';
import { quantile } from './quantile.js';

export interface CalibrationBin {
  /** the bin is (lower, upper]; the first also holds its lower edge */
  lower: number;
  upper: number;
  count: number;
  positives: number;
  /** mean probability of the bin's cases */
  predicted: number;
  /** share of the bin's cases that are positive */
  observed: number;
}

export type BinStrategy = 'uniform' | 'quantile';

/** Bins cases by probability, which have been checked to be within [0, 1]; empty bins are left out. */
export function calibrationBins(
  outcomes: Values,
  probabilities: Values,
  bins: number,
  strategy: BinStrategy,
): CalibrationBin[] {
  const edges = binEdges(probabilities, bins, strategy);
  const table: CalibrationBin[] = Array.from({ length: bins }, (_, i) => ({
    lower: edges[i]!,
    upper: edges[i + 1]!,
    count: 0,
    positives: 0,
    predicted: 0,
    observed: 0,
  }));
  for (let i = 0; i < outcomes.length; i++) {
    let index = 0;
    while (index < bins - 1 && probabilities[i]! > edges[index + 1]!) index++;
    const bin = table[index]!;
    bin.count++;
    bin.positives += outcomes[i]!;
    bin.predicted += probabilities[i]!;
  }
  return table
    .filter((bin) => bin.count > 0)
    .map((bin) => ({ ...bin, predicted: bin.predicted / bin.count, observed: bin.positives / bin.count }));
}

function binEdges(probabilities: Values, bins: number, strategy: BinStrategy): number[] {
  checkCount(bins, 'bins');
  const shares = Array.from({ length: bins + 1 }, (_, i) => i / bins);
  if (strategy === 'uniform') return shares;
  if (strategy === 'quantile') {
    const sorted = Float64Array.from(probabilities).sort();
    return shares.map((share) => quantile(sorted, share));
  }
  throw new MetricsError({
    code: 'INVALID_OPTION',
    message: `strategy is ${String(strategy)}: give 'uniform' or 'quantile'.`,
  });
}
