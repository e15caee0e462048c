import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type ByteSource, becameShorter, type SourceFile } from '../byte-source.js';
import { ImagingError } from '../imaging-error.js';
import { fileError } from './file-errors.js';

/** One read call; Node refuses 2 GiB and more. */
const READ_BYTES = 2 ** 30;

/**
 * A file on the disk. It is read by calls that wait, which are three times as fast as those that do not: for the reading
 * thread, not for the calling one.
 */
export function fileAt(path: string): SourceFile {
  return { name: path, open: () => openFile(path) };
}

function openFile(path: string): ByteSource {
  const inFile = <Result>(use: () => Result): Result => {
    try {
      return use();
    } catch (error) {
      throw fileError(error, path, 'read');
    }
  };
  const descriptor = inFile(() => openSync(path, 'r'));
  try {
    const found = inFile(() => fstatSync(descriptor));
    if (!found.isFile()) throw new ImagingError({ code: 'NOT_READABLE', message: `${path} is no file` });
    return {
      name: path,
      size: found.size,
      close: () => closeSync(descriptor),
      read(offset, length, into) {
        const bytes = into?.subarray(0, length) ?? new Uint8Array(length);
        for (let done = 0; done < length; ) {
          const count = Math.min(READ_BYTES, length - done);
          const read = inFile(() => readSync(descriptor, bytes, done, count, offset + done));
          if (read === 0) throw becameShorter(path);
          done += read;
        }
        return bytes;
      },
    };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}
