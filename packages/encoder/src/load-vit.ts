import { readSafetensors, toFloat32, type WeightTensor, writeSafetensors } from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import type { Block } from './block.js';
import type { LayerNorm } from './layer-norm.js';
import type { Linear } from './linear.js';
import { patchMatrix } from './patch-embedding.js';
import { preprocessingOf } from './preprocessing.js';
import { sha256 } from './sha256.js';
import { blockNames, strictStateDict } from './state-dict.js';
import { Vit } from './vit.js';
import { parseVitConfig, type VitConfig } from './vit-config.js';

/** The files of a Hugging Face model directory, read by the caller. */
export interface VitFiles {
  /** Parsed config.json. */
  readonly config: unknown;
  /** Bytes of model.safetensors, or the tensors in it. */
  readonly weights: Uint8Array | ReadonlyMap<string, WeightTensor>;
  /** Parsed preprocessor_config.json; without it the family's usual mean and standard deviation are taken. */
  readonly preprocessor?: unknown;
}

/**
 * Loads a DINOv2 or ViT encoder. Start a backend first (`startEngine`); weights become float32 tensors.
 *
 * @param source a Hugging Face directory with config.json and model.safetensors (Node only), or its files
 * @throws EncoderError UNSUPPORTED, MALFORMED, FILE_MISSING, MISSING_KEYS, UNEXPECTED_KEYS, SHAPE_MISMATCH; WeightsError
 * for a broken safetensors file
 * @example
 * const vit = await loadVit('encoders/dinov2-small');
 * const { cls } = vit.forward(pixels); // [B, 384]
 */
export async function loadVit(source: string | VitFiles): Promise<Vit> {
  const files = typeof source === 'string' ? await readDirectory(source) : source;
  const config = parseVitConfig(files.config);
  const bytes = files.weights instanceof Uint8Array ? files.weights : writeSafetensors(files.weights);
  const tensors = files.weights instanceof Uint8Array ? readSafetensors(bytes).tensors : files.weights;
  const stateDict = strictStateDict(config, tensors);
  const weightsSha256 = await sha256(bytes);
  const preprocessing = preprocessingOf(config, files.preprocessor);
  return new Vit({ config, preprocessing, weightsSha256, ...tensorsOf(config, stateDict) });
}

async function readDirectory(directory: string): Promise<VitFiles> {
  const { readVitDirectory } = await import('./node/vit-directory.js');
  return readVitDirectory(directory);
}

function tensorsOf(config: VitConfig, stateDict: ReadonlyMap<string, WeightTensor>) {
  const {
    hidden_size: width,
    patch_size: patchSize,
    layer_norm_eps: epsilon,
    num_attention_heads: heads,
  } = config;
  const values = (name: string) => toFloat32(stateDict.get(name)!);
  const vector = (name: string) => tf.tensor1d(values(name));
  const norm = (name: string): LayerNorm => ({
    weight: vector(`${name}.weight`),
    bias: vector(`${name}.bias`),
    epsilon,
  });
  const linear = (name: string): Linear => ({
    name,
    weight: tf.tensor2d(values(`${name}.weight`), stateDict.get(`${name}.weight`)!.shape as [number, number]),
    bias: stateDict.has(`${name}.bias`) ? vector(`${name}.bias`) : undefined,
  });
  const blocks = Array.from({ length: config.num_hidden_layers }, (_, index): Block => {
    const names = blockNames(config.model_type, index);
    return {
      norm1: norm(names.norm1),
      attention: {
        query: linear(names.query),
        key: linear(names.key),
        value: linear(names.value),
        output: linear(names.output),
        heads,
      },
      scale1: names.scale1 ? vector(names.scale1) : undefined,
      norm2: norm(names.norm2),
      mlp: { fc1: linear(names.fc1), fc2: linear(names.fc2) },
      scale2: names.scale2 ? vector(names.scale2) : undefined,
    };
  });
  const projection = 'embeddings.patch_embeddings.projection';
  const kernelShape: [number, number, number, number] = [width, config.num_channels, patchSize, patchSize];
  const table = values('embeddings.position_embeddings');
  return {
    patches: {
      weight: tf.tidy(() => patchMatrix(tf.tensor4d(values(`${projection}.weight`), kernelShape))),
      bias: vector(`${projection}.bias`),
      patchSize,
    },
    classToken: tf.tensor3d(values('embeddings.cls_token'), [1, 1, width]),
    positions: {
      table,
      side: Math.sqrt(table.length / width - 1),
      width,
      resized: new Map<string, Float32Array>(),
    },
    blocks,
    norm: norm('layernorm'),
  };
}
