import { readFileSync } from 'node:fs';
import { startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ambiguityWeights,
  binaryCrossEntropy,
  crossEntropy,
  focalLoss,
  type HardNegativeLossOptions,
  hardNegativeLoss,
  LossError,
  supConLoss,
} from './index.js';

interface Golden {
  logits: number[];
  binary: number[];
  embeddings: number[][];
  labels: number[];
  memory: { embeddings: number[][]; labels: number[] };
  anchorWeights: number[];
  classification: Record<string, { loss: number; gradient: number[] }>;
  pairs: Record<string, { loss: number; gradient: number[][] }>;
  classLogits: number[][];
  classes: number[];
  classWeights: number[];
  twoWeights: number[];
  items: number[];
  keptItems: number[];
  multiClass: Record<string, { loss: number; gradient: number[][] }>;
}
const golden = JSON.parse(
  readFileSync(new URL('./__fixtures__/torch.json', import.meta.url), 'utf8'),
) as Golden;
const modes = ['reweight', 'topk', 'batchHardTriplet'] as const;

let tensors = 0;
beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});
beforeEach(() => {
  tensors = tf.memory().numTensors;
  tf.engine().startScope(); // takes the tensors of the test itself; what a loss leaves behind is tested on its own
});
afterEach(() => {
  tf.engine().endScope();
  expect(tf.memory().numTensors).toBe(tensors);
});

describe('published values', () => {
  const features = [
    [1, 0.2, -0.3],
    [0.5, 0.9, 0.1],
    [-0.4, 0.7, 0.6],
    [0.3, -0.8, 0.5],
    [0.9, 0.1, 0.4],
    [-0.6, -0.5, 0.2],
  ];
  const labels = [1, 1, 0, 0, 1, 0];

  // float32 against float64: 5 decimals of values up to 4.
  test.each([
    [{ temperature: 0.07 }, 3.662385674729],
    [{ temperature: 0.1 }, 2.690238921266],
    [{ temperature: 0.5 }, 1.312206962268],
    [{ temperature: 0.1, baseTemperature: 0.07 }, 3.843198458951],
  ])('supConLoss %o', (options, expected) => {
    expect(supConLoss(tf.tensor2d(features), labels, options).dataSync()[0]).toBeCloseTo(expected, 5);
  });

  test.each([
    [0, 1.312206962268],
    [0.5, 1.4124434703],
    [1, 1.486970608215],
  ])('reweight, beta %f', (beta, expected) => {
    const options = { mode: 'reweight', temperature: 0.5, beta } as const;
    expect(hardNegativeLoss(tf.tensor2d(features), labels, options).dataSync()[0]).toBeCloseTo(expected, 5);
  });

  test.each([
    [0, 1.07563439175],
    [1, 1.330884870766],
    [5, 1.492245635979],
  ])('reweight as H-SCL wrote it, beta %f', (beta, expected) => {
    const options = { mode: 'reweight', form: 'hscl', temperature: 0.5, beta } as const;
    expect(hardNegativeLoss(tf.tensor2d(features), labels, options).dataSync()[0]).toBeCloseTo(expected, 5);
  });

  test('focalLoss', () => {
    const terms = [0.0018035628, 0.3774116009, 0.1732867951, 0.4925448796, 0.0001092833];
    [-2, -0.5, 0, 0.7, 3].forEach((logit, index) => {
      const loss = focalLoss(tf.tensor1d([logit]), [[0, 1, 1, 0, 1][index]!], { gamma: 2 });
      expect(loss.dataSync()[0]).toBeCloseTo(terms[index]!, 7);
    });
  });
});

describe('against torch', () => {
  function expectGolden(
    inputs: number[] | number[][],
    { loss, gradient }: { loss: number; gradient: number[] | number[][] },
    compute: (inputs: tf.Tensor) => tf.Scalar,
  ): void {
    const given = tf.tensor(inputs);
    expect(compute(given).dataSync()[0]).toBeCloseTo(loss, 5);
    const expected = gradient.flat();
    const found = tf
      .grad(compute as (inputs: tf.Tensor) => tf.Tensor)(given)
      .dataSync();
    // 1e-4 relative: temperatures of 0.07 scale gradients up to about 5.
    found.forEach((value, index) => {
      expect(Math.abs(value - expected[index]!)).toBeLessThan(1e-4 * Math.max(1, Math.abs(expected[index]!)));
    });
  }

  const classification: Record<string, (logits: tf.Tensor) => tf.Scalar> = {
    bce: (logits) => binaryCrossEntropy(logits, golden.binary),
    bcePosWeight: (logits) => binaryCrossEntropy(logits, golden.binary, { posWeight: 2.5 }),
    crossEntropyTwo: (logits) => crossEntropy(logits, golden.binary, { classWeights: golden.twoWeights }),
    focal: (logits) => focalLoss(logits, golden.binary),
    focalAlpha: (logits) => focalLoss(logits, golden.binary, { gamma: 1.5, alpha: 0.25 }),
  };
  test.each(Object.keys(classification))('%s', (name) => {
    expectGolden(golden.logits, golden.classification[name]!, classification[name]!);
  });

  const multiClass: Record<string, (logits: tf.Tensor) => tf.Scalar> = {
    crossEntropy: (logits) => crossEntropy(logits, golden.classes),
    crossEntropyWeights: (logits) =>
      crossEntropy(logits, golden.classes, { classWeights: golden.classWeights }),
  };
  test.each(Object.keys(multiClass))('%s', (name) => {
    expectGolden(golden.classLogits, golden.multiClass[name]!, multiClass[name]!);
  });

  const memory = () => ({
    embeddings: tf.tensor2d(golden.memory.embeddings),
    labels: golden.memory.labels,
  });
  const hard = (options: () => HardNegativeLossOptions) => (embeddings: tf.Tensor) =>
    hardNegativeLoss(embeddings, golden.labels, options());
  const pairs: Record<string, (embeddings: tf.Tensor) => tf.Scalar> = {
    supCon: (embeddings) => supConLoss(embeddings, golden.labels),
    supConBase: (embeddings) =>
      supConLoss(embeddings, golden.labels, { temperature: 0.2, baseTemperature: 0.07 }),
    supConMemory: (embeddings) =>
      supConLoss(embeddings, golden.labels, { temperature: 0.1, memory: memory() }),
    reweight: hard(() => ({ mode: 'reweight', temperature: 0.1, beta: 1 })),
    reweightMemory: hard(() => ({ mode: 'reweight', temperature: 0.5, beta: 2, memory: memory() })),
    reweightAnchors: hard(() => ({
      mode: 'reweight',
      temperature: 0.5,
      anchorWeights: golden.anchorWeights,
    })),
    reweightByWeights: hard(() => ({
      mode: 'reweight',
      temperature: 0.5,
      anchorWeights: golden.anchorWeights,
      divideBy: 'weights',
    })),
    hscl: hard(() => ({ mode: 'reweight', form: 'hscl', temperature: 0.5, beta: 1 })),
    hsclMemory: hard(() => ({
      mode: 'reweight',
      form: 'hscl',
      temperature: 0.2,
      beta: 5,
      memory: memory(),
    })),
    supConItems: (embeddings) =>
      supConLoss(embeddings, golden.labels, {
        temperature: 0.1,
        items: golden.items,
        memory: { ...memory(), items: golden.keptItems },
      }),
    topk: hard(() => ({ mode: 'topk', margin: 0.2, k: 3 })),
    topkMemory: hard(() => ({ mode: 'topk', margin: -0.1, k: 5, memory: memory() })),
    batchHardTriplet: hard(() => ({ mode: 'batchHardTriplet' })),
    batchHardTripletMemory: hard(() => ({ mode: 'batchHardTriplet', margin: 0.3, memory: memory() })),
  };
  test.each(Object.keys(pairs))('%s', (name) => {
    expectGolden(golden.embeddings, golden.pairs[name]!, pairs[name]!);
  });
});

describe('batches with nothing to compare', () => {
  const losses: [string, (embeddings: tf.Tensor, labels: number[]) => tf.Scalar][] = [
    ['supConLoss', supConLoss],
    ...modes.map((mode): [string, (embeddings: tf.Tensor, labels: number[]) => tf.Scalar] => [
      mode,
      (embeddings, labels) => hardNegativeLoss(embeddings, labels, { mode }),
    ]),
  ];
  const value = (loss: (typeof losses)[0][1], rows: number[][], labels: number[]) => {
    const embeddings = tf.tensor2d(rows, [rows.length, 2]);
    const gradient = tf.grad((inputs: tf.Tensor) => loss(inputs, labels))(embeddings);
    expect([...gradient.dataSync()].every(Number.isFinite)).toBe(true);
    return loss(embeddings, labels).dataSync()[0]!;
  };

  test.each(losses)('%s: one item gives 0', (_name, loss) => {
    expect(value(loss, [[1, 2]], [1])).toBeCloseTo(0, 12); // native kernels give -0
  });

  test.each(losses)('%s: an empty batch gives 0', (_name, loss) => {
    expect(loss(tf.zeros([0, 2]), []).dataSync()[0]).toBe(0);
  });

  test.each(losses)('%s: one class, equal rows and zero rows stay finite', (_name, loss) => {
    expect(
      value(
        loss,
        [
          [1, 2],
          [3, -1],
          [0, 0],
        ],
        [1, 1, 1],
      ),
    ).toBeGreaterThanOrEqual(0);
    expect(
      Number.isFinite(
        value(
          loss,
          [
            [1, 2],
            [1, 2],
            [0, 0],
            [0, 0],
          ],
          [1, 0, 1, 0],
        ),
      ),
    ).toBe(true);
  });

  test.each(modes.slice(1))('%s: one class gives 0', (mode) => {
    const loss = hardNegativeLoss(
      tf.tensor2d([
        [1, 2],
        [3, -1],
      ]),
      [1, 1],
      { mode },
    );
    expect(loss.dataSync()[0]).toBe(0);
  });

  test('SupCon of one class is finite; with every anchor alone in its class it is 0', () => {
    expect(
      value(
        supConLoss,
        [
          [1, 2],
          [3, -1],
          [0, 1],
        ],
        [0, 1, 2],
      ),
    ).toBe(0);
    expect(
      value(
        supConLoss,
        [
          [1, 2],
          [3, -1],
          [0, 1],
        ],
        [1, 1, 1],
      ),
    ).toBeGreaterThan(0);
  });

  test('extreme logits stay finite and an empty batch gives 0', () => {
    for (const loss of [binaryCrossEntropy, focalLoss]) {
      const logits = tf.tensor1d([300, -300]);
      const gradient = tf
        .grad((inputs: tf.Tensor) => loss(inputs, [1, 1]))(logits)
        .dataSync();
      expect(loss(logits, [1, 1]).dataSync()[0]).toBeCloseTo(150, 3);
      expect([...gradient].every(Number.isFinite)).toBe(true);
      expect(loss(tf.tensor1d([]), []).dataSync()[0]).toBe(0);
    }
  });
});

test('beta 0 is SupCon; a larger beta weighs hard negatives more', () => {
  const embeddings = tf.tensor2d(golden.embeddings);
  const at = (beta: number) =>
    hardNegativeLoss(embeddings, golden.labels, { mode: 'reweight', temperature: 0.3, beta }).dataSync()[0]!;
  expect(at(0)).toBeCloseTo(supConLoss(embeddings, golden.labels, { temperature: 0.3 }).dataSync()[0]!, 6);
  expect(at(1)).toBeGreaterThan(at(0));
  expect(at(5)).toBeGreaterThan(at(1));
});

test('the length of an embedding does not matter', () => {
  const embeddings = tf.tensor2d(golden.embeddings);
  const longer = tf.mul(embeddings, 7);
  expect(supConLoss(longer, golden.labels).dataSync()[0]).toBeCloseTo(
    supConLoss(embeddings, golden.labels).dataSync()[0]!,
    4,
  );
});

test('labels may be a tensor', () => {
  const embeddings = tf.tensor2d(golden.embeddings);
  const labels = tf.tensor1d(golden.labels, 'int32');
  expect(supConLoss(embeddings, labels).dataSync()).toEqual(supConLoss(embeddings, golden.labels).dataSync());
  const logits = tf.tensor1d(golden.logits);
  const binary = tf.tensor1d(golden.binary);
  expect(binaryCrossEntropy(logits, binary).dataSync()).toEqual(
    binaryCrossEntropy(logits, golden.binary).dataSync(),
  );
});

test('ambiguity is 1 at 0.5 and 0 at certainty, and turns off the anchors that are certain', () => {
  expect([...ambiguityWeights([0.5, 0, 1, 0.9])].map((weight) => weight.toFixed(6))).toEqual([
    '1.000000',
    '0.000000',
    '0.000000',
    '0.200000',
  ]);
  const anchorWeights = ambiguityWeights(golden.labels.map(() => 1));
  const loss = hardNegativeLoss(tf.tensor2d(golden.embeddings), golden.labels, {
    mode: 'topk',
    anchorWeights,
  });
  expect(loss.dataSync()[0]).toBe(0);
});

test('a sharper ambiguity narrows the band; what is no probability or no weight is refused', () => {
  expect(ambiguityWeights([0.75], { sharpness: 2 })[0]).toBeCloseTo(0.25, 12);
  const options = expect.objectContaining({ code: 'OPTIONS' });
  expect(() => ambiguityWeights([1.2])).toThrow(options);
  expect(() => ambiguityWeights([Number.NaN])).toThrow(options);
  expect(() => ambiguityWeights([0.5], { sharpness: 0 })).toThrow(options);
  expect(() => hardNegativeLoss(tf.ones([1, 2]), [1], { mode: 'topk', anchorWeights: [Number.NaN] })).toThrow(
    options,
  );
});

test('an earlier embedding of the anchor itself is left out where items are given', () => {
  const embeddings = tf.tensor2d(golden.embeddings);
  const items = golden.labels.map((_, index) => index);
  const same = { embeddings, labels: golden.labels };
  const value = (options: Parameters<typeof supConLoss>[2]) =>
    supConLoss(embeddings, golden.labels, { temperature: 0.1, ...options }).dataSync()[0]!;
  const others = value({ items, memory: { ...same, items } });
  // without items the anchor's own copy, of similarity 1, is a positive and rules the denominator
  expect(Math.abs(value({ memory: same }) - others)).toBeGreaterThan(1);
  // every other key twice: the denominator doubles
  const alone = golden.labels.filter((label) => label === 2).length; // in its class: adds 0 in both
  const doubled = (Math.log(2) * (golden.labels.length - alone)) / golden.labels.length;
  expect(others).toBeCloseTo(value({}) + doubled, 4);
});

test('a loss leaves only its value', () => {
  const embeddings = tf.tensor2d(golden.embeddings);
  const before = tf.memory().numTensors;
  const values = [
    supConLoss(embeddings, golden.labels),
    ...modes.map((mode) => hardNegativeLoss(embeddings, golden.labels, { mode })),
  ];
  expect(tf.memory().numTensors).toBe(before + values.length);
});

test('wrong shapes, labels and options are refused', () => {
  const code = (wrong: string) => expect.objectContaining({ code: wrong });
  const logits = tf.tensor1d([1, 2]);
  const rows = tf.ones([2, 3]);
  expect(() => binaryCrossEntropy(logits, [1])).toThrow(code('SHAPE'));
  expect(() => binaryCrossEntropy(rows, [1, 0])).toThrow(code('SHAPE'));
  expect(() => binaryCrossEntropy(logits, [1, 2])).toThrow(code('LABELS'));
  expect(() => focalLoss(logits, [1, Number.NaN])).toThrow(code('LABELS'));
  expect(() => supConLoss(logits, [1, 0])).toThrow(code('SHAPE'));
  expect(() => supConLoss(rows, [1, 0.5])).toThrow(code('LABELS'));
  expect(() => supConLoss(rows, [1, 0], { temperature: 0 })).toThrow(code('OPTIONS'));
  expect(() => supConLoss(rows, [1, 0], { memory: { embeddings: tf.ones([1, 4]), labels: [1] } })).toThrow(
    code('SHAPE'),
  );
  expect(() => hardNegativeLoss(rows, [1, 0], { mode: 'other' as 'topk' })).toThrow(code('OPTIONS'));
  expect(() => hardNegativeLoss(rows, [1, 0], { mode: 'topk', anchorWeights: [1] })).toThrow(code('SHAPE'));
  expect(LossError.isInstance(new LossError({ code: 'SHAPE', message: '' }))).toBe(true);
  expect(LossError.isInstance(new Error('other'))).toBe(false);
});
