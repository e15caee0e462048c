import { expect, test } from 'vitest';
import { parseStudy } from './study.js';

const least = 'name: a\npositiveClass: b\ntarget: c\ncohort: cohort.csv\n';
const refusal = (text: string) => {
  try {
    parseStudy(text, 'study.yaml');
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('the study was accepted');
};

test('four keys are enough; everything else has a default', () => {
  const study = parseStudy(least, 'study.yaml');
  expect(study.loss).toMatchObject({ classification: 'weightedBce', temperature: 0.07, contrastive: 0.5 });
  expect(study.model.encoder).toMatchObject({ adaptedBlocks: 4, r: 8, target_modules: ['query', 'value'] });
});

test('an unknown key is named with its line and the keys that exist there', () => {
  const error = refusal(`${least}training:\n  epochs: 3\n  learningrate: 0.1\n`);
  expect(error.code).toBe('INVALID_STUDY');
  expect(error.message).toContain('study.yaml:7: unknown key "training.learningrate"');
  expect(error.message).toContain('learningRate');
});

test('every wrong value is named with its line', () => {
  const { message } = refusal(`${least}seed: -1\nmodel:\n  input:\n    mode: colour\n`);
  expect(message).toMatch(/study\.yaml:5: seed: .*\n.*study\.yaml:8: model\.input\.mode: /);
});

test('a missing key, fractions that do not sum to 1 and broken YAML are refused', () => {
  expect(refusal('name: a\n').message).toContain('cohort');
  expect(refusal(`${least}splits: { train: 0.5, validation: 0.2, test: 0.2 }\n`).message).toContain(
    'sum to 1',
  );
  expect(refusal(`${least}seed: [1\n`).message).toMatch(/^study\.yaml:\d+: /);
});
