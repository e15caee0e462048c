import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEngine } from '@onco-response/engine';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadNnUnet } from './node/load-nnunet.js';

const fixtures = fileURLToPath(new URL('./__fixtures__/nnunet/Dataset801_SyntheticCT', import.meta.url));
const named = (configuration: string): string => `nnUNetTrainer__nnUNetPlans__${configuration}`;

let folder: string;
beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
  folder = await mkdtemp(join(tmpdir(), 'nnunet-'));
  await cp(join(fixtures, named('2d')), join(folder, named('2d')), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('finds folds, mirror axes, and the postprocessing of these folds', async () => {
  const model = join(folder, named('2d'));
  await mkdir(join(model, 'crossval_results_folds_0'), { recursive: true });
  await writeFile(
    join(model, 'crossval_results_folds_0', 'postprocessing.json'),
    JSON.stringify({
      postprocessing_fns: ['remove_all_but_largest_component_from_segmentation'],
      postprocessing_kwargs: [{ labels_or_regions: [1, [1, 2]] }],
    }),
  );
  const segmenter = await loadNnUnet(model);
  expect(segmenter.channels).toEqual(['CT']);
  expect(segmenter.description).toMatchObject({
    configuration: '2d',
    trainer: 'nnUNetTrainer',
    folds: [0],
    mirrorAxes: [0, 1],
    postprocessing: { steps: [{ labels: [1, 2] }] },
  });
  segmenter.dispose();
  const without = await loadNnUnet(model, { postprocessing: false });
  expect(without.description.postprocessing).toBeNull();
  without.dispose();
});

it('says which file is missing or is something else', async () => {
  const refuses = (path: string, code: string, text: string, options = {}): Promise<void> =>
    expect(loadNnUnet(path, options)).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
  const model = join(folder, named('2d'));
  await refuses(join(folder, 'elsewhere'), 'FILE_MISSING', 'dataset.json cannot be read');
  await refuses(model, 'FILE_MISSING', 'checkpoint_final.pth cannot be read', { folds: [3] });
  await refuses(model, 'FILE_MISSING', 'no fold_0', { checkpoint: 'checkpoint_best.pth' });
  await refuses(model, 'INVALID_ARGUMENT', 'at least one fold', { folds: [] });
  const other = join(folder, named('other'));
  await cp(model, other, { recursive: true });
  await writeFile(
    join(other, 'postprocessing.json'),
    JSON.stringify({ postprocessing_fns: ['mine'], postprocessing_kwargs: [{ labels_or_regions: 1 }] }),
  );
  await refuses(other, 'UNSUPPORTED', 'asks for mine');
  await rm(join(other, 'postprocessing.json'));
  await writeFile(join(other, 'postprocessing.pkl'), '');
  await refuses(other, 'UNSUPPORTED', 'without the postprocessing.json');
  await writeFile(join(other, 'plans.json'), '{');
  await refuses(other, 'INVALID_PLANS', 'is no JSON');
});

it('finds the stage before a cascade beside it', async () => {
  const segmenter = await loadNnUnet(join(fixtures, named('3d_cascade_fullres')));
  expect(segmenter.description).toMatchObject({
    folds: ['all'],
    previousStage: { configuration: '3d_lowres' },
  });
  segmenter.dispose();
});

it('reads the plans that nnU-Net wrote before 2.4, as TotalSegmentator ships them', async () => {
  const model = join(folder, named('old'));
  await cp(join(fixtures, named('2d')), model, { recursive: true });
  const plans = JSON.parse(await readFile(join(model, 'plans.json'), 'utf8'));
  const { architecture, ...rest } = plans.configurations['2d'];
  plans.configurations['2d'] = {
    ...rest,
    UNet_class_name: 'PlainConvUNet',
    UNet_base_num_features: 4,
    unet_max_num_features: 12,
    n_conv_per_stage_encoder: architecture.arch_kwargs.n_conv_per_stage,
    n_conv_per_stage_decoder: architecture.arch_kwargs.n_conv_per_stage_decoder,
    conv_kernel_sizes: architecture.arch_kwargs.kernel_sizes,
    pool_op_kernel_sizes: architecture.arch_kwargs.strides,
  };
  await writeFile(join(model, 'plans.json'), JSON.stringify(plans));
  const segmenter = await loadNnUnet(model);
  expect(segmenter.description).toMatchObject({ configuration: '2d', folds: [0] });
  segmenter.dispose();
});
