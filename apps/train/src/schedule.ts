/**
 * Linear warm-up, then half a cosine down to 0.
 * @param step from 0
 */
export function learningRate(
  step: number,
  { peak, warmUpSteps, totalSteps }: { peak: number; warmUpSteps: number; totalSteps: number },
): number {
  if (step < warmUpSteps) return (peak * (step + 1)) / warmUpSteps;
  const done = (step - warmUpSteps) / Math.max(1, totalSteps - warmUpSteps);
  return (peak * (1 + Math.cos(Math.PI * Math.min(1, done)))) / 2;
}
