import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { deflate, gzip } from 'node:zlib';
import type { Volume } from '@onco-response/volume';
import { ImagingError } from '../imaging-error.js';
import { metaImageHeaderBytes } from '../meta-image.js';
import { nrrdHeaderBytes } from '../nrrd.js';
import { writableVolume } from '../writable-volume.js';
import { niftiHeaderBytes, voxelBytes } from '../write-nifti-header.js';
import { fileError } from './file-errors.js';

/** Level 6 takes 2.6 times as long for files 3 % smaller. */
const GZIP_LEVEL = 3;

const compressGzip = promisify(gzip);
const compressZlib = promisify(deflate);

/**
 * Writes a volume or mask as NIfTI-1 (`.nii`, or `.nii.gz` compressed), NRRD (`.nrrd`, gzip inside) or MetaImage
 * (`.mha`, zlib inside). The file appears complete or not at all: it is written under a temporary name beside the
 * target, flushed to disk and renamed.
 * @throws ImagingError UNSUPPORTED for another ending, NOT_FOUND where the folder is missing, NOT_WRITABLE
 * @example
 * await writeVolume('case-1/ct.nii.gz', volume);
 */
export async function writeVolume(path: string, volume: Volume): Promise<void> {
  await writeAtomically(path, await fileParts(path, volume));
}

async function fileParts(path: string, volume: Volume): Promise<readonly Uint8Array[]> {
  const level = GZIP_LEVEL;
  if (/\.nii$/i.test(path)) return [niftiHeaderBytes(volume, path), voxelBytes(volume)];
  if (/\.nii\.gz$/i.test(path)) {
    const parts = [niftiHeaderBytes(volume, path), voxelBytes(volume)];
    return [await compressGzip(Buffer.concat(parts), { level })];
  }
  if (/\.nrrd$/i.test(path)) {
    const header = nrrdHeaderBytes(volume, { compress: true, name: path });
    return [header, await compressGzip(voxelBytes(volume), { level })];
  }
  if (/\.mha$/i.test(path)) {
    writableVolume(volume, path); // before its voxels are touched
    const voxels = await compressZlib(voxelBytes(volume), { level });
    return [metaImageHeaderBytes(volume, { compressedBytes: voxels.length, name: path }), voxels];
  }
  throw new ImagingError({
    code: 'UNSUPPORTED',
    message: `${path}: volumes are written as .nii, .nii.gz, .nrrd or .mha`,
  });
}

/** Writes a file under a temporary name beside it, flushes it to disk and renames it. */
export async function writeAtomically(path: string, parts: readonly Uint8Array[]): Promise<void> {
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
