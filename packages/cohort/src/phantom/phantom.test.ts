import { readFileSync } from 'node:fs';
import { rocAuc, spearman } from '@onco-response/metrics';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../seeded-random.js';
import { drawSurface } from './lesion-surface.js';
import { type PhantomCase, phantomCase, phantomTruth } from './phantom-case.js';
import { drawSignal, reachableAuc } from './planted-signal.js';

/** Half the resolution, for speed. */
const coarse = { size: [64, 64, 20], spacing: [5, 5, 10] } as const;

describe('the planted signal', () => {
  const reference = JSON.parse(
    readFileSync(new URL('../__fixtures__/reference.json', import.meta.url), 'utf8'),
  ) as { auc: { strength: number; intercept: number; auc: number }[] };

  // 4 million draws in the reference: one standard error is at most 0.0003.
  test.each(reference.auc)('best reachable AUC at strength $strength, intercept $intercept', (row) => {
    expect(Math.abs(reachableAuc(row) - row.auc)).toBeLessThan(0.001);
  });

  test('the AUC of given latents is the average over the labels they could have had', () => {
    const options = { strength: 2, intercept: 0.3 };
    const signals = Array.from({ length: 400 }, (_, index) => drawSignal(1, index, options));
    const latents = signals.map(({ latent }) => latent);
    const random = new SeededRandom(2, 'labels');
    const drawn = Array.from({ length: 200 }, () =>
      rocAuc(
        signals.map(({ probability }) => (random.uniform() < probability ? 1 : 0)),
        latents,
      ),
    );
    const mean = drawn.reduce((sum, auc) => sum + auc, 0) / drawn.length;
    expect(Math.abs(reachableAuc(options, latents) - mean)).toBeLessThan(0.004); // standard error 0.0012
  });

  test('labels follow their probabilities', () => {
    const signals = Array.from({ length: 2000 }, (_, index) =>
      drawSignal(3, index, { strength: 4, intercept: 0 }),
    );
    const excess =
      signals.reduce((sum, { label, probability }) => sum + label - probability, 0) / signals.length;
    expect(Math.abs(excess)).toBeLessThan(0.02); // standard error 0.006
    expect(
      rocAuc(
        signals.map(({ label }) => label),
        signals.map(({ latent }) => latent),
      ),
    ).toBeCloseTo(0.948, 1);
  });
});

describe('a lesion surface', () => {
  test('encloses the volume asked for, however irregular', () => {
    for (const irregularity of [0.03, 0.12, 0.24]) {
      const surface = drawSurface(new SeededRandom(4, `${irregularity}`), 20, irregularity);
      const random = new SeededRandom(5, 'directions');
      let cubes = 0;
      for (let draw = 0; draw < 20_000; draw++) {
        const [x, y, z] = [random.normal(), random.normal(), random.normal()];
        const length = Math.hypot(x, y, z);
        const distance = surface.distance(x / length, y / length, z / length);
        expect(distance).toBeLessThan(surface.reach);
        cubes += distance ** 3;
      }
      expect(Math.cbrt(cubes / 20_000)).toBeCloseTo(20, 0);
      expect(Math.abs(cubes / 20_000 / 8000 - 1)).toBeLessThan(0.03); // 600 directions against 20,000
    }
  });
});

describe('phantomCase', () => {
  const made = phantomCase(7, 3);

  test('is an abdominal CT in HU on an LPS grid with its mask on the same grid', () => {
    const { volume, mask } = made;
    expect([volume.size, volume.spacing, volume.direction]).toEqual([
      [128, 128, 40],
      [2.5, 2.5, 5],
      [1, 0, 0, 0, 1, 0, 0, 0, 1],
    ]);
    expect([mask.size, mask.spacing, mask.origin]).toEqual([volume.size, volume.spacing, volume.origin]);
    expect(volume.data).toBeInstanceOf(Int16Array);
    const share = (low: number, high: number) =>
      volume.data.reduce((sum, hu) => sum + (hu >= low && hu < high ? 1 : 0), 0) / volume.data.length;
    expect(share(-1024, -900)).toBeGreaterThan(0.3); // air around the patient
    expect(share(-140, -60)).toBeGreaterThan(0.05); // fat
    expect(share(0, 160)).toBeGreaterThan(0.1); // soft tissue
    expect(share(200, 3072)).toBeGreaterThan(0.005); // bone
  });

  test('its truth is that of its mask, and needs no image', () => {
    const voxels = made.mask.data.reduce((sum, value) => sum + value, 0);
    expect(made.volumeMm3).toBe(voxels * 2.5 * 2.5 * 5);
    const { volume: _volume, mask: _mask, ...truth } = made;
    expect(phantomTruth(7, 3)).toEqual(truth);
  });

  test('is decided by seed and index', () => {
    const again = phantomCase(7, 3);
    expect(Buffer.from(again.volume.data.buffer).equals(Buffer.from(made.volume.data.buffer))).toBe(true);
    expect(Buffer.from(again.mask.data).equals(Buffer.from(made.mask.data))).toBe(true);
    expect(phantomCase(8, 3, coarse).latent).not.toBe(made.latent);
    expect(phantomCase(7, 4, coarse).latent).not.toBe(made.latent);
  });

  test('refuses options that cannot be', () => {
    const wrong = expect.objectContaining({ code: 'OPTIONS' });
    expect(() => phantomCase(0, 0, { size: [32, 32, 10] })).toThrow(wrong);
    expect(() => phantomCase(0, 0, { size: [1.5, 128, 40] })).toThrow(wrong);
    expect(() => phantomCase(0, 0, { confoundVolume: 2 })).toThrow(wrong);
    expect(() => phantomCase(0, 0, { strength: Number.NaN })).toThrow(wrong);
  });
});

describe('what a cohort shows', () => {
  test('volume knows nothing of the latent, unless it is confounded: then it falls', () => {
    const truths = (confoundVolume: number) =>
      Array.from({ length: 250 }, (_, index) => phantomTruth(11, index, { ...coarse, confoundVolume }));
    const correlation = (cases: ReturnType<typeof truths>) =>
      spearman(
        cases.map(({ latent }) => latent),
        cases.map(({ volumeMm3 }) => volumeMm3),
      ).rho;
    expect(Math.abs(correlation(truths(0)))).toBeLessThan(0.13); // two standard errors
    expect(correlation(truths(0.9))).toBeLessThan(-0.2); // the number of lesions dilutes it
  });

  test('the shape of the mask and the inside of the lesions show the latent', () => {
    const cases = Array.from({ length: 60 }, (_, index) => phantomCase(13, index, coarse));
    const latents = cases.map(({ latent }) => latent);
    // Three standard errors of no correlation at all; the voxels here are coarse.
    expect(spearman(latents, cases.map(boundaryShare)).rho).toBeGreaterThan(0.39);
    expect(spearman(latents, cases.map(spreadInside)).rho).toBeGreaterThan(0.39);
  });
});

/** In-plane boundary over volume^(2/3), as if the case had one lesion: k equal lesions have k^(1/3) times as much. */
function boundaryShare({ mask: { data, size }, lesionCount }: PhantomCase): number {
  let length = 0;
  let area = 0;
  for (let voxel = 0; voxel < data.length; voxel++) {
    if (data[voxel] !== 1) continue;
    area += 1;
    for (const step of [-1, 1, -size[0], size[0]]) length += data[voxel + step] === 1 ? 0 : 1;
  }
  return length / (area ** (2 / 3) * lesionCount ** (1 / 3));
}

/** Standard deviation of HU inside the mask, one voxel away from its edge. */
function spreadInside({ volume, mask: { data, size } }: PhantomCase): number {
  const values: number[] = [];
  for (let voxel = 0; voxel < data.length; voxel++) {
    if ([0, -1, 1, -size[0], size[0]].every((step) => data[voxel + step] === 1))
      values.push(volume.data[voxel]!);
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
