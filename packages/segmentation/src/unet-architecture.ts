import { SegmentationError } from './segmentation-error.js';

export type Triple = readonly [number, number, number];

/** Of a vector-quantised bottleneck. */
export interface Codebook {
  /** Vectors. */
  readonly size: number;
  /** Of each vector. */
  readonly features: number;
  /** Weight of the loss that draws the encoder to the codebook. */
  readonly commitment: number;
}

/** What a U-Net has besides encoder and decoder. */
export type NetworkKind = 'plainUnet' | 'attentionUnet' | 'vectorQuantisedUnet';

/**
 * A U-Net of the dynamic_network_architectures package, or one of ours on its encoder and decoder, with every default
 * filled in. Stages run from fine to coarse.
 */
export interface UNetArchitecture {
  readonly encoder: 'plain' | 'residual';
  readonly dimensions: 2 | 3;
  readonly features: readonly number[];
  /** In two dimensions the first of the three is 1. */
  readonly kernels: readonly Triple[];
  readonly strides: readonly Triple[];
  /** Convolutions of a plain, blocks of a residual encoder's stages. */
  readonly encoderBlocks: readonly number[];
  /** Convolutions of the decoder's stages, from coarse to fine. */
  readonly decoderBlocks: readonly number[];
  readonly stemFeatures: number;
  readonly convolutionBias: boolean;
  readonly epsilon: number;
  /** Of the leaky ReLU; 0 is ReLU. */
  readonly negativeSlope: number;
  /** Whether skips are gated. */
  readonly attention: boolean;
  readonly codebook: Codebook | undefined;
}

/** What is read of a configuration of nnU-Net's plans.json (after `inherits_from` has been resolved). */
export interface NetworkConfiguration {
  /** nnU-Net 2.4 and later. */
  readonly architecture?:
    | {
        readonly network_class_name: string;
        readonly arch_kwargs: Readonly<Record<string, unknown>>;
        readonly _kw_requires_import?: readonly string[] | undefined;
      }
    | undefined;
  /** Set for the second stage of a cascade: its input has a one-hot channel for each foreground label besides. */
  readonly previous_stage?: string | null | undefined;
  /** Before nnU-Net 2.4 the architecture's numbers lie here. */
  readonly UNet_class_name?: string | undefined;
  readonly UNet_base_num_features?: number | undefined;
  readonly unet_max_num_features?: number | undefined;
  readonly n_conv_per_stage_encoder?: readonly number[] | undefined;
  readonly n_conv_per_stage_decoder?: readonly number[] | undefined;
  readonly conv_kernel_sizes?: readonly (readonly number[])[] | undefined;
  readonly pool_op_kernel_sizes?: readonly (readonly number[])[] | undefined;
}

/** What plans.json calls the networks that are planned here: ours by their full names, so that no other is taken for one. */
export const NETWORK_CLASSES: Readonly<Record<NetworkKind, string>> = {
  plainUnet: 'dynamic_network_architectures.architectures.unet.PlainConvUNet',
  attentionUnet: 'onco_response.AttentionUNet',
  vectorQuantisedUnet: 'onco_response.VectorQuantisedUNet',
};

const NETWORKS = new Map<string, { encoder: UNetArchitecture['encoder']; kind: NetworkKind }>([
  ['PlainConvUNet', { encoder: 'plain', kind: 'plainUnet' }],
  ['ResidualEncoderUNet', { encoder: 'residual', kind: 'plainUnet' }],
  [NETWORK_CLASSES.attentionUnet, { encoder: 'plain', kind: 'attentionUnet' }],
  [NETWORK_CLASSES.vectorQuantisedUnet, { encoder: 'plain', kind: 'vectorQuantisedUnet' }],
]);

/** No plan has more: 2^10 voxels a side are already more than a patch has. */
const MAX_STAGES = 12;

/**
 * The architecture a configuration of plans.json asks for, of either format.
 *
 * @throws SegmentationError INVALID_PLANS where numbers are missing or do not fit each other; UNSUPPORTED for other
 * networks, norms and activations, by name
 */
export function readArchitecture(configuration: NetworkConfiguration): UNetArchitecture {
  const { architecture } = configuration;
  const [className, values] = architecture
    ? [architecture.network_class_name, architecture.arch_kwargs]
    : earlierFormat(configuration);
  const network = NETWORKS.get(className) ?? NETWORKS.get(className.split('.').at(-1)!);
  if (!network) throw unsupported('network', className, `${[...NETWORKS.keys()].join(' and ')} can be run`);
  const { encoder, kind } = network;
  const dimensions =
    last(values.conv_op) === 'Conv2d' ? 2 : last(values.conv_op) === 'Conv3d' ? 3 : undefined;
  if (!dimensions) throw unsupported('convolution', values.conv_op, 'Conv2d and Conv3d can be run');
  if (!String(last(values.norm_op)).startsWith('InstanceNorm'))
    throw unsupported('norm_op', values.norm_op, 'InstanceNorm2d and InstanceNorm3d can be run');
  const norm = (values.norm_op_kwargs ?? {}) as { eps?: number; affine?: boolean };
  if (norm.affine !== true)
    throw unsupported(
      'norm without weights, norm_op_kwargs',
      JSON.stringify(norm),
      '"affine": true is needed',
    );
  if (values.nonlin_first === true)
    throw unsupported('order of layers', 'nonlin_first', 'it has to be false');
  const block = last(values.block) ?? 'BasicBlockD';
  if (block !== 'BasicBlockD') throw unsupported('residual block', block, 'BasicBlockD can be run');

  const stages = count(values.n_stages, 'n_stages');
  if (stages > MAX_STAGES) throw invalid(`n_stages is ${stages}, more than ${MAX_STAGES}`);
  if (kind === 'attentionUnet' && stages < 3)
    throw invalid(
      `n_stages is ${stages}; an AttentionUNet gates all skips but the finest and needs 3: plan it for larger patches, or train a plain U-Net`,
    );
  const features = perStage(values.features_per_stage, stages, 'features_per_stage');
  const blocks = encoder === 'plain' ? 'n_conv_per_stage' : 'n_blocks_per_stage';
  return {
    encoder,
    dimensions,
    features,
    kernels: triples(values.kernel_sizes, stages, dimensions, 'kernel_sizes'),
    strides: triples(values.strides, stages, dimensions, 'strides'),
    encoderBlocks: perStage(values[blocks], stages, blocks),
    decoderBlocks: perStage(values.n_conv_per_stage_decoder, stages - 1, 'n_conv_per_stage_decoder'),
    stemFeatures: values.stem_channels == null ? features[0]! : count(values.stem_channels, 'stem_channels'),
    convolutionBias: values.conv_bias === true,
    epsilon: norm.eps ?? 1e-5,
    negativeSlope: slope(values),
    attention: kind === 'attentionUnet',
    codebook: kind === 'vectorQuantisedUnet' ? codebookOf(values) : undefined,
  };
}

function codebookOf(values: Readonly<Record<string, unknown>>): Codebook {
  const { commitment } = values;
  if (!(typeof commitment === 'number' && commitment >= 0))
    throw invalid(`commitment has to be a number from 0 on, not ${JSON.stringify(commitment)}`);
  return {
    size: count(values.codebook_size, 'codebook_size'),
    features: count(values.codebook_features, 'codebook_features'),
    commitment,
  };
}

/** As nnU-Net's ConfigurationManager converts them. */
function earlierFormat(configuration: NetworkConfiguration): [string, Record<string, unknown>] {
  const {
    UNet_class_name: className,
    n_conv_per_stage_encoder: blocks,
    conv_kernel_sizes: kernels,
  } = configuration;
  const { UNet_base_num_features: base, unet_max_num_features: most } = configuration;
  if (!className || !blocks || !kernels || base === undefined || most === undefined) {
    throw invalid(
      'the configuration has neither `architecture` nor all of UNet_class_name, UNet_base_num_features, unet_max_num_features, n_conv_per_stage_encoder and conv_kernel_sizes; if it has `inherits_from`, merge it first',
    );
  }
  const is2d = kernels[0]?.length === 2;
  return [
    className,
    {
      n_stages: blocks.length,
      features_per_stage: blocks.map((_, stage) => Math.min(base * 2 ** stage, most)),
      conv_op: is2d ? 'Conv2d' : 'Conv3d',
      kernel_sizes: kernels,
      strides: configuration.pool_op_kernel_sizes,
      n_conv_per_stage: blocks,
      n_blocks_per_stage: blocks,
      n_conv_per_stage_decoder: configuration.n_conv_per_stage_decoder,
      conv_bias: true,
      norm_op: is2d ? 'InstanceNorm2d' : 'InstanceNorm3d',
      norm_op_kwargs: { eps: 1e-5, affine: true },
      nonlin: 'LeakyReLU',
    },
  ];
}

function slope({ nonlin, nonlin_kwargs }: Readonly<Record<string, unknown>>): number {
  const name = last(nonlin);
  if (name === 'ReLU') return 0;
  if (name !== 'LeakyReLU') throw unsupported('nonlin', nonlin, 'LeakyReLU and ReLU can be run');
  return (nonlin_kwargs as { negative_slope?: number } | null)?.negative_slope ?? 0.01;
}

/** "torch.nn.modules.conv.Conv3d" -> "Conv3d" */
function last(path: unknown): string | undefined {
  return typeof path === 'string' ? path.split('.').at(-1) : undefined;
}

/** Python's networks take one number for all stages, too. */
function perStage(value: unknown, stages: number, name: string): number[] {
  const list = Array.isArray(value) ? value : Array(stages).fill(value);
  if (list.length !== stages) throw invalid(`${name} has ${list.length} numbers for ${stages} stages`);
  return list.map((item) => count(item, name));
}

function triples(value: unknown, stages: number, dimensions: 2 | 3, name: string): Triple[] {
  const list = Array.isArray(value) ? value : Array(stages).fill(value);
  if (list.length !== stages) throw invalid(`${name} has ${list.length} entries for ${stages} stages`);
  return list.map((item) => {
    const sizes = perStage(item, dimensions, name);
    return (dimensions === 2 ? [1, ...sizes] : sizes) as unknown as Triple;
  });
}

function count(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw invalid(`${name} has to be whole numbers above 0, not ${JSON.stringify(value)}`);
}

function invalid(what: string): SegmentationError {
  return new SegmentationError({ code: 'INVALID_PLANS', message: `plans.json: ${what}.` });
}

function unsupported(what: string, found: unknown, possible: string): SegmentationError {
  return new SegmentationError({
    code: 'UNSUPPORTED',
    message: `plans.json: the ${what} "${String(found)}" is not known here: ${possible}.`,
  });
}
