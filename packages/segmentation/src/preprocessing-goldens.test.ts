import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Shape3 } from './array-shape.js';
import { gaussianWeights } from './gaussian-weights.js';
import { halfValues, toHalf } from './half-float.js';
import { insideMask, nonzeroBox } from './nonzero-box.js';
import { normalise } from './normalisation.js';
import { resampleImage } from './resample-image.js';
import { resampleLabels } from './resample-labels.js';
import { LogitResampler } from './resample-logits.js';
import { planResampling, shapeAtSpacing } from './resampling-plan.js';
import { tileSteps } from './tile-steps.js';

interface Grid {
  name: string;
  from: Shape3;
  to: Shape3;
  spacing: Shape3;
  target: Shape3;
  image: string;
  imageResampled: string;
  labels: string;
  labelsResampled: string;
  logits: string;
  logitsResampled: string;
}

/** Made by tooling/reference/segmentation_preprocessing_goldens.py with nnunetv2's own functions. */
const goldens = JSON.parse(
  readFileSync(new URL('./__fixtures__/preprocessing.json', import.meta.url), 'utf8'),
);

const bytes = (text: string): ArrayBuffer => Uint8Array.from(Buffer.from(text, 'base64')).buffer;
const floats = (text: string): Float32Array => new Float32Array(bytes(text));
const halves = (text: string): Float32Array =>
  Float32Array.from(new Uint16Array(bytes(text)), (bits) => halfValues()[bits]!);

const LIKE = 'resample_data_or_seg_to_shape';

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let at = 0; at < a.length; at++) most = Math.max(most, Math.abs(a[at]! - b[at]!));
  return most;
}

describe.each(goldens.resampling as Grid[])('resampling: $name', (grid) => {
  const plan = (order: number) =>
    planResampling(grid.from, grid.to, grid.spacing, grid.target, LIKE, { order, order_z: 0 });

  it('finds the shape', () => {
    expect(shapeAtSpacing(grid.from, grid.spacing, grid.target)).toEqual(grid.to);
  });

  it('equals nnU-Net for an image', () => {
    // float32 between the passes against scipy's float64: a few roundings of values up to 3
    const difference = largestDifference(
      resampleImage(floats(grid.image), plan(3)),
      floats(grid.imageResampled),
    );
    expect(difference).toBeLessThan(2e-6);
  });

  it('equals nnU-Net for labels', () => {
    const labels = Int16Array.from(new Int8Array(bytes(grid.labels)));
    expect([...resampleLabels(labels, plan(1))]).toEqual([...new Int8Array(bytes(grid.labelsResampled))]);
  });

  it('equals nnU-Net for logits, plane by plane', () => {
    const found = new Float32Array(grid.to[0] * grid.to[1] * grid.to[2]);
    const other = new Float32Array(found.length);
    const resampler = new LogitResampler(plan(1), 2, ([first, second], z, y, x) => {
      const at = (z * grid.to[1] + y) * grid.to[2] + x;
      found[at] = first!;
      other[at] = second!;
    });
    const given = halves(grid.logits);
    const size = grid.from[1] * grid.from[2];
    for (let z = 0; z < grid.from[0]; z++) {
      const plane = given.subarray(z * size, (z + 1) * size);
      resampler.push(
        z,
        Float32Array.from({ length: 2 * size }, (_, at) => (at % 2 ? -1 : 1) * plane[at >> 1]!),
      );
    }
    const wanted = halves(grid.logitsResampled);
    // scipy adds in another order: a sum that lies between two float16s may round to the other one
    const others = [...wanted.keys()].filter((at) => found[at] !== wanted[at]);
    expect(others.length).toBeLessThan(0.01 * wanted.length);
    for (const at of others) expect(Math.abs(found[at]! / wanted[at]! - 1)).toBeLessThanOrEqual(2 ** -10);
    expect([...other]).toEqual([...found].map((value) => -value));
  });
});

describe('normalisation', () => {
  const { image, inside, properties, results, rgb, rgbResult } = goldens.normalisation;

  it.each(Object.keys(results))('%s', (name) => {
    const [scheme, masked] = name.split(' ') as [string, string];
    const values = floats(image);
    const mask = masked === 'True' ? new Uint8Array(bytes(inside)) : undefined;
    normalise(scheme, values, mask, { index: 0, properties });
    // numpy sums float32 in pairs, here float64
    expect(largestDifference(values, floats(results[name]))).toBeLessThan(1e-6);
  });

  it('RGBTo01Normalization', () => {
    const values = floats(rgb);
    normalise('RGBTo01Normalization', values, undefined, { index: 0, properties: undefined });
    expect([...values]).toEqual([...floats(rgbResult)]);
    values[0] = -1;
    expect(() =>
      normalise('RGBTo01Normalization', values, undefined, { index: 2, properties: undefined }),
    ).toThrow('channel 2 has values from -1');
  });

  it('refuses a scheme of someone else', () => {
    expect(() =>
      normalise('MyScheme', new Float32Array(1), undefined, { index: 1, properties: undefined }),
    ).toThrow('normalises channel 1 with "MyScheme"');
  });
});

describe('crop to non-zero', () => {
  const shape = goldens.nonzero.shape as Shape3;
  const all = floats(goldens.nonzero.channels);
  const channels = [all.subarray(0, all.length / 2), all.subarray(all.length / 2)];

  it('finds the box over all channels', () => {
    expect(nonzeroBox(channels, shape)).toEqual(goldens.nonzero.box);
    expect(nonzeroBox([new Float32Array(24)], [2, 3, 4])).toEqual([
      [0, 2],
      [0, 3],
      [0, 4],
    ]);
  });

  it('fills holes', () => {
    expect([...insideMask(channels, shape)]).toEqual([...new Uint8Array(bytes(goldens.nonzero.inside))]);
  });
});

describe('tiles', () => {
  it.each(goldens.gaussians as { sides: number[]; bits?: string; middleRow?: string }[])(
    'weights of $sides',
    ({ sides, bits, middleRow }) => {
      const found = gaussianWeights(sides);
      const [, height, width] = sides as [number, number, number];
      const row = (Math.floor(sides[0]! / 2) * height + Math.floor(height / 3)) * width;
      const part = middleRow === undefined ? found : found.subarray(row, row + width);
      expect([...part]).toEqual([...halves((bits ?? middleRow)!)]);
    },
  );

  it.each(goldens.steps as { size: number; tile: number; step: number; starts: number[] }[])(
    'starts in $size by $tile',
    ({ size, tile, step, starts }) => {
      expect(tileSteps(size, tile, step)).toEqual(starts);
    },
  );
});

describe('float16', () => {
  it('rounds as numpy', () => {
    const bits = new Uint16Array(bytes(goldens.halves.bits));
    expect(Array.from(floats(goldens.halves.values), toHalf)).toEqual([...bits]);
  });

  it('reads what it wrote, for every number', () => {
    const read = [...halfValues()].filter((value) => !Number.isNaN(value));
    const kept = [...halfValues().keys()].filter((bits) => !Number.isNaN(halfValues()[bits]));
    expect(read.map(toHalf)).toEqual(kept);
  });
});
