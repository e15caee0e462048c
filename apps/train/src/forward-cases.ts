import type { PrefixTokens, ResponseModel } from '@onco-response/response-model';
import * as tf from '@tensorflow/tfjs-core';
import type { CaseTokens } from './case-tokens.js';
import { clinicalOf } from './clinical-values.js';
import type { LabelledCase } from './trainer.js';

/** Tokens that pass at once, unless one case has more: enough for the products to run at their full speed. */
const TOKENS_TOGETHER = 8192;

/**
 * Logits and embeddings of cases, several passing at once, which takes about half the time of one after the other. The last
 * bits of a case depend on those that pass with it: this serves validation figures and summaries, while what has to equal
 * a prediction of the case alone comes from `predictCases`.
 */
export async function forwardCases(
  model: ResponseModel,
  tokens: Pick<CaseTokens, 'read'>,
  cases: readonly LabelledCase[],
): Promise<{ logit: number; embedding: Float32Array }[]> {
  const said: { logit: number; embedding: Float32Array }[] = [];
  let bags: PrefixTokens[] = [];
  const flush = async () => {
    if (bags.length === 0) return;
    const passing = cases.slice(said.length, said.length + bags.length);
    const { logits, embedding } = tf.tidy(() => {
      const joined = tf.concat(bags.map(({ data, shape }) => tf.tensor3d(data, shape)));
      const counts = bags.map(({ shape }) => shape[0]);
      const { logits, embedding } = model.forward(joined, counts, clinicalOf(passing, model.recipe));
      return { logits, embedding };
    });
    const [values, rows] = await Promise.all([logits.data(), embedding.data()]);
    tf.dispose([logits, embedding]);
    const width = rows.length / passing.length;
    passing.forEach((_, i) => {
      said.push({
        logit: values[i] as number,
        embedding: Float32Array.from(rows.slice(i * width, (i + 1) * width)),
      });
    });
    bags = [];
  };
  const countOf = ({ shape: [slices, perSlice] }: PrefixTokens) => slices * perSlice;
  for (const { caseId } of cases) {
    const bag = await tokens.read(caseId);
    if (bags.reduce((sum, each) => sum + countOf(each), countOf(bag)) > TOKENS_TOGETHER) await flush();
    bags.push(bag);
  }
  await flush();
  return said;
}
