/** What the learning rate of a step follows from. */
export interface Schedule {
  kind?: 'cosine' | 'plateau' | 'constant';
  peak: number;
  warmUpSteps: number;
  totalSteps: number;
  /** `plateau`: what the validation figure has made of it. */
  factor?: number;
}

/**
 * Linear warm-up, then half a cosine down to 0; or the peak as it is (`constant`), times `factor` (`plateau`).
 * @param step from 0
 */
export function learningRate(
  step: number,
  { kind = 'cosine', peak, warmUpSteps, totalSteps, factor = 1 }: Schedule,
): number {
  const height = kind === 'plateau' ? peak * factor : peak;
  if (step < warmUpSteps) return (height * (step + 1)) / warmUpSteps;
  if (kind !== 'cosine') return height;
  const done = (step - warmUpSteps) / Math.max(1, totalSteps - warmUpSteps);
  return (peak * (1 + Math.cos(Math.PI * Math.min(1, done)))) / 2;
}

/** What `schedule: plateau` remembers between epochs; it belongs in a checkpoint. */
export interface PlateauState {
  factor: number;
  best: number | null;
  /** Epochs since the best one or the last reduction. */
  stale: number;
}

export const FIRST_PLATEAU: PlateauState = { factor: 1, best: null, stale: 0 };

/**
 * Multiplies the factor once the figure (larger is better) has not grown for more than `patience` epochs, as torch's
 * `ReduceLROnPlateau` with `threshold=0`.
 */
export function afterEpoch(
  state: PlateauState,
  figure: number,
  { factor, patience }: { factor: number; patience: number },
): PlateauState {
  if (state.best === null || figure > state.best) return { ...state, best: figure, stale: 0 };
  if (state.stale + 1 > patience) return { ...state, factor: state.factor * factor, stale: 0 };
  return { ...state, stale: state.stale + 1 };
}
