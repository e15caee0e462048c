import { expect, test } from 'vitest';
import { LesionMaskError } from './lesion-mask-error.js';
import { nameMask } from './name-mask.js';

test('an error about a mask names its file, any other is left alone', async () => {
  const empty = () => {
    throw new LesionMaskError({ code: 'EMPTY_MASK', message: 'the mask has no lesion voxel' });
  };
  await expect(nameMask('a/mask.nii', empty)).rejects.toMatchObject({
    code: 'EMPTY_MASK',
    message: 'a/mask.nii: the mask has no lesion voxel',
  });
  const other = new TypeError('else');
  await expect(nameMask('a/mask.nii', () => Promise.reject(other))).rejects.toBe(other);
  expect(await nameMask('a/mask.nii', () => 7)).toBe(7);
});
