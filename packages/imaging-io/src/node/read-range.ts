import type { FileHandle } from 'node:fs/promises';
import { ImagingError } from '../imaging-error.js';

/** One read call; Node refuses 2 GiB and more. */
const READ_BYTES = 2 ** 30;

/** `length` bytes from `offset`, in memory of their own. */
export async function readRange(
  file: FileHandle,
  offset: number,
  length: number,
  path: string,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(READ_BYTES, length - done), offset + done);
    if (bytesRead === 0) {
      throw new ImagingError({ code: 'TRUNCATED', message: `${path} became shorter while it was read` });
    }
    done += bytesRead;
  }
  return bytes;
}
