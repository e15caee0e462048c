import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AdamW, startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { detachLora, mergeLora, unmergeLora } from './attach-lora.js';
import { bareName, nameIn, namesOf } from './checkpoint-names.js';
import { loadVit } from './load-vit.js';
import { resizeBicubic } from './position-embedding.js';
import { loadAdapter, saveAdapter } from './save-adapter.js';
import type { Vit } from './vit.js';
import { parseVitConfig } from './vit-config.js';

// Made by tooling/reference/encoder_architectures.py with transformers 5.23, peft 0.21, timm 1.0 and torch 2.15.
interface Goldens {
  defaults: { model_type: string }[];
  positions: { rows: number; columns: number; antialias: boolean; offset: number; values: string }[];
  models: Record<
    string,
    {
      outputs: { size: [number, number, number]; cls: string; patches: string }[];
      adapted: { cls: string; gradients: Record<string, [number, number]> };
    }
  >;
  trajectories: Record<string, { losses: number[] }>;
}
const folder = fileURLToPath(new URL('./__fixtures__/architectures', import.meta.url));
const goldens = JSON.parse(readFileSync(join(folder, 'goldens.json'), 'utf8')) as Goldens;
const names = Object.keys(goldens.models);

function unpacked(base64: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return new Float32Array(bytes.buffer);
}

/** sin(0.7 i) in the order [B, H, W, 3]. */
function pixelsOf([batch, height, width]: readonly [number, number, number]): tf.Tensor4D {
  const values = Float32Array.from({ length: batch * height * width * 3 }, (_, index) =>
    Math.sin(0.7 * index),
  );
  return tf.tensor4d(values, [batch, height, width, 3]);
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((largest, value, index) => Math.max(largest, Math.abs(value - b[index]!)), 0);
}

const classToken = (vit: Vit) =>
  tf.tidy(() =>
    vit
      .forward(pixelsOf([2, 16, 16]))
      .cls.dataSync()
      .slice(),
  );

/** sin(0.3 i) in the shape of the class tokens: what the goldens' losses weigh them with. */
function weights(shape: [number, number]): tf.Tensor2D {
  const values = Float32Array.from({ length: shape[0] * shape[1] }, (_, index) => Math.sin(0.3 * index));
  return tf.tensor2d(values, shape);
}

let tensorsBefore: number;
beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});

describe.each(names)('%s', (name) => {
  const golden = goldens.models[name]!;
  let vit: Vit;
  beforeAll(async () => {
    vit = await loadVit(join(folder, name));
  });
  afterAll(() => vit.dispose());
  beforeEach(() => {
    tensorsBefore = tf.memory().numTensors;
  });
  afterEach(() => expect(tf.memory().numTensors).toBe(tensorsBefore));

  // 1e-4 is accepted; float32 summed in another order comes to 1.3e-6 at most (ONCO_DIFFERENCES=1 prints each).
  test.each(golden.outputs)('forward equals the reference on pixels $size', ({ size, cls, patches }) => {
    tf.tidy(() => {
      const output = vit.forward(pixelsOf(size));
      const differences = [
        largestDifference(output.cls.dataSync(), unpacked(cls)),
        largestDifference(output.patches.dataSync(), unpacked(patches)),
      ];
      if (process.env.ONCO_DIFFERENCES) console.log(name, size, differences);
      expect(Math.max(...differences)).toBeLessThan(4e-6);
    });
  });

  test('prefix, then classToken, is forward: any number of blocks, either pooling', async () => {
    const mean = await loadVit(join(folder, name), { pooling: 'mean' });
    const { size } = golden.outputs.at(-1)!; // not square, where the reference allows it
    const grid = [size[1] / 4, size[2] / 4] as const;
    tf.tidy(() => {
      const pixels = pixelsOf(size);
      const { patches } = vit.forward(pixels);
      expect(
        largestDifference(mean.forward(pixels).cls.dataSync(), tf.mean(patches, 1).dataSync()),
      ).toBeLessThan(1e-6);
      for (const model of [vit, mean]) {
        const cls = model.forward(pixels).cls.dataSync();
        for (const blocks of [0, 1, 2]) {
          const found = model.classToken(model.prefix(pixels, blocks), blocks, { grid }).dataSync();
          expect(largestDifference(found, cls)).toBeLessThan(1e-5);
        }
        const first = tf.slice(model.prefix(pixels, 2), [0, 0, 0], [-1, 1, -1]);
        if (model.usesClassToken) {
          expect(largestDifference(model.classToken(first, 2).dataSync(), cls)).toBeLessThan(1e-5);
        } else expect(() => model.classToken(first, 2)).toThrow(/,1,32\] were given/);
      }
    });
    mean.dispose();
  });

  test("peft's adapter: its outputs and gradients; merged within 1e-5; saved and loaded again bit for bit", async () => {
    const before = classToken(vit);
    await loadAdapter(vit, join(folder, name, 'adapter'));
    const expected = unpacked(golden.adapted.cls);
    const adapted = classToken(vit);
    expect(largestDifference(before, expected)).toBeGreaterThan(0.01);
    if (process.env.ONCO_DIFFERENCES) console.log(name, 'peft', largestDifference(adapted, expected));
    expect(largestDifference(adapted, expected)).toBeLessThan(1e-5);

    tf.tidy(() => {
      const loss = () => {
        const { cls } = vit.forward(pixelsOf([2, 16, 16]));
        return tf.sum(tf.mul(cls, weights(cls.shape))) as tf.Scalar;
      };
      const variables = vit.trainableVariables();
      const { grads } = tf.variableGrads(loss, variables);
      const gradients = referenceGradients(vit, grads);
      const wanted = Object.entries(golden.adapted.gradients).map(
        ([key, values]) => [bareName(key), values] as const,
      );
      expect([...gradients.keys()].sort()).toEqual(wanted.map(([key]) => key).sort());
      for (const [key, [norm, product]] of wanted) {
        const [foundNorm, foundProduct] = gradients.get(key)!;
        const tolerance = 1e-4 * norm + 2e-6; // a key's bias has no gradient but rounding
        expect(Math.abs(foundNorm - norm), key).toBeLessThan(tolerance);
        expect(Math.abs(foundProduct - product), key).toBeLessThan(tolerance);
      }
    });

    mergeLora(vit);
    expect(largestDifference(classToken(vit), adapted)).toBeLessThan(1e-5);
    unmergeLora(vit);
    expect(classToken(vit)).toEqual(adapted);

    const saved = mkdtempSync(join(tmpdir(), 'onco-adapter-'));
    for (const naming of name === 'timm'
      ? ([undefined, 'original'] as const)
      : ([undefined, 'transformers5'] as const)) {
      await saveAdapter(vit, saved, naming ? { naming } : {});
      detachLora(vit);
      expect(classToken(vit)).toEqual(before);
      await loadAdapter(vit, saved);
      expect(classToken(vit)).toEqual(adapted);
    }
    rmSync(saved, { recursive: true });
    detachLora(vit);
    expect(classToken(vit)).toEqual(before);
  });
});

/** Length and product with sin(i) of each gradient, by the reference's name: fused layers are put together again. */
function referenceGradients(vit: Vit, grads: Record<string, tf.Tensor>): Map<string, [number, number]> {
  const measured = new Map<string, [number, number]>();
  const measure = (name: string, variables: readonly tf.Variable[]) => {
    const values = variables.flatMap((variable) => [...grads[variable.name]!.dataSync()]);
    const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    measured.set(bareName(name), [
      norm,
      values.reduce((sum, value, index) => sum + value * Math.sin(index), 0),
    ]);
  };
  const { modules, trained } = vit.adaptation!;
  for (const { names, places } of modules) {
    const name = names.transformers5 ?? names.original!;
    measure(`${vit.naming === 'original' ? names.original : name}.lora_A.weight`, [places[0]!.layer.lora!.a]);
    const upper = places.map(({ layer }) => layer.lora!.b);
    measure(`${vit.naming === 'original' ? names.original : name}.lora_B.weight`, upper);
  }
  for (const parameter of trained.keys()) {
    const naming = namesOf(vit.config).transformers5!;
    measure(nameIn(naming, parameter.slot, parameter.slot.field)!, [parameter.get() as tf.Variable]);
  }
  return measured;
}

// Ten AdamW steps on one batch. 1e-4 is accepted; measured 1.2e-7.
test.each(Object.entries(goldens.trajectories))(
  "%s: training takes torch's and peft's path",
  async (name, { losses }) => {
    const before = tf.memory().numTensors;
    const vit = await loadVit(join(folder, name));
    await loadAdapter(vit, join(folder, name, 'untrained-adapter'));
    const optimizer = new AdamW({ learningRate: 0.02, weightDecay: 0.01 });
    const pixels = pixelsOf([4, 16, 16]);
    const labels = tf.tensor1d([0, 1, 1, 0]);
    const readout = tf.tidy(() => tf.reshape(weights([1, 32]), [32, 1]) as tf.Tensor2D);
    const loss = () => {
      const logits = tf.squeeze(tf.matMul(vit.forward(pixels).cls, readout), [1]);
      return tf.mean(tf.sub(tf.softplus(logits), tf.mul(logits, labels))) as tf.Scalar;
    };
    const found = Array.from({ length: 10 }, () =>
      tf.tidy(() => {
        const { value, grads } = tf.variableGrads(loss, vit.trainableVariables());
        optimizer.applyGradients(grads);
        return value.dataSync()[0]!;
      }),
    );
    if (process.env.ONCO_DIFFERENCES) console.log(name, 'trajectory', largestDifference(found, losses));
    expect(Math.max(...losses) - Math.min(...losses)).toBeGreaterThan(0.02);
    expect(largestDifference(found, losses)).toBeLessThan(1e-5);
    optimizer.dispose();
    vit.dispose();
    tf.dispose([pixels, labels, readout]);
    expect(tf.memory().numTensors).toBe(before);
  },
);

test.each(goldens.positions)(
  'positions of 5 x 5 resized to $rows x $columns, antialias $antialias, offset $offset',
  ({ rows, columns, values, ...resizing }) => {
    const grid = Float32Array.from({ length: 50 }, (_, index) => Math.sin(index));
    const found = resizeBicubic(grid, 5, rows, columns, 2, resizing);
    expect(largestDifference(found, unpacked(values))).toBeLessThan(1e-6);
  },
);

test.each(goldens.defaults)(
  "$model_type: config.json's defaults are those of transformers",
  ({ model_type, ...defaults }) => {
    expect(parseVitConfig({ model_type })).toMatchObject({ model_type, ...defaults });
  },
);
