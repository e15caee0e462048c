/** Of values in order, linear between them, as numpy.percentile: `share` 0.5 is the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = share * (sorted.length - 1);
  const low = Math.floor(position);
  const rest = position - low;
  return rest === 0 ? sorted[low]! : sorted[low]! + rest * (sorted[low + 1]! - sorted[low]!);
}

/**
 * The smallest value that at least `share` of the weight does not exceed.
 * @param sorted values from the smallest on, each with its weight
 */
export function weightedQuantile(
  sorted: readonly { readonly value: number; readonly weight: number }[],
  share: number,
): number {
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  let reached = 0;
  for (const { value, weight } of sorted) {
    reached += weight;
    if (reached >= share * total * (1 - 1e-12)) return value;
  }
  return sorted.at(-1)!.value;
}
