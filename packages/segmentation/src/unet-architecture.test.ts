import { expect, test } from 'vitest';
import { readGolden } from './__fixtures__/unets.js';
import { readArchitecture } from './unet-architecture.js';

const { configuration } = readGolden('plain-3d').golden;
const withValues = (values: Record<string, unknown>, name?: string) => ({
  architecture: {
    network_class_name: name ?? configuration.architecture!.network_class_name,
    arch_kwargs: { ...configuration.architecture!.arch_kwargs, ...values },
  },
});

test('plans of nnU-Net before 2.4 give the same architecture as later ones', () => {
  const earlier = {
    UNet_class_name: 'PlainConvUNet',
    UNet_base_num_features: 3,
    unet_max_num_features: 5,
    n_conv_per_stage_encoder: [1, 2, 2],
    n_conv_per_stage_decoder: [2, 1],
    conv_kernel_sizes: [
      [1, 3, 3],
      [3, 3, 3],
      [3, 3, 3],
    ],
    pool_op_kernel_sizes: [
      [1, 1, 1],
      [1, 2, 2],
      [2, 2, 2],
    ],
  };
  expect(readArchitecture(earlier)).toEqual({
    ...readArchitecture(configuration),
    features: [3, 5, 5], // 3 x 2^stage, at most 5
  });
  expect(() => readArchitecture({})).toThrow(/neither `architecture` nor .*inherits_from/);
});

test('one number stands for all stages and axes, as in Python', () => {
  const { kernels, features } = readArchitecture(withValues({ kernel_sizes: 3, features_per_stage: 8 }));
  expect([kernels, features]).toEqual([Array(3).fill([3, 3, 3]), [8, 8, 8]]);
});

test.each([
  ['another network', withValues({}, 'some.Transformer'), 'UNSUPPORTED', 'the network "some.Transformer"'],
  ['batch norm', withValues({ norm_op: 'torch.nn.BatchNorm3d' }), 'UNSUPPORTED', 'torch.nn.BatchNorm3d'],
  ['another activation', withValues({ nonlin: 'torch.nn.GELU' }), 'UNSUPPORTED', 'torch.nn.GELU'],
  [
    'a missing stage',
    withValues({ strides: [[1, 1, 1]] }),
    'INVALID_PLANS',
    'strides has 1 entries for 3 stages',
  ],
  ['half a feature', withValues({ features_per_stage: [1, 2, 2.5] }), 'INVALID_PLANS', 'not 2.5'],
])('%s is refused by name', (_, plans, code, message) => {
  expect(() => readArchitecture(plans)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  );
});
