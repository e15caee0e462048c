import { loadVit } from '@onco-response/encoder';
import { RandomStream } from '@onco-response/engine';
import { type PrefixTokens, ResponseModel, vitOptions } from '@onco-response/response-model';
import { parseStudy } from '../study.js';
import type { LabelledCase } from '../trainer.js';
import { tinyEncoder } from './small-cohort.js';

/** A study of the tiny encoder; `more` adds to or replaces its sections, as flow YAML. */
export function smallStudy({ model = '', loss = 'memory: 6', training = '' } = {}) {
  return parseStudy(
    `name: small
positiveClass: positive
target: A test.
cohort: cohort.csv
seed: 3
model:
  input: { imageSize: 8 }
  encoder: { adaptedBlocks: 1, r: 2 }
  aggregation: { hiddenSize: 8 }
  head: { hiddenSizes: [4], projectionSize: 4 }
${model}
loss: { ${loss} }
training: { epochs: 3, batchSize: 4, slicesPerStep: 2, learningRate: 0.01, minimumEpochs: 3${training && `, ${training}`} }
`,
    'study.yaml',
  );
}

export async function smallModel(study: ReturnType<typeof smallStudy>): Promise<ResponseModel> {
  const vit = await loadVit(tinyEncoder, vitOptions(study.model));
  return new ResponseModel({ recipe: study.model, vit, seed: study.seed });
}

/** Random tokens of two to four slices a case, shifted where the label is 1. */
export function smallCases(count: number) {
  const bags = new Map<string, PrefixTokens>();
  const cases: (LabelledCase & { patientId: string })[] = [];
  for (let i = 0; i < count; i++) {
    const caseId = `case-${i}`;
    const label = (i % 2) as 0 | 1;
    const random = new RandomStream(9, caseId);
    const shape: [number, number, number] = [2 + (i % 3), 1 + 4, 32];
    const data = Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, () => random.normal() + 0.4 * label);
    bags.set(caseId, { data, shape });
    cases.push({ caseId, label, patientId: `patient-${i}`, clinical: { age: 40 + i + 5 * label } });
  }
  return { cases, tokens: { read: async (caseId: string) => bags.get(caseId) as PrefixTokens } };
}
