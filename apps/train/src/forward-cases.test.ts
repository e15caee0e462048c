import { startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { smallCases, smallModel, smallStudy } from './__fixtures__/small-training.js';
import { forwardCases } from './forward-cases.js';
import { predictCases } from './trainer.js';

beforeAll(() => startEngine({ backend: 'cpu' }));

test('cases that pass together are given what each is given alone', async () => {
  const { cases, tokens } = smallCases(12);
  const study = smallStudy({ model: '  clinical: [age, stage]' });
  const model = await smallModel(study, cases);
  const before = tf.memory().numTensors;
  // A thousand times the slices, so that several cases do not fit in one pass.
  const long = {
    read: async (caseId: string) => {
      const { data, shape } = await tokens.read(caseId);
      const times = Math.ceil(3000 / (shape[0] * shape[1]));
      const repeated = new Float32Array(times * data.length);
      for (let i = 0; i < times; i++) repeated.set(data, i * data.length);
      return { data: repeated, shape: [times * shape[0], shape[1], shape[2]] as [number, number, number] };
    },
  };
  for (const [source, some] of [
    [tokens, cases],
    [long, cases.slice(0, 5)],
  ] as const) {
    const [together, alone] = [
      await forwardCases(model, source, some),
      await predictCases(model, source, some),
    ];
    expect(together.length).toBe(some.length);
    // float32 sums in another order
    together.forEach(({ logit, embedding }, i) => {
      expect(Math.abs(logit - alone[i]!.logit)).toBeLessThan(1e-5);
      const differences = embedding.map((value, at) => Math.abs(value - alone[i]!.embedding[at]!));
      expect(Math.max(...differences)).toBeLessThan(1e-5);
    });
  }
  expect(await forwardCases(model, tokens, [])).toEqual([]);
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});
