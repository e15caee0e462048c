import { type FileHandle, open } from 'node:fs/promises';
import type { ByteSource } from '../byte-source.js';
import { WeightsError } from '../weights-error.js';

/** One read call; Node refuses 2 GiB and more. */
const READ_BYTES = 2 ** 30;

/** A file read by range through one handle, so that it stays the same file when its name is given to another. */
export interface FileSource extends ByteSource {
  close(): Promise<void>;
}

/** @throws WeightsError FILE_MISSING */
export async function openFile(path: string): Promise<FileSource> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw cause;
    throw new WeightsError({ code: 'FILE_MISSING', message: `There is no ${path}.`, cause });
  }
  try {
    const { size } = await file.stat();
    return { size, read: (offset, length) => readRange(file, offset, length), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readRange(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = memory(length); // of its own, so that any dtype is aligned
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(READ_BYTES, length - done), offset + done);
    if (bytesRead === 0) return bytes.subarray(0, done); // became shorter: the reader says so
    done += bytesRead;
  }
  return bytes;
}

function memory(length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new WeightsError({
      code: 'TOO_LARGE',
      message: `${length} bytes do not fit one array here.`,
      cause,
    });
  }
}
