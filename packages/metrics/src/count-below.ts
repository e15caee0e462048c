/**
 * A function that counts the values below a given one, equal ones counting half, of `sorted` (rising): a table of equal
 * steps says between which two places to look, so that evenly spread values cost a few looks each, whatever their number, and
 * any others a binary search between the two.
 */
export function belowCounter(sorted: Float64Array): (value: number) => number {
  const size = sorted.length;
  const [low, high] = [sorted[0]!, sorted[size - 1]!];
  // A few values a step: the table stays in the processor's cache.
  const count = Math.max(1, size >> 3);
  const given = count / (high - low);
  // One value only, or a range beyond what floats hold: everything is in one step, and the search is binary.
  const scale = Number.isFinite(given) && high - low < Number.MAX_VALUE ? given : 0;
  const steps = scale === 0 ? 1 : count;
  const stepOf = (value: number) =>
    scale === 0 ? 0 : Math.min(steps - 1, Math.trunc((value - low) * scale));
  // starts[s] is the first place whose value is in step s or beyond; the step of a value never falls as the value rises.
  const starts = new Uint32Array(steps + 1);
  for (let i = 0, step = 0; i < size; i++) {
    const own = stepOf(sorted[i]!);
    while (step < own) starts[++step] = i;
    if (i === size - 1) while (step < steps) starts[++step] = size;
  }
  return (value) => {
    if (value < low) return 0;
    if (value > high) return size;
    const step = stepOf(value);
    let from = starts[step]!;
    const end = starts[step + 1]!;
    for (let to = end; from < to; ) {
      const middle = (from + to) >>> 1;
      if (sorted[middle]! < value) from = middle + 1;
      else to = middle;
    }
    if (from === end || sorted[from] !== value) return from;
    let after = from + 1;
    for (let to = end; after < to; ) {
      const middle = (after + to) >>> 1;
      if (sorted[middle]! <= value) after = middle + 1;
      else to = middle;
    }
    return (from + after) / 2;
  };
}
