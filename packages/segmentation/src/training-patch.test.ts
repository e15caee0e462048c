import { RandomStream } from '@onco-response/engine';
import { expect, test } from 'vitest';
import { changeIntensities, mirrorAtRandom } from './augment-patch.js';
import { drawTransform, type PatchTransform } from './patch-transform.js';
import { downsampleLabels, drawBatch } from './training-batch.js';
import { foregroundLocations, type TrainingCase } from './training-case.js';
import { cutPatch, drawPatchStart } from './training-patch.js';

const shape = [5, 6, 7] as const;
const labels = new Uint8Array(210);
labels[(1 * 6 + 2) * 7 + 3] = 1;
labels[(4 * 6 + 5) * 7 + 6] = 2;
const current: TrainingCase = {
  shape,
  labels,
  channels: [Float32Array.from(labels.keys()), Float32Array.from(labels.keys(), (at) => -at)],
};
const IDENTITY_TRANSFORM: PatchTransform = { matrix: [1, 0, 0, 0, 1, 0, 0, 0, 1] };

test('patches lie within the image, and with a lesion asked for hold one', () => {
  const random = new RandomStream(1, 'starts');
  const patch = [4, 4, 4] as const;
  const seen = new Set<number>();
  for (let draw = 0; draw < 200; draw++) {
    const free = drawPatchStart(current, patch, false, random);
    free.forEach((at, axis) => {
      expect(at >= 0 && at + patch[axis]! <= shape[axis]!).toBe(true);
    });
    const cut = cutPatch(current, drawPatchStart(current, patch, true, random), patch, undefined);
    const found = cut.labels.filter((label) => label > 0);
    expect(found.length).toBeGreaterThan(0);
    for (const label of found) seen.add(label);
  }
  expect([...seen].sort()).toEqual([1, 2]);
});

test('an image smaller than the patch lies within it, zeros around', () => {
  const patch = [8, 8, 8] as const;
  const start = drawPatchStart(current, patch, false, new RandomStream(2, 'small'));
  const { image } = cutPatch(current, start, patch, undefined);
  expect(image.filter((value) => value !== 0)).toHaveLength(2 * 209); // voxel 0 is 0 itself
});

test('a transform that changes nothing cuts what is cut without one', () => {
  const args = [current, [1, -1, 2], [4, 5, 6]] as const;
  expect(cutPatch(...args, IDENTITY_TRANSFORM)).toEqual(cutPatch(...args, undefined));
});

test('a quarter turn in the plane moves voxels as it says', () => {
  const turn: PatchTransform = { matrix: [1, 0, 0, 0, 0, 1, 0, -1, 0] }; // y <- x, x <- -y
  const [straight, turned] = [undefined, turn].map(
    (by) => cutPatch(current, [0, 1, 1], [2, 3, 3], by).labels,
  );
  const at = (values: Uint8Array, z: number, y: number, x: number) => values[(z * 3 + y) * 3 + x];
  expect(at(straight!, 1, 1, 2)).toBe(1);
  expect(at(turned!, 1, 0, 1)).toBe(1);
});

test('rotations keep lengths; flat patches are turned in their planes only', () => {
  const random = new RandomStream(4, 'turns');
  const lengths: number[] = [];
  for (let draw = 0; draw < 300; draw++) {
    const cubic = drawTransform([16, 16, 16], random)?.matrix;
    if (cubic) {
      const row = (at: number) => Math.hypot(cubic[at]!, cubic[at + 1]!, cubic[at + 2]!);
      expect(row(0)).toBeCloseTo(row(3), 10);
      expect(row(3)).toBeCloseTo(row(6), 10);
      lengths.push(row(0));
    }
    const flat = drawTransform([4, 32, 32], random)?.matrix;
    if (flat)
      expect([flat[0], flat[1], flat[2], flat[3], flat[6]].map((v) => Math.abs(v))).toEqual([1, 0, 0, 0, 0]);
  }
  expect(lengths.length / 300).toBeGreaterThan(0.28); // 1 - 0.8^2 = 0.36
  expect(lengths.length / 300).toBeLessThan(0.44);
  expect(Math.min(...lengths)).toBeGreaterThan(0.699);
  expect(Math.max(...lengths)).toBeLessThan(1.401);
});

test('intensities change in a part of the patches, finitely, and labels never', () => {
  let changed = 0;
  for (let seed = 0; seed < 200; seed++) {
    const patch = cutPatch(current, [0, 0, 0], [5, 6, 7], undefined);
    const before = patch.image.slice();
    changeIntensities(patch, 2, new RandomStream(seed, 'intensities'));
    expect(patch.labels).toEqual(labels);
    expect(patch.image.every(Number.isFinite)).toBe(true);
    if (patch.image.some((value, at) => Math.abs(value - before[at]!) > 1e-3)) changed++;
  }
  const expected = 1 - 0.9 * 0.85 * 0.85 * 0.9 * 0.7;
  expect(Math.abs(changed / 200 - expected)).toBeLessThan(0.12);
});

test('mirroring twice gives the patch back; other axes stay', () => {
  const patch = cutPatch(current, [0, 0, 0], [5, 6, 7], undefined);
  const [seed] = [0, 1, 2, 3, 4, 5].filter(
    (each) => mirrorAtRandom(patch, shape, [2], new RandomStream(each, 'm')) !== patch,
  );
  const once = mirrorAtRandom(patch, shape, [2], new RandomStream(seed!, 'm'));
  expect(once.labels[(1 * 6 + 2) * 7 + 3]).toBe(1); // the middle column
  expect(once.labels[(4 * 6 + 5) * 7 + 0]).toBe(2);
  expect(mirrorAtRandom(once, shape, [2], new RandomStream(seed!, 'm'))).toEqual(patch);
});

test('the batch of a step depends on seed and step alone', async () => {
  const options = {
    cases: { count: 1, load: async () => current },
    patch: [4, 4, 4],
    batchSize: 3,
    foregroundShare: 0.33,
    augment: true,
    mirrorAxes: [0, 1, 2],
  } as const;
  const first = await drawBatch(options, 7, 12);
  expect(await drawBatch(options, 7, 12)).toEqual(first);
  expect(await drawBatch(options, 7, 13)).not.toEqual(first);
  expect(first).toHaveLength(3);
});

test("coarser labels are those of torch's nearest-exact", () => {
  const line = Uint8Array.from({ length: 8 }, (_, at) => at);
  expect([...downsampleLabels(line, [1, 1, 8], [1, 1, 2])]).toEqual([1, 3, 5, 7]);
  expect([...downsampleLabels(line, [1, 1, 8], [1, 1, 4])]).toEqual([2, 6]);
});

test('locations are those of each label, at most 10,000 spread over all', () => {
  expect(foregroundLocations(current).map((each) => [...each])).toEqual([[59], [209]]);
  const full = { ...current, shape: [30, 30, 30] as const, labels: new Uint8Array(27_000).fill(1) };
  const [many] = foregroundLocations(full);
  expect(many).toHaveLength(10_000);
  expect(many!.at(-1)).toBeGreaterThan(26_990);
});
