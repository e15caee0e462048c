import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EncoderError } from '../encoder-error.js';

export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @throws EncoderError FILE_MISSING with the given advice */
export async function readRequired(path: string, advice: string): Promise<Buffer> {
  const bytes = await readIfThere(path);
  if (bytes) return bytes;
  throw new EncoderError({ code: 'FILE_MISSING', message: `There is no ${path}. ${advice}` });
}

/** @throws EncoderError MALFORMED */
export function parseJson(path: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new EncoderError({ code: 'MALFORMED', message: `${path} is not valid JSON.`, cause });
  }
}

/** Temporary files end so; what a killed process leaves behind can be told from real entries. */
export const TEMPORARY = '.tmp';

/** The file is there whole or not at all: written under another name, synced to the disk, then renamed. */
export async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}-${randomBytes(6).toString('hex')}${TEMPORARY}`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
