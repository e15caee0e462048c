import type { RandomState } from '@onco-response/engine';
import { cachedContrastiveGradients, type RestorableStream } from '@onco-response/losses';
import type { ForwardResult, ResponseModel } from '@onco-response/response-model';
import * as tf from '@tensorflow/tfjs-core';
import { clinicalOf } from './clinical-values.js';
import type { LabelledCase } from './trainer.js';
import type { TrainingBags } from './training-bags.js';
import { type LossOptions, type LossTerms, trainingLoss } from './training-loss.js';

/** What the gradient of a step follows from, its cases apart. */
export interface StepOptions extends LossOptions {
  model: ResponseModel;
  /** Draws what is seen of the cases. */
  bags: Pick<TrainingBags, 'read'>;
  /** A whole number a patient, by `caseId`. */
  patientNumbers: ReadonlyMap<string, number>;
  /** Gradient caching: cases that pass at once; null = the whole batch. */
  chunkSize: number | null;
}

/** A whole number for the patient of each case. */
export function numberPatients(cases: readonly LabelledCase[]): Map<string, number> {
  const patients = [...new Set(cases.map(({ patientId, caseId }) => patientId ?? caseId))];
  const numbers = new Map(patients.map((patient, number) => [patient, number]));
  return new Map(cases.map(({ patientId, caseId }) => [caseId, numbers.get(patientId ?? caseId) as number]));
}

export interface StepGradients {
  /** By variable name, for the caller to dispose. */
  gradients: tf.NamedTensorMap;
  loss: number;
  terms: LossTerms;
}

/**
 * The mean loss of a step's cases and its gradient. Of several batches, which pass one after the other, it is the mean
 * over all their cases: as one large batch, but that the contrastive losses compare within a batch (and its memory).
 */
export async function stepGradients(
  batches: readonly (readonly LabelledCase[])[],
  options: StepOptions,
): Promise<StepGradients> {
  const count = batches.reduce((sum, batch) => sum + batch.length, 0);
  let sum: StepGradients | undefined;
  for (const batch of batches) {
    const part = await batchGradients(batch, options);
    sum = batches.length === 1 ? part : plus(sum, part, batch.length / count);
  }
  return sum as StepGradients;
}

async function batchGradients(cases: readonly LabelledCase[], options: StepOptions): Promise<StepGradients> {
  const { model, memory, patientNumbers, chunkSize } = options;
  const bags = await options.bags.read(cases.map(({ caseId }) => caseId));
  const truth = {
    labels: cases.map(({ label }) => label),
    patients: cases.map(({ caseId }) => patientNumbers.get(caseId) as number),
  };
  const variables = Object.values(model.namedVariables());
  const kept: { projection?: tf.Tensor2D; terms?: tf.Scalar[] } = {};
  const forward = (from: number, to: number) => {
    const part = bags.slice(from, to);
    return model.forward(
      tf.concat(part.map(({ data, shape }) => tf.tensor3d(data, shape))),
      part.map(({ shape }) => shape[0]),
      { training: true, ...clinicalOf(cases.slice(from, to), model.recipe) },
    );
  };
  const lossOf = (result: Pick<ForwardResult, 'logits' | 'projection'>) => {
    const { value, terms } = trainingLoss(result, truth, options);
    kept.projection = tf.keep(result.projection.clone());
    kept.terms = terms.map((term) => tf.keep(term.clone()));
    return value;
  };
  const [gradients, figures] = tf.tidy(() => {
    const { value, grads } =
      chunkSize === null
        ? tf.variableGrads(() => lossOf(forward(0, cases.length)), variables)
        : cachedContrastiveGradients({
            chunks: Math.ceil(cases.length / chunkSize),
            forward: (chunk) => {
              const { logits, projection } = forward(chunk * chunkSize, (chunk + 1) * chunkSize);
              return { logits, projection };
            },
            loss: lossOf,
            variables,
            streams: [streamsOf(model)],
          });
    const found = Object.entries(grads).filter(([, gradient]) => gradient !== null);
    return [Object.fromEntries(found), tf.stack([value, ...(kept.terms as tf.Scalar[])])] as const;
  });
  const { projection, terms } = kept as Required<typeof kept>;
  if (memory.size > 0) {
    memory.push((await projection.data()) as Float32Array, truth.labels, truth.patients);
  }
  const [loss, classification, contrastive, hardNegatives] = Array.from(await figures.data()) as [
    number,
    number,
    number,
    number,
  ];
  tf.dispose([projection, terms, figures]);
  return { gradients, loss, terms: { classification, contrastive, hardNegatives } };
}

function plus(sum: StepGradients | undefined, part: StepGradients, share: number): StepGradients {
  const gradients: tf.NamedTensorMap = { ...sum?.gradients };
  for (const [name, gradient] of Object.entries(part.gradients)) {
    const before = gradients[name];
    gradients[name] = tf.tidy(() => {
      const scaled = tf.mul(gradient, share);
      return before ? tf.add(before, scaled) : scaled;
    });
    tf.dispose([gradient, ...(before ? [before] : [])]);
  }
  const add = (a: number | undefined, b: number) => (a ?? 0) + share * b;
  return {
    gradients,
    loss: add(sum?.loss, part.loss),
    terms: {
      classification: add(sum?.terms.classification, part.terms.classification),
      contrastive: add(sum?.terms.contrastive, part.terms.contrastive),
      hardNegatives: add(sum?.terms.hardNegatives, part.terms.hardNegatives),
    },
  };
}

const streamsOf = (model: ResponseModel): RestorableStream<Record<string, RandomState>> => ({
  state: () => model.streams(),
  restore: (states) => model.restoreStreams(states),
});
