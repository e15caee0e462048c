import { type ByteSource, becameShorter, type SourceFile } from './byte-source.js';

/** Bytes in memory as a file. */
export function bytesFile(bytes: Uint8Array, name: string): SourceFile {
  return { name, open: () => bytesSource(bytes, name) };
}

export function bytesSource(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    size: bytes.length,
    close: () => undefined,
    read(offset, length, into) {
      const part = bytes.subarray(offset, offset + length);
      if (part.length < length) throw becameShorter(name);
      if (into === undefined) return part.slice(); // voxels become views: the caller's bytes stay as they were
      into.set(part);
      return into.subarray(0, length);
    },
  };
}
