import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { connectedComponents } from './connected-components.js';
import { createVolume } from './create-volume.js';
import { noiseMask } from './test-volumes.js';
import type { Grid, Mask } from './types.js';

const golden = JSON.parse(
  readFileSync(new URL('./__fixtures__/simpleitk.json', import.meta.url), 'utf8'),
) as {
  source: Grid;
  mask: number[];
  components: Record<'6' | '26', number[]>;
};

test.each([6, 26] as const)('sizes over %d neighbours equal scipy.ndimage.label', (connectivity) => {
  const { size, spacing } = golden.source;
  const mask = createVolume({ data: Uint8Array.from(golden.mask), size, spacing });
  const found = connectedComponents(mask, { connectivity });
  expect(found.components.map((c) => c.voxels)).toEqual(golden.components[connectivity]);
  expect(found.count).toBe(golden.components[connectivity].length);
});

/** Flood fill, the plain definition. */
function flood(mask: Mask, reach: (dx: number, dy: number, dz: number) => boolean): number[] {
  const [w, h, d] = mask.size;
  const seen = new Set<number>();
  const sizes: number[] = [];
  for (let start = 0; start < mask.data.length; start++) {
    if (mask.data[start] === 0 || seen.has(start)) continue;
    const queue = [start];
    seen.add(start);
    for (const at of queue) {
      const [x, y, z] = [at % w, Math.floor(at / w) % h, Math.floor(at / (w * h))];
      for (let dz = -1; dz <= 1; dz++) {
        for (let dy = -1; dy <= 1; dy++) {
          for (let dx = -1; dx <= 1; dx++) {
            const [i, j, k] = [x + dx, y + dy, z + dz];
            if (!reach(dx, dy, dz) || i < 0 || j < 0 || k < 0 || i >= w || j >= h || k >= d) continue;
            const to = i + w * (j + h * k);
            if (mask.data[to] === 0 || seen.has(to)) continue;
            seen.add(to);
            queue.push(to);
          }
        }
      }
    }
    sizes.push(queue.length);
  }
  return sizes.sort((a, b) => b - a);
}

test.each([0.05, 0.1, 0.2, 0.35])('flood fill agrees on noise of density %f', (share) => {
  for (let seed = 1; seed <= 4; seed++) {
    const mask = noiseMask([11, 9, 8], [1, 1, 1], share, seed);
    const sizes = (connectivity: 6 | 26): number[] =>
      connectedComponents(mask, { connectivity }).components.map((c) => c.voxels);
    expect(sizes(26)).toEqual(flood(mask, () => true));
    expect(sizes(6)).toEqual(flood(mask, (x, y, z) => Math.abs(x) + Math.abs(y) + Math.abs(z) === 1));
  }
});

test('thousands of components keep their own label; rows do not wrap', () => {
  const data = Uint8Array.from({ length: 20 * 20 * 20 }, (_, at) => {
    const [x, y, z] = [at % 20, Math.floor(at / 20) % 20, Math.floor(at / 400)];
    return x % 2 === 1 && y % 2 === 0 && z % 2 === 0 ? 1 : 0;
  });
  const found = connectedComponents(createVolume({ data, size: [20, 20, 20], spacing: [1, 1, 2] }));
  expect(found.count).toBe(1000);
  expect(new Set(found.labels.data).size).toBe(1001);
  expect(found.components[999]).toEqual({ label: 1000, voxels: 1, volumeMm3: 2 });
});

test('largest first, equal ones in voxel order, other labels joined', () => {
  const data = Uint8Array.from([1, 0, 2, 3, 0, 1]);
  const found = connectedComponents(createVolume({ data, size: [6, 1, 1] }));
  expect([...found.labels.data]).toEqual([2, 0, 1, 1, 0, 3]);
});

test('an empty mask has none; another connectivity is refused', () => {
  const empty = createVolume({ data: new Uint8Array(8), size: [2, 2, 2] });
  expect(connectedComponents(empty).components).toEqual([]);
  expect(() => connectedComponents(empty, { connectivity: 18 as never })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});
