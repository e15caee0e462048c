import { readSafetensors, type WeightTensor, writeSafetensors } from '@onco-response/weights';
import { SegmentationError } from './segmentation-error.js';

/** What a checkpoint of nnU-Net holds beside the optimiser. */
export interface NetworkCheckpoint {
  /** By name, as `UNet.state` gives them. */
  readonly weights: ReadonlyMap<string, WeightTensor>;
  /** Of plans.json. */
  readonly configuration: string;
  readonly trainer: string;
  /** Axes of patches along which training mirrored them, so that inference may. */
  readonly mirrorAxes: readonly number[];
}

const PREFIX = 'network_weights.';

/**
 * A checkpoint as `checkpoint_final.safetensors`: the tensors of nnU-Net's `network_weights` with their names, and in the
 * metadata what its .pth says beside them. `loadNnUnet` reads both; nnU-Net itself reads its own .pth only.
 */
export function writeNetworkCheckpoint(checkpoint: NetworkCheckpoint): Uint8Array {
  const { weights, configuration, trainer, mirrorAxes } = checkpoint;
  return writeSafetensors(new Map([...weights].map(([name, tensor]) => [PREFIX + name, tensor])), {
    configuration,
    trainer_name: trainer,
    inference_allowed_mirroring_axes: JSON.stringify(mirrorAxes),
  });
}

/**
 * Reads what `writeNetworkCheckpoint` wrote.
 * @param path said in errors
 * @throws SegmentationError UNSUPPORTED; WeightsError
 */
export function readNetworkCheckpoint(bytes: Uint8Array, path: string): NetworkCheckpoint {
  const { tensors, metadata } = readSafetensors(bytes);
  const weights = new Map<string, WeightTensor>();
  for (const [name, tensor] of tensors) {
    if (name.startsWith(PREFIX)) weights.set(name.slice(PREFIX.length), tensor);
  }
  const { configuration, trainer_name: trainer = 'unknown' } = metadata;
  const axes: unknown = JSON.parse(metadata.inference_allowed_mirroring_axes ?? '[]');
  if (weights.size === 0 || configuration === undefined || !Array.isArray(axes)) {
    throw new SegmentationError({
      code: 'UNSUPPORTED',
      message: `${path} is no checkpoint of a segmentation network: it lacks ${weights.size === 0 ? 'tensors under network_weights' : 'configuration in its metadata'}.`,
    });
  }
  return { weights, configuration, trainer, mirrorAxes: axes.map(Number) };
}
