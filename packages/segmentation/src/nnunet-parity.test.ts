import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { startEngine } from '@onco-response/engine';
import { createVolume, type Mat3, type Vec3, type Volume } from '@onco-response/volume';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadNnUnet } from './node/load-nnunet.js';

/** Made by tooling/reference/segmentation_nnunet_models.py: nnU-Net's own models and its own predictions. */
const FOLDER = new URL('./__fixtures__/nnunet/', import.meta.url);

interface Golden {
  model: string;
  folds: (number | 'all')[];
  size: Vec3;
  spacing: Vec3;
  origin: Vec3;
  direction: Mat3;
  channels: number;
  probabilities: number[];
  labels: number[];
}

const golden = (name: string): Golden =>
  JSON.parse(readFileSync(new URL(`goldens/${name}.json`, FOLDER), 'utf8'));
const array = (name: string): ArrayBuffer =>
  Uint8Array.from(gunzipSync(readFileSync(new URL(`goldens/${name}.gz`, FOLDER)))).buffer;
const modelFolder = (info: Golden): string => fileURLToPath(new URL(info.model, FOLDER));

function volumesOf(name: string): Volume[] {
  const { size, spacing, origin, direction, channels } = golden(name);
  const all = new Int16Array(array(`${name}.image`));
  const voxels = all.length / channels;
  return Array.from({ length: channels }, (_, channel) =>
    createVolume({
      data: all.slice(channel * voxels, (channel + 1) * voxels),
      size,
      spacing,
      origin,
      direction,
    }),
  );
}

// plain JavaScript takes a minute for each of these: it is native, or the 2D model alone
const tfjsNode = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json'));
const library = join(tfjsNode, 'lib');
const native = existsSync(library) && readdirSync(library).length > 0;

beforeAll(async () => {
  await startEngine(native ? { backend: 'tensorflow', threads: 1 } : { backend: 'cpu' });
}, 60_000);

describe.each(['plain-3d-two-folds', 'plain-2d', 'plain-3d-lowres', 'cascade', 'residual-regions'])(
  '%s',
  (name) => {
    it.skipIf(!native && name !== 'plain-2d')(
      'segments as nnUNetv2_predict',
      async () => {
        const info = golden(name);
        const before = tf.memory().numTensors;
        const segmenter = await loadNnUnet(modelFolder(info), { folds: info.folds });
        const volumes = volumesOf(name);
        const loaded = tf.memory().numTensors;
        const mask = await segmenter.segment(volumes, { probabilities: true });
        expect(tf.memory().numTensors).toBe(loaded);

        const wanted = new Uint8Array(array(`${name}.mask`));
        let others = 0;
        for (let at = 0; at < wanted.length; at++) if (mask.data[at] !== wanted[at]) others++;
        let far = 0;
        const probabilities = new Uint16Array(array(`${name}.probabilities`));
        for (const [output, { volume }] of mask.probabilities.entries()) {
          for (let at = 0; at < wanted.length; at++) {
            far = Math.max(
              far,
              Math.abs(volume.data[at]! - probabilities[output * wanted.length + at]! / 10_000),
            );
          }
        }
        expect(info.labels.length).toBeGreaterThan(1); // the golden has foreground
        expect(others / wanted.length).toBeLessThanOrEqual(0.001);
        expect(far).toBeLessThanOrEqual(0.001);
        const { size, spacing, origin, direction } = volumes[0]!;
        expect(mask).toMatchObject({ size, spacing, origin, direction });

        segmenter.dispose();
        expect(tf.memory().numTensors).toBe(before);
      },
      60_000,
    );
  },
);
