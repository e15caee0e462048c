import { readSafetensors, type WeightTensor, writeSafetensors } from '@onco-response/weights';
import { buildVit } from './build-vit.js';
import { EncoderError } from './encoder-error.js';
import { preprocessingOf } from './preprocessing.js';
import { sha256 } from './sha256.js';
import { strictStateDict } from './state-dict.js';
import { type Pooling, Vit } from './vit.js';
import { parseVitConfig, type VitConfig } from './vit-config.js';

/** The files of a Hugging Face model directory, read by the caller. */
export interface VitFiles {
  /** Parsed config.json. */
  readonly config: unknown;
  /** Bytes of model.safetensors, or the tensors in it. */
  readonly weights: Uint8Array | ReadonlyMap<string, WeightTensor>;
  /**
   * SHA-256 of the weights' file in hex, where the caller knows it; else it is taken of the bytes, or of the tensors
   * written as safetensors.
   */
  readonly weightsSha256?: string;
  /** Parsed preprocessor_config.json; without it the family's published one is taken. */
  readonly preprocessor?: unknown;
}

export interface VitOptions {
  /**
   * What `cls` and `classToken` are: 'cls', the class token (SigLIP has none: its attention-pooled embedding), or 'mean',
   * the mean of the patches that `forward` returns. 'cls' by default, 'mean' for a SigLIP without its pooling head.
   */
  readonly pooling?: Pooling;
}

/**
 * Loads a vision transformer; which one, its config.json's `model_type` says. Start a backend first (`startEngine`);
 * weights become float32 tensors.
 *
 * @param source a Hugging Face directory with config.json and weights: model.safetensors, its shards, or pytorch_model.bin
 *   (Node only), or its files
 * @throws EncoderError UNSUPPORTED, MALFORMED, FILE_MISSING, MISSING_KEYS, UNEXPECTED_KEYS, SHAPE_MISMATCH,
 * INVALID_ARGUMENT; WeightsError for a broken safetensors file
 * @example
 * const vit = await loadVit('encoders/dinov2-small');
 * const { cls } = vit.forward(pixels); // [B, 384]
 */
export async function loadVit(source: string | VitFiles, options: VitOptions = {}): Promise<Vit> {
  const files = typeof source === 'string' ? await readDirectory(source) : source;
  const config = parseVitConfig(files.config);
  const pooling = poolingOf(config, options);
  const { weights: given } = files;
  const weights = given instanceof Uint8Array ? readSafetensors(given).tensors : given;
  const { tensors, naming } = strictStateDict(config, weights);
  const bytes = () => (given instanceof Uint8Array ? given : writeSafetensors(given));
  const weightsSha256 = files.weightsSha256 ?? (await sha256(bytes()));
  const preprocessing = preprocessingOf(config, files.preprocessor);
  return new Vit({ config, pooling, naming, preprocessing, weightsSha256, ...buildVit(config, tensors) });
}

async function readDirectory(directory: string): Promise<VitFiles> {
  const { readVitDirectory } = await import('./node/vit-directory.js');
  return readVitDirectory(directory);
}

function poolingOf({ model_type, pooling_head }: VitConfig, { pooling }: VitOptions): Pooling {
  const hasNone = model_type === 'siglip_vision_model' && !pooling_head;
  if (pooling !== undefined && pooling !== 'cls' && pooling !== 'mean')
    throw new EncoderError({
      code: 'INVALID_ARGUMENT',
      message: `pooling is ${pooling}; 'cls' or 'mean' is needed.`,
    });
  if (hasNone && pooling === 'cls') {
    const message = "This SigLIP has neither a class token nor a pooling head: use pooling 'mean'.";
    throw new EncoderError({ code: 'INVALID_ARGUMENT', message });
  }
  return pooling ?? (hasNone ? 'mean' : 'cls');
}
