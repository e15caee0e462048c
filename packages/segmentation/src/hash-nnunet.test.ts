import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { hashNnUnet } from './node/hash-nnunet.js';

const dataset = fileURLToPath(new URL('./__fixtures__/nnunet/Dataset801_SyntheticCT', import.meta.url));

test('hashes what is loaded, the stage before a cascade included, and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hash-nnunet-'));
  try {
    await cp(dataset, folder, { recursive: true });
    const cascade = join(folder, 'nnUNetTrainer__nnUNetPlans__3d_cascade_fullres');
    const before = await hashNnUnet(cascade);
    const stage = '../nnUNetTrainer__nnUNetPlans__3d_lowres';
    expect(Object.keys(before.files).sort()).toEqual([
      ...[`${stage}/dataset.json`, `${stage}/fold_all/checkpoint_final.pth`, `${stage}/plans.json`],
      ...['dataset.json', 'fold_all/checkpoint_final.pth', 'plans.json'],
    ]);
    const plans = await readFile(join(cascade, 'plans.json'));
    expect(before.files['plans.json']).toBe(createHash('sha256').update(plans).digest('hex'));

    await writeFile(join(cascade, 'progress.txt'), 'an epoch');
    expect(await hashNnUnet(cascade)).toEqual(before);
    const changed = join(cascade, stage, 'fold_all/checkpoint_final.pth');
    const bytes = await readFile(changed);
    bytes[100]! ^= 1;
    await writeFile(changed, bytes);
    expect((await hashNnUnet(cascade)).sha256).not.toBe(before.sha256);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a folder that is no model is refused with what it lacks', async () => {
  await expect(hashNnUnet(dataset)).rejects.toMatchObject({
    code: 'FILE_MISSING',
    message: expect.stringContaining('fold_x/checkpoint_final.pth'),
  });
  await expect(hashNnUnet('/nowhere')).rejects.toMatchObject({ code: 'FILE_MISSING' });
});
