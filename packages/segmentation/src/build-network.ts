import type { RandomStream } from '@onco-response/engine';
import type { WeightTensor } from '@onco-response/weights';
import { datasetLabels, type NnUnetDataset } from './dataset-labels.js';
import { UNet } from './unet.js';
import { type NetworkConfiguration, readArchitecture } from './unet-architecture.js';

/**
 * The network of an nnU-Net model: its architecture from the plans, its weights from the checkpoint.
 *
 * @param configuration one of plans.json's `configurations`, with its `inherits_from` resolved
 * @param source `network_weights` of the checkpoint, by name ("encoder.stages.0.0.convs.0.conv.weight"), or a random
 * stream: an untrained network as nnU-Net initialises it
 * @throws SegmentationError INVALID_PLANS, INVALID_DATASET, UNSUPPORTED, WEIGHTS_MISMATCH (naming tensors)
 * @example
 * const { tensors } = readTorchCheckpoint(bytes); // of checkpoint_final.pth
 * const network = buildNetwork(plans.configurations['3d_fullres'], dataset, weightsUnder(tensors, 'network_weights'));
 * network.forward(patch); // [1, 64, 128, 128, 1] -> [1, 64, 128, 128, 2]
 */
export function buildNetwork(
  configuration: NetworkConfiguration,
  dataset: NnUnetDataset,
  source: ReadonlyMap<string, WeightTensor> | RandomStream,
): UNet {
  const { channels, outputs, foreground } = datasetLabels(dataset);
  const previous = configuration.previous_stage ? foreground.length : 0;
  return new UNet(readArchitecture(configuration), channels.length + previous, outputs.length, source);
}

/** The tensors whose names begin with `part` and a dot, by the rest of their names. */
export function weightsUnder(
  tensors: ReadonlyMap<string, WeightTensor>,
  part: string,
): Map<string, WeightTensor> {
  const prefix = `${part}.`;
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}
