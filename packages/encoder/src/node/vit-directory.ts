import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { readAllTensors, WeightsError, type WeightTensor } from '@onco-response/weights';
import { openCheckpoint } from '@onco-response/weights/node';
import { EncoderError } from '../encoder-error.js';
import type { VitFiles } from '../load-vit.js';
import { parseJson, readIfThere, readRequired } from './files.js';

const ADVICE =
  'A Hugging Face model directory is needed: config.json beside model.safetensors, its shards, or pytorch_model.bin.';

/**
 * Reads config.json, the weights in any of the hub's formats and, where there is one, preprocessor_config.json. Tensors
 * are read one by one and the file is hashed as a stream, so that its bytes are never in memory twice.
 */
export async function readVitDirectory(directory: string): Promise<VitFiles> {
  const configPath = join(directory, 'config.json');
  const config = parseJson(configPath, await readRequired(configPath, ADVICE));
  const preprocessorPath = join(directory, 'preprocessor_config.json');
  const preprocessor = await readIfThere(preprocessorPath);
  const weights = await readWeights(directory);
  const file = join(directory, 'model.safetensors');
  return {
    config,
    weights,
    ...(existsSync(file) ? { weightsSha256: await fileSha256(file) } : {}),
    ...(preprocessor ? { preprocessor: parseJson(preprocessorPath, preprocessor) } : {}),
  };
}

async function readWeights(directory: string): Promise<Map<string, WeightTensor>> {
  try {
    const checkpoint = await openCheckpoint(directory);
    try {
      return await readAllTensors(checkpoint);
    } finally {
      await checkpoint.close();
    }
  } catch (error) {
    if (!WeightsError.isInstance(error) || error.code !== 'FILE_MISSING') throw error;
    throw new EncoderError({ code: 'FILE_MISSING', message: `${error.message} ${ADVICE}` });
  }
}

async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(block as Buffer);
  return hash.digest('hex');
}
