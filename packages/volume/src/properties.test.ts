import { describe, expect, test } from 'vitest';
import { connectedComponents } from './connected-components.js';
import { createVolume } from './create-volume.js';
import { crop } from './crop.js';
import { distanceTransform } from './distance-transform.js';
import { fillHoles } from './fill-holes.js';
import { indexToPhysical } from './geometry.js';
import { dilate, erode, ring } from './morphology.js';
import { pad } from './pad.js';
import { orientationOf, reorient } from './reorient.js';
import { resample } from './resample.js';
import { noise, noiseMask, noiseVolume } from './test-volumes.js';
import type { Grid, Mask, Mat3, Vec3, Volume } from './types.js';
import { volumeMm3 } from './volume-mm3.js';

const interpolations = ['nearest', 'linear', 'bspline'] as const;
const seeds = [1, 2, 3, 4, 5, 6];

/** Axes turned by random angles, in a random order and sense. */
function randomDirection(next: () => number): Mat3 {
  const [a, b] = [6.28 * next(), 6.28 * next()];
  const [ca, sa, cb, sb] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)];
  const reflected = next() < 0.5 ? -1 : 1;
  return [ca * cb, -sa, reflected * ca * sb, sa * cb, ca, reflected * sa * sb, -sb, 0, reflected * cb];
}

function randomVolume(seed: number, least = 4): Volume<Int16Array> {
  const next = noise(seed);
  const length = (): number => least + Math.floor(6 * next());
  const step = (): number => 0.5 + 3 * next();
  const size: Vec3 = [length(), length(), length()];
  const { data } = noiseVolume(size, [1, 1, 1], seed);
  const origin: Vec3 = [200 * next() - 100, 200 * next(), -500 * next()];
  return createVolume({
    data,
    size,
    spacing: [step(), step(), step()],
    origin,
    direction: randomDirection(next),
  });
}

/** Another grid that lies mostly inside. */
function randomGrid(volume: Grid, seed: number): Grid {
  const next = noise(1000 + seed);
  const first = volume.size.map((n) => n * 0.2 * next()) as unknown as Vec3;
  return {
    size: [6, 5, 7],
    spacing: volume.spacing.map((s) => s * (0.4 + 0.5 * next())) as unknown as Vec3,
    origin: indexToPhysical(volume, first),
    direction: seed % 2 ? volume.direction : randomDirection(next),
  };
}

const worstOf = (a: Volume, b: Volume): number =>
  Array.from(a.data).reduce((worst, v, at) => Math.max(worst, Math.abs(v - b.data[at]!)), 0);

/** Of values up to 1000 by float32 coefficients; nearest and linear are exact where asked onto voxel centres. */
const TOLERANCE = { nearest: 0, linear: 1e-3, bspline: 2e-3 };

describe.each(interpolations)('resampling, %s', (interpolation) => {
  test.each(seeds)('onto its own grid gives the same voxels (seed %d)', (seed) => {
    const volume = randomVolume(seed, 1);
    expect(worstOf(resample(volume, { like: volume }, { interpolation }), volume)).toBeLessThanOrEqual(
      TOLERANCE[interpolation],
    );
    expect(
      worstOf(resample(volume, { spacing: volume.spacing }, { interpolation }), volume),
    ).toBeLessThanOrEqual(TOLERANCE[interpolation]);
  });

  test.each(seeds)('moving source and target alike changes nothing (seed %d)', (seed) => {
    const volume = randomVolume(seed);
    const like = randomGrid(volume, seed);
    const move = <T extends Grid>(grid: T): T => ({
      ...grid,
      origin: [grid.origin[0] + 16, grid.origin[1] - 32, grid.origin[2] + 8],
    });
    const still = resample(volume, { like }, { interpolation });
    const moved = resample(move(volume), { like: move(like) }, { interpolation });
    expect(worstOf(moved, still)).toBeLessThanOrEqual(TOLERANCE[interpolation]);
    expect(still.data.some((v) => v !== 0)).toBe(true);
  });

  test.each(seeds)('moving by whole voxels moves voxels (seed %d)', (seed) => {
    const volume = randomVolume(seed);
    const like = { ...volume, origin: indexToPhysical(volume, [1, -1, 2]) };
    const found = resample(volume, { like }, { interpolation, fill: 5 });
    const [width, height, depth] = volume.size;
    for (let z = 0, at = 0; z < depth; z++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++, at++) {
          const inside = x + 1 < width && y > 0 && z + 2 < depth;
          const expected = inside ? volume.data[x + 1 + width * (y - 1 + height * (z + 2))]! : 5;
          expect(Math.abs(found.data[at]! - expected)).toBeLessThanOrEqual(TOLERANCE[interpolation]);
        }
      }
    }
  });

  test.each(seeds)('permuted and flipped axes change nothing (seed %d)', (seed) => {
    const volume = randomVolume(seed);
    const like = randomGrid(volume, seed);
    const expected = resample(volume, { like }, { interpolation });
    for (const code of ['LPS', 'RAS', 'PIR', 'IRA']) {
      const turned = resample(reorient(volume, code), { like }, { interpolation });
      expect(worstOf(turned, expected)).toBeLessThanOrEqual(TOLERANCE[interpolation]);
      const target = resample(volume, { like: reorient({ ...expected }, code) }, { interpolation });
      const back = reorient(target, orientationOf(like));
      expect(worstOf(back, expected)).toBeLessThanOrEqual(TOLERANCE[interpolation]);
    }
  });
});

test.each(['linear', 'bspline'] as const)(
  '%s: a ramp upsampled and back is itself inside',
  (interpolation) => {
    const size: Vec3 = [26, 25, 24];
    const data = Float32Array.from({ length: 26 * 25 * 24 }, (_, at) => {
      const [x, y, z] = [at % 26, Math.floor(at / 26) % 25, Math.floor(at / 650)];
      return 3 * x - 2 * y + 5 * z;
    });
    const ramp = createVolume({ data, size, spacing: [0.7, 0.8, 2.5] });
    const finer = resample(ramp, { spacing: [0.5, 0.4, 1.1] }, { interpolation });
    const back = resample(finer, { like: ramp }, { interpolation });
    // mirrored edges bend the spline; that dies out by 0.27 a voxel
    const margin = interpolation === 'linear' ? 2 : 9;
    const box = {
      minimum: [margin, margin, margin] as Vec3,
      maximum: size.map((n) => n - 1 - margin) as unknown as Vec3,
    };
    expect(worstOf(crop(back, box), crop(ramp, box))).toBeLessThan(1e-3);
  },
);

test.each(seeds)('reorient and pad there and back give the same volume (seed %d)', (seed) => {
  const volume = randomVolume(seed, 1);
  const code = orientationOf(volume);
  for (const other of ['LPS', 'RAS', 'SAL', 'AIR']) {
    expect(worstOf(reorient(reorient(volume, other), code), volume)).toBe(0);
  }
  const padded = pad(volume, { before: [1, 2, 0], after: [0, 3, 1], value: -1024 });
  const [width, height, depth] = volume.size;
  const box = { minimum: [1, 2, 0] as Vec3, maximum: [width, height + 1, depth - 1] as Vec3 };
  const back = crop(padded, box);
  expect(back.data).toEqual(volume.data);
  back.origin.forEach((v, axis) => {
    expect(v).toBeCloseTo(volume.origin[axis]!, 9);
  });
});

describe.each(seeds)('masks (seed %d)', (seed) => {
  const next = noise(seed);
  const size: Vec3 = [5 + Math.floor(8 * next()), 5 + Math.floor(8 * next()), 4 + Math.floor(5 * next())];
  const spacing: Vec3 = [0.5 + next(), 0.5 + next(), 1 + 3 * next()];
  const mask = noiseMask(size, spacing, 0.02 + 0.3 * next(), seed);
  const not = ({ data, ...grid }: Mask): Mask => ({ ...grid, data: data.map((v) => (v === 0 ? 1 : 0)) });

  test('distances are those of the nearest voxel by brute force', () => {
    const place = (at: number): Vec3 => [
      at % size[0],
      Math.floor(at / size[0]) % size[1],
      Math.floor(at / (size[0] * size[1])),
    ];
    const sites = [...mask.data.keys()].filter((at) => mask.data[at] !== 0).map(place);
    distanceTransform(mask).data.forEach((found, at) => {
      const voxel = place(at);
      const nearest = sites.reduce(
        (least, site) =>
          Math.min(least, Math.hypot(...site.map((n, axis) => (n - voxel[axis]!) * spacing[axis]!))),
        Number.POSITIVE_INFINITY,
      );
      expect(found).toBeCloseTo(nearest, 4);
    });
  });

  test.each([0, 0.9, 1.8, 4])('eroding is dilating the background; %f mm', (mm) => {
    expect(erode(mask, mm).data).toEqual(not(dilate(not(mask), mm)).data);
    const [grown, shell] = [dilate(mask, mm).data, ring(mask, mm).data];
    shell.forEach((v, at) => {
      expect(v && mask.data[at]).toBe(0); // apart from the mask
      expect(v + mask.data[at]!).toBe(grown[at]); // and together the dilated mask
    });
  });

  test('components make up the mask; those over faces lie in those over corners', () => {
    const corners = connectedComponents(mask);
    const faces = connectedComponents(mask, { connectivity: 6 });
    for (const { labels, components, count } of [corners, faces]) {
      const sum = components.reduce((total, { volumeMm3: volume }) => total + volume, 0);
      expect(sum).toBeCloseTo(volumeMm3(mask), 6);
      expect(labels.data.every((label, at) => label > 0 === (mask.data[at] !== 0))).toBe(true);
      expect(count).toBe(components.length);
    }
    expect(faces.count).toBeGreaterThanOrEqual(corners.count);
    const cornersOf = new Map<number, number>();
    faces.labels.data.forEach((label, at) => {
      if (!cornersOf.has(label)) cornersOf.set(label, corners.labels.data[at]!);
      expect(corners.labels.data[at]).toBe(cornersOf.get(label));
    });
  });

  test('filling holes keeps the mask, is done at once, and leaves no enclosed background', () => {
    const filled = fillHoles(mask);
    expect(filled.data.every((v, at) => v >= mask.data[at]!)).toBe(true);
    expect(fillHoles(filled).data).toEqual(filled.data);
    const outside = connectedComponents(pad(not(filled), { before: [1, 1, 1], value: 1 }), {
      connectivity: 6,
    });
    expect(outside.count).toBe(1);
  });
});
