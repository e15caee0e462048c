import { open } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import { isDicom } from '../dicom-file.js';
import { ImagingError } from '../imaging-error.js';
import { MAX_DICOM_FILE_BYTES, MAX_UNQUESTIONED_BYTES } from '../limits.js';
import { fileError } from './file-errors.js';

/**
 * The bytes of a DICOM file; undefined for a file of another kind, of which only the first bytes are read.
 * @param otherwise asked of the first bytes (up to 132) of a file without DICOM's marker: true reads it all the same
 */
export async function readDicomBytes(
  path: string,
  otherwise: (start: Uint8Array) => boolean,
): Promise<Uint8Array | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const start = new Uint8Array(Math.min(size, 132));
      await file.read(start, 0, start.length, 0);
      if (!isDicom(start) && !otherwise(start)) return undefined;
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

/** Inflates a deflated DICOM object. */
export function inflateLimited(deflated: Uint8Array, path: string): Uint8Array {
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
