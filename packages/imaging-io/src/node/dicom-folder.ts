import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseDicomFile } from '../dicom-file.js';
import type { DicomFile } from '../dicom-slice.js';
import { ImagingError } from '../imaging-error.js';
import { MAX_DICOM_FILES } from '../limits.js';
import { inflateLimited, readDicomBytes } from './dicom-bytes.js';
import { fileError } from './file-errors.js';
import { readAhead } from './read-ahead.js';

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
  const read = async (path: string) => ({
    path,
    bytes: await readDicomBytes(path, (start) => refuseCut(start, path)),
  });
  for await (const { path, bytes } of readAhead(paths, read)) {
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

/** A slice cut off inside its preamble is a lost slice, not a foreign file. */
function refuseCut(start: Uint8Array, path: string): false {
  if (start.length < 132 && /\.(dcm|ima)$/i.test(basename(path)) && start.every((byte) => byte === 0)) {
    throw new ImagingError({
      code: 'TRUNCATED',
      message: `${path} has only ${start.length} bytes: copy or export it again`,
    });
  }
  return false;
}
