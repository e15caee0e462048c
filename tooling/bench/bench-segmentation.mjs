import { join } from 'node:path';
import { here, median, start } from './bench-tools.mjs';

/** The layers of nnU-Net's default 3D network on a patch of 64^3, and what else conv3d can do. */
const SHAPES = [
  [
    '3x3x3, 1 -> 32 at 64^3',
    { kind: 'convolution', size: [64, 64, 64], channels: [1, 32], kernel: [3, 3, 3] },
  ],
  [
    '3x3x3, 32 -> 32 at 64^3',
    { kind: 'convolution', size: [64, 64, 64], channels: [32, 32], kernel: [3, 3, 3] },
  ],
  [
    '1x3x3, 32 -> 32 at 24x96x96',
    { kind: 'convolution', size: [24, 96, 96], channels: [32, 32], kernel: [1, 3, 3] },
  ],
  [
    '3x3x3 by 2, 32 -> 64 at 64^3',
    { kind: 'convolution', size: [64, 64, 64], channels: [32, 64], kernel: [3, 3, 3], strides: [2, 2, 2] },
  ],
  [
    '3x3x3, 128 -> 128 at 16^3',
    { kind: 'convolution', size: [16, 16, 16], channels: [128, 128], kernel: [3, 3, 3] },
  ],
  [
    '3x3x3, 320 -> 320 at 4^3',
    { kind: 'convolution', size: [4, 4, 4], channels: [320, 320], kernel: [3, 3, 3] },
  ],
  [
    '3x3x3 dilated by 2, 32 -> 32 at 48^3',
    { kind: 'convolution', size: [48, 48, 48], channels: [32, 32], kernel: [3, 3, 3], dilations: [2, 2, 2] },
  ],
  [
    '1x1x1, 32 -> 3 at 64^3',
    { kind: 'convolution', size: [64, 64, 64], channels: [32, 3], kernel: [1, 1, 1] },
  ],
  [
    'transposed 2x2x2 by 2, 64 -> 32 at 32^3',
    { kind: 'transposed', size: [32, 32, 32], channels: [64, 32], kernel: [2, 2, 2], strides: [2, 2, 2] },
  ],
  [
    'instance norm, leaky ReLU, 32 at 64^3',
    { kind: 'norm', size: [64, 64, 64], channels: [32, 32], kernel: [1, 1, 1] },
  ],
];

/**
 * Each layer alone, forward and with its gradients, beside PyTorch: the same shapes, as many threads, turn by turn.
 * @returns every single measurement
 */
async function benchConvolutions({ peer, rounds, threads }) {
  const runs = [];
  console.log('| layer | forward, ms | PyTorch | ratio | with gradients, ms | PyTorch | ratio |');
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  for (const [layer, shape] of SHAPES) {
    const args = [String(threads), JSON.stringify(shape)];
    const ours = await start(process.execPath, [join(here, 'segmentation-ours.mjs'), ...args]);
    const theirs = await start(peer, [join(here, 'segmentation_peer.py'), ...args]);
    const cells = [layer];
    for (const work of ['forward', 'step']) {
      const times = { ours: [], theirs: [] };
      for (const side of [ours, theirs]) await side.ask(work); // warm
      for (let round = 0; round < rounds; round++) {
        times.ours.push((await ours.ask(work)).milliseconds);
        times.theirs.push((await theirs.ask(work)).milliseconds);
      }
      const ratio = median(times.ours.map((time, round) => time / times.theirs[round]));
      runs.push({ layer, work, ...times, ratio, library: ours.ready, peer: theirs.ready });
      cells.push(median(times.ours).toFixed(1), median(times.theirs).toFixed(1), ratio.toFixed(2));
    }
    ours.stop();
    theirs.stop();
    console.log(`| ${cells.join(' | ')} |`);
  }
  return runs;
}

/** nnU-Net's default 3D network of 4 stages, as its planner would make it for a GPU of little memory. */
const CONFIGURATION = {
  architecture: {
    network_class_name: 'dynamic_network_architectures.architectures.unet.PlainConvUNet',
    arch_kwargs: {
      n_stages: 4,
      features_per_stage: [32, 64, 128, 256],
      conv_op: 'torch.nn.modules.conv.Conv3d',
      kernel_sizes: Array(4).fill([3, 3, 3]),
      strides: [[1, 1, 1], ...Array(3).fill([2, 2, 2])],
      n_conv_per_stage: [2, 2, 2, 2],
      n_conv_per_stage_decoder: [2, 2, 2],
      conv_bias: true,
      norm_op: 'torch.nn.modules.instancenorm.InstanceNorm3d',
      norm_op_kwargs: { eps: 1e-5, affine: true },
      dropout_op: null,
      dropout_op_kwargs: null,
      nonlin: 'torch.nn.LeakyReLU',
      nonlin_kwargs: { inplace: true },
    },
    _kw_requires_import: ['conv_op', 'norm_op', 'dropout_op', 'nonlin'],
  },
};

/** The whole network forward (a tile of the sliding window) and a training step: time, and memory of the whole process. */
async function benchNetwork({ peer, rounds, threads }) {
  const runs = [];
  console.log('\n| network, 64^3, batch 1 | ours, ms | PyTorch | ratio | ours, MB | PyTorch | ratio |');
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  const shape = {
    kind: 'network',
    size: [64, 64, 64],
    channels: [1, 2],
    batch: 1,
    configuration: CONFIGURATION,
  };
  for (const work of ['forward', 'step']) {
    const args = [String(threads), JSON.stringify(shape)];
    const ours = await start(process.execPath, [join(here, 'segmentation-ours.mjs'), ...args]);
    const theirs = await start(peer, [join(here, 'segmentation_peer.py'), ...args]);
    const times = { ours: [], theirs: [] };
    for (const side of [ours, theirs]) await side.ask(work); // warm
    for (let round = 0; round < rounds; round++) {
      times.ours.push((await ours.ask(work)).milliseconds);
      times.theirs.push((await theirs.ask(work)).milliseconds);
    }
    const [peak, theirPeak] = [(await ours.ask('peak')).peakMb, (await theirs.ask('peak')).peakMb];
    ours.stop();
    theirs.stop();
    const ratio = median(times.ours.map((time, round) => time / times.theirs[round]));
    runs.push({
      layer: 'network',
      work,
      ...times,
      ratio,
      peak,
      theirPeak,
      library: ours.ready,
      peer: theirs.ready,
    });
    const cells = [work, median(times.ours).toFixed(0), median(times.theirs).toFixed(0), ratio.toFixed(2)];
    const memory = [peak.toFixed(0), theirPeak.toFixed(0), (peak / theirPeak).toFixed(2)];
    console.log(`| ${[...cells, ...memory].join(' | ')} |`);
  }
  return runs;
}

/** `pnpm bench segmentation`: the layers alone, then the network. */
export async function benchSegmentation(options) {
  return [...(await benchConvolutions(options)), ...(await benchNetwork(options))];
}
