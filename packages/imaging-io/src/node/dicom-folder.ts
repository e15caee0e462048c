import { open, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { isDicom, parseDicomFile } from '../dicom-file.js';
import type { DicomFile } from '../dicom-slice.js';
import { ImagingError } from '../imaging-error.js';
import { MAX_DICOM_FILE_BYTES, MAX_DICOM_FILES, MAX_UNQUESTIONED_BYTES } from '../limits.js';
import { fileError } from './file-errors.js';

/** What messages call the folder or list of files. */
export function nameOf(folderOrFiles: string | readonly string[]): string {
  return typeof folderOrFiles === 'string' ? folderOrFiles : (folderOrFiles[0] ?? 'an empty list of files');
}

/** The header of every DICOM image among the files; pixels are not kept. */
export async function scanDicom(
  folderOrFiles: string | readonly string[],
): Promise<{ files: DicomFile[]; warnings: string[] }> {
  const paths = typeof folderOrFiles === 'string' ? await listFiles(folderOrFiles) : folderOrFiles;
  if (paths.length > MAX_DICOM_FILES) {
    throw new ImagingError({
      code: 'TOO_LARGE',
      message: `${paths.length} files; a series has at most ${MAX_DICOM_FILES}`,
    });
  }
  const files: DicomFile[] = [];
  const warnings: string[] = [];
  for (const path of paths) {
    const bytes = await readDicomBytes(path);
    const parsed = bytes && parseDicomFile(bytes, path, (deflated) => inflateLimited(deflated, path));
    if (parsed) files.push(parsed);
    else if (/\.dcm$/i.test(path)) warnings.push(`${path} is no DICOM image and was left out`);
  }
  return { files, warnings };
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    // sorted, so that results and messages do not depend on the file system
    return entries
      .filter((entry) => !entry.isDirectory() && entry.name.toUpperCase() !== 'DICOMDIR')
      .map((entry) => join(folder, entry.name))
      .sort();
  } catch (error) {
    throw fileError(error, folder, 'read');
  }
}

/** The bytes of a DICOM file; undefined for a file of another kind, of which only the first bytes are read. */
async function readDicomBytes(path: string): Promise<Uint8Array | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const start = new Uint8Array(Math.min(size, 132));
      await file.read(start, 0, start.length, 0);
      if (!isDicom(start)) {
        refuseCut(start, path);
        return undefined;
      }
      if (size > MAX_DICOM_FILE_BYTES) {
        throw new ImagingError({
          code: 'TOO_LARGE',
          message: `${path} has ${size} bytes, more than ${MAX_DICOM_FILE_BYTES}`,
        });
      }
      const bytes = new Uint8Array(size);
      await file.read(bytes, 0, size, 0);
      return bytes;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError(error, path, 'read');
  }
}

/** A slice cut off inside its preamble is a lost slice, not a foreign file. */
function refuseCut(start: Uint8Array, path: string): void {
  if (start.length < 132 && /\.(dcm|ima)$/i.test(basename(path)) && start.every((byte) => byte === 0)) {
    throw new ImagingError({
      code: 'TRUNCATED',
      message: `${path} has only ${start.length} bytes: copy or export it again`,
    });
  }
}

/** Inflates a deflated DICOM object. */
function inflateLimited(deflated: Uint8Array, path: string): Uint8Array {
  try {
    return inflateRawSync(deflated, { maxOutputLength: MAX_UNQUESTIONED_BYTES });
  } catch (error) {
    const code = (error as { code?: string }).code;
    throw new ImagingError({
      code: code === 'ERR_BUFFER_TOO_LARGE' ? 'TOO_LARGE' : code === 'Z_BUF_ERROR' ? 'TRUNCATED' : 'CORRUPT',
      message: `${path} is deflated and does not decode`,
    });
  }
}
