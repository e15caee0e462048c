import { expect, test } from 'vitest';
import { parseVariants } from './study.js';

const least = 'name: a\npositiveClass: b\ntarget: c\ncohort: cohort.csv\n';
const variants = (text: string) => parseVariants(`${least}${text}`, 'study.yaml').variants;
const refusal = (text: string) => {
  try {
    variants(text);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('the study was accepted');
};

test('a study without vary is its own only variant', () => {
  expect(variants('').map(({ name }) => name)).toEqual(['a']);
});

test('a map of keys is the full grid, the last key changing fastest', () => {
  const rows = variants('vary: { loss.contrastive: [0, 0.5], model.aggregation.kind: [contextual, mean] }\n');
  expect(rows.map(({ name }) => name)).toEqual([
    'loss.contrastive=0 model.aggregation.kind=contextual',
    'loss.contrastive=0 model.aggregation.kind=mean',
    'loss.contrastive=0.5 model.aggregation.kind=contextual',
    'loss.contrastive=0.5 model.aggregation.kind=mean',
  ]);
  expect(
    rows.map(({ study }) => [study.loss.contrastive, study.model.aggregation.kind, study.loss.hardNegatives]),
  ).toEqual([
    [0, 'contextual', 0.1],
    [0, 'mean', 0.1],
    [0.5, 'contextual', 0.1],
    [0.5, 'mean', 0.1],
  ]);
});

test('a list of named overrides sets keys over those of the file', () => {
  const rows = variants(
    'loss: { temperature: 0.2 }\nvary:\n  - { name: CE, loss.contrastive: 0, loss.hardNegatives: 0 }\n  - name: all\n',
  );
  expect(
    rows.map(({ name, study: { loss } }) => [name, loss.temperature, loss.contrastive, loss.hardNegatives]),
  ).toEqual([
    ['CE', 0.2, 0, 0],
    ['all', 0.2, 0.5, 0.1],
  ]);
});

test('a wrong value and an unknown key of a variant are named with the line that sets them', () => {
  expect(
    refusal('vary:\n  loss.contrastive: [0, 0.5]\n  training.epochs:\n    - 3\n    - -1\n').message,
  ).toContain('study.yaml:9: variant "loss.contrastive=0 training.epochs=-1": training.epochs: ');
  expect(refusal('vary:\n  - name: CE\n    loss.contrastiv: 0\n').message).toMatch(
    /^study\.yaml:7: variant "CE": unknown key "loss\.contrastiv" \(known here: classification/,
  );
  expect(refusal('vary: { name: x }\n').message).toMatch(/^study\.yaml:5: vary: vary has to be a map/);
});

test('what decides folds, cases and evaluation cannot be varied', () => {
  for (const key of ['splits.folds', 'cohort', 'patients', 'seed', 'evaluation.resamples', 'external']) {
    const { code, message } = refusal(`vary:\n  ${key}: [1, 2]\n`);
    expect(code).toBe('INVALID_STUDY');
    expect(message).toContain(`study.yaml:6: vary: "${key}" is the same for all variants`);
  }
});

test('two variants of one name or one content, and a seed given twice, are refused', () => {
  expect(refusal('vary: [{ name: x }, { name: x, loss.contrastive: 0 }]\n').message).toContain(
    'two variants are named "x"',
  );
  expect(refusal('vary: [{ name: x }, { name: y, loss.contrastive: 0.5 }]\n').message).toContain(
    '"x" and "y" are the same study',
  );
  expect(refusal('seeds: [1, 2, 1]\n').message).toContain('study.yaml:5: seeds: a seed is listed twice');
});

test('splits name their scheme; each has keys of its own', () => {
  const splits = (text: string) => variants(`splits: ${text}\n`)[0]?.study.splits;
  expect(splits('{ train: 0.5, validation: 0.2, test: 0.3 }')).toEqual({
    train: 0.5,
    validation: 0.2,
    test: 0.3,
  });
  expect(splits('{ scheme: kFold }')).toEqual({ scheme: 'kFold', folds: 5, validation: 0.1 });
  expect(splits('{ scheme: leaveOneSiteOut }')).toEqual({ scheme: 'leaveOneSiteOut', validation: 0.1 });
  expect(splits('{ scheme: nested, innerFolds: 2 }')).toMatchObject({ folds: 5, innerFolds: 2 });
  expect(refusal('splits: { scheme: kFold, fold: 3 }\n').message).toContain(
    'unknown key "splits.fold" (known here: scheme, folds, validation, stratifyBySite)',
  );
  expect(refusal('splits: { scheme: random }\n').message).toContain('scheme has to be holdOut, kFold');
});
