import { loadVit } from '@onco-response/encoder';
import { RandomStream } from '@onco-response/engine';
import { type PrefixTokens, ResponseModel, vitOptions } from '@onco-response/response-model';
import type { AugmentedTokens } from '../augmented-tokens.js';
import { fitClinical } from '../clinical-values.js';
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

export async function smallModel(
  study: ReturnType<typeof smallStudy>,
  train: readonly LabelledCase[] = [],
): Promise<ResponseModel> {
  const vit = await loadVit(tinyEncoder, vitOptions(study.model));
  const clinical = fitClinical(study.model.clinical, train);
  return new ResponseModel({ recipe: study.model, vit, seed: study.seed, ...(clinical && { clinical }) });
}

type Tokens = ReturnType<typeof smallCases>['tokens'];

/** Variants of the cases' random tokens, and what was asked for. */
export function smallVariants(tokens: Tokens, kind: AugmentedTokens['kind']) {
  const asked: string[] = [];
  const changed = async (caseId: string, random: RandomStream): Promise<PrefixTokens> => {
    const { data, shape } = await tokens.read(caseId);
    return { data: data.map((value) => value + 0.2 * random.normal()), shape };
  };
  const augmented: AugmentedTokens =
    kind === 'copies'
      ? {
          kind,
          count: 2,
          keys: [],
          warnings: [],
          read: (caseId, copy) => {
            asked.push(`${caseId} copy ${copy}`);
            return changed(caseId, new RandomStream(4, `${caseId} ${copy}`));
          },
        }
      : {
          kind,
          compute: (caseId, random) => {
            asked.push(`${caseId} fresh ${random.seed}`);
            return changed(caseId, random);
          },
        };
  return { augmented, asked };
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
    cases.push({ caseId, label, patientId: `patient-${i}`, clinical: { age: 40 + i + 5 * label, stage: [null, 'III', 'IV'][i % 3] ?? null } });
  }
  return { cases, tokens: { read: async (caseId: string) => bags.get(caseId) as PrefixTokens } };
}
