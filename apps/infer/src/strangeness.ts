import { MetricsError, mahalanobis, quantile } from '@onco-response/metrics';
import type { ReferenceEmbeddings } from '@onco-response/response-model';

/** How unlike the training cases a case is. */
export interface Strangeness {
  /** Mahalanobis distance of the embedding from the training cases. */
  distance: number;
  /** Beyond it a case is flagged: 95 % of the validation cases are nearer. */
  limit: number;
  /** Share of the validation cases that are nearer, 0 to 1. */
  strangerThan: number;
  trainingCases: number;
  validationCases: number;
}

const SHARE_BELOW_LIMIT = 0.95;

/** Null where the bundle holds too few cases, or none, to measure against. */
export function strangeness(
  embedding: Float32Array,
  reference: ReferenceEmbeddings | undefined,
): Strangeness | null {
  if (reference === undefined || reference.validation.length === 0) return null;
  const { training, validation } = reference;
  try {
    const fitted = mahalanobis(training, { reference: validation });
    const known = fitted.reference.map(Math.sqrt);
    const distance = Math.sqrt(fitted.squaredDistances([embedding])[0] as number);
    return {
      distance,
      limit: quantile(known, SHARE_BELOW_LIMIT),
      strangerThan: known.filter((each) => each < distance).length / known.length,
      trainingCases: training.length,
      validationCases: validation.length,
    };
  } catch (error) {
    if (MetricsError.isInstance(error)) return null;
    throw error;
  }
}
