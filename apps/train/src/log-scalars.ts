import type { LogEvent } from './run-log.js';

/** One number of a run, at one epoch. */
export interface LogScalar {
  /** `train/loss`, `validation/auc`, …; a slash groups them in TensorBoard and MLflow alike. */
  name: string;
  value: number;
  epoch: number;
  /** When, in milliseconds since 1970. */
  milliseconds: number;
}

/** The numbers of a run's epochs, as TensorBoard and MLflow take them. */
export function logScalars(events: readonly LogEvent[]): LogScalar[] {
  return events.flatMap((event) => {
    if (event.event !== 'epoch') return [];
    const { epoch, trainTerms } = event;
    const values = {
      'train/loss': event.trainLoss,
      'train/classification': trainTerms.classification,
      'train/contrastive': trainTerms.contrastive,
      'train/hard_negatives': trainTerms.hardNegatives,
      'train/learning_rate': event.learningRate,
      'validation/loss': event.validationLoss,
      'validation/auc': event.validationAuc,
      'validation/pr_auc': event.validationPrAuc,
      'validation/balanced_accuracy': event.validationBalancedAccuracy,
      'run/seconds': event.seconds,
      'run/peak_memory_mib': event.peakMemoryMib,
    };
    const milliseconds = Date.parse(event.at);
    return Object.entries(values).map(([name, value]) => ({ name, value, epoch, milliseconds }));
  });
}
