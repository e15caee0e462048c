import type { CohortCase } from '@onco-response/cohort';
import { permutationImportance, rocAuc } from '@onco-response/metrics';
import * as tf from '@tensorflow/tfjs-core';
import type { FinishedTrial } from './finished-run.js';
import { trialClinical } from './finished-run.js';

/**
 * What the AUC on test cases loses when one clinical column is shuffled among the cases, or their images are (all slices of a case
 * go together). Nothing where the model takes no clinical values: its image is all it has.
 *
 * @param embeddings slice embeddings of each case, [S, E]
 */
export function clinicalImportance(
  trial: FinishedTrial,
  cases: readonly CohortCase[],
  embeddings: readonly Float32Array[],
  { repeats, seed }: { repeats: number; seed: number },
) {
  const { model } = trial;
  const { clinical: columns } = model.recipe;
  if (columns.length === 0) return undefined;
  const width = model.vit.config.hidden_size;
  const predict = (rows: (number | string | null)[][]) =>
    rows.map(([image, ...clinical]) =>
      tf.tidy(() => {
        const own = embeddings[image as number]!;
        const count = own.length / width;
        return model
          .forwardEmbeddings(tf.tensor2d(own, [count, width]), [count], { clinical: [clinical] })
          .logits.dataSync()[0]!;
      }),
    );
  const rows = cases.map((each, i) => [i, ...(trialClinical(trial, each) ?? [])]);
  const labels = cases.map(({ label }) => label);
  const found = permutationImportance(rocAuc, predict, labels, rows, { repeats, seed });
  return {
    auc: found.baseline,
    importance: found.columns.map(({ column, mean, deviation, values }) => ({
      variable: column === 0 ? 'image' : (columns[column - 1] as string),
      aucDrop: mean,
      deviation,
      lower: Math.min(...values),
      upper: Math.max(...values),
    })),
  };
}
