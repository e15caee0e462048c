import { createVolume, type Mask, type Vec3, type Volume } from '@onco-response/volume';
import { describe, expect, test } from 'vitest';
import { type DeriveMaskOptions, deriveMask, type MaskSegmenter } from './derive-mask.js';

const size: Vec3 = [10, 10, 10];
const ct = createVolume({ data: new Int16Array(1000), size, spacing: [2, 2, 2] });

/** A mask of cubes: label, first voxel of each axis, side. */
function cubes(...list: [label: number, from: number, side: number][]): Mask {
  const mask = createVolume({ ...ct, data: new Uint8Array(1000) });
  for (const [label, from, side] of list) {
    for (let z = from; z < from + side; z++)
      for (let y = from; y < from + side; y++)
        mask.data.fill(label, from + 10 * (y + 10 * z), from + side + 10 * (y + 10 * z));
  }
  return mask;
}

/** Gives that mask, and says whether probabilities were asked for. */
function segmenter(
  mask: Mask,
  {
    labelNames = { organ: 1, lesion: 2, node: 3 } as Record<string, number>,
    bytes = 0,
    regions = false,
  } = {},
) {
  const asked: boolean[] = [];
  const constant = (value: number): Volume<Float32Array> =>
    createVolume({ ...ct, data: new Float32Array(1000).fill(value) });
  const names = regions ? Object.keys(labelNames) : ['background', ...Object.keys(labelNames)];
  const made: MaskSegmenter = {
    labelNames,
    estimateMemory: () => bytes,
    segment: (async (_: readonly Volume[], options: { probabilities?: boolean }) => {
      asked.push(options.probabilities ?? false);
      return {
        ...mask,
        probabilities: names.map((name, at) => ({ name, volume: constant((at + 1) / 10) })),
      };
    }) as MaskSegmenter['segment'],
  };
  return { made, asked };
}

const derive = (mask: Mask, options: Partial<DeriveMaskOptions> = {}, parts = {}) =>
  deriveMask([ct], segmenter(mask, parts).made, { labels: [2, 3], ...options });

describe('deriveMask', () => {
  test('takes the lesion labels, cleans, and looks the mask over', async () => {
    // the organ goes, the single node voxel (8 mm3) is a speck
    const { mask, labels, steps, quality } = await derive(cubes([1, 0, 2], [2, 3, 3], [3, 8, 1]));
    expect(labels).toEqual([2, 3]);
    expect(mask.data).toEqual(cubes([1, 3, 3]).data);
    expect(steps.map(({ step, voxelsAfter }) => [step, voxelsAfter])).toEqual([
      ['labels', 28],
      ['fillHoles', 28],
      ['minimumVolume', 27],
    ]);
    expect(quality).toMatchObject({ volumeMm3: 216, components: 1 });
    expect(quality.confidence).toBeCloseTo(0.3 + 0.4, 6); // lesion and node
  });

  test('no lesion is an outcome that knows its steps', async () => {
    await expect(derive(cubes([1, 0, 5]))).rejects.toMatchObject({
      code: 'NO_LESION',
      steps: [{ step: 'labels', voxelsBefore: 125, voxelsAfter: 0 }],
    });
    const cleaning = { closingMm: null, fillHoles: false, minimumVolumeMm3: 217, largest: null };
    await expect(derive(cubes([2, 3, 3]), { cleaning })).rejects.toMatchObject({ code: 'NO_LESION' });
  });

  test('labels are never guessed', async () => {
    const mask = cubes([1, 3, 3]);
    await expect(derive(mask, { labels: null })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message:
        'the segmentation model has the labels 1 (organ), 2 (lesion), 3 (node): say which of them are lesion',
    });
    await expect(derive(mask, { labels: [2, 9] })).rejects.toThrow(
      /never gives the label 9; it has 1 \(organ\)/,
    );
    await expect(derive(mask, { labels: [] })).rejects.toThrow(/no label was named/);
    const only = await derive(mask, { labels: null }, { labelNames: { lesion: 1 } });
    expect(only.labels).toEqual([1]);
  });

  test('probabilities are left out where they would not fit, and for regions, which overlap', async () => {
    const { made, asked } = segmenter(cubes([2, 3, 3]), { bytes: 5e9 });
    const { quality } = await deriveMask([ct], { ...made, segment: made.segment }, { labels: [2] });
    expect(asked).toEqual([false]);
    expect(quality.flags.map(({ code }) => code)).not.toContain('EMPTY');
    const regions = await derive(cubes([2, 3, 3]), { labels: [2] }, { regions: true });
    expect(regions.quality.confidence).toBeNull();
  });
});
