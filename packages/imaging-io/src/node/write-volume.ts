import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Volume } from '@onco-response/volume';
import { ImagingError } from '../imaging-error.js';
import { niftiHeaderBytes, voxelBytes } from '../write-nifti-header.js';
import { fileError } from './file-errors.js';

/** Level 6 takes 2.6 times as long for files 3 % smaller. */
const GZIP_LEVEL = 3;

const compress = promisify(gzip);

/**
 * Writes a volume or mask as NIfTI-1: `.nii`, or `.nii.gz` compressed. The file appears complete or not at all: it is
 * written under a temporary name beside the target, flushed to disk and renamed.
 * @throws ImagingError UNSUPPORTED for another ending, NOT_FOUND where the folder is missing, NOT_WRITABLE
 * @example
 * await writeVolume('case-1/ct.nii.gz', volume);
 */
export async function writeVolume(path: string, volume: Volume): Promise<void> {
  if (!/\.nii(\.gz)?$/i.test(path)) {
    throw new ImagingError({
      code: 'UNSUPPORTED',
      message: `${path}: volumes are written as .nii or .nii.gz`,
    });
  }
  const parts = [niftiHeaderBytes(volume, path), voxelBytes(volume)];
  const content = /\.gz$/i.test(path) ? [await compress(Buffer.concat(parts), { level: GZIP_LEVEL })] : parts;
  await writeAtomically(path, content);
}

async function writeAtomically(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      for (const part of parts) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, path, 'write');
  }
}
