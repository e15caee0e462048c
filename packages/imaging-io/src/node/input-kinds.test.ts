import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sharedData } from '@onco-response/tooling-vitest/data';
import type { Volume } from '@onco-response/volume';
import { afterAll, describe, expect, test } from 'vitest';
import {
  filesOf,
  inputKinds,
  type ReferenceImage,
  realInputs,
  temporaryFolders,
  voxelDigest,
} from '../test-input-kinds.js';
import { readVolume } from './read-volume.js';

const folders = temporaryFolders();
afterAll(folders.remove);

/** float32 and decimal text in headers: 1e-5 mm, and 1e-6 in cosines. */
function expectGeometry(volume: Volume, reference: ReferenceImage): void {
  expect(volume.size).toEqual(reference.size);
  for (const [key, digits] of [
    ['spacing', 5],
    ['origin', 5],
    ['direction', 6],
  ] as const) {
    for (const [at, value] of reference[key].entries())
      expect(volume[key][at], key).toBeCloseTo(value, digits);
  }
}

describe('voxels and geometry equal the reference', () => {
  test.each(inputKinds.map((kind) => [kind.name, kind.reference, kind] as const))(
    '%s (%s)',
    async (_, __, kind) => {
      const folder = folders.write(filesOf(kind));
      const volume = await readVolume(join(folder, kind.open));
      expectGeometry(volume, kind);
      expect(voxelDigest(volume.data)).toBe(kind.voxels);
    },
  );
});

const data = sharedData();
describe.skipIf(!data)('real images: voxels and geometry equal SimpleITK', () => {
  const present = realInputs.filter(({ path }) => data && existsSync(join(data, path)));
  test.each(present.map((image) => [image.path, image] as const))('%s', async (path, image) => {
    const volume = await readVolume(join(data!, path));
    expectGeometry(volume, image);
    expect(voxelDigest(volume.data)).toBe(image.voxels);
  });
});
