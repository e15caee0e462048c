import { crc32 } from './crc32.js';
import { WeightsError } from './weights-error.js';

export const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

/** The code of the WeightsError that `read` throws, '' where it throws none; any other error is rethrown. */
export async function codeOf(read: () => unknown): Promise<string> {
  try {
    await read();
  } catch (error) {
    if (WeightsError.isInstance(error)) return error.code;
    throw error;
  }
  return '';
}

/** Little-endian numbers of so many bytes each. */
export function packed(...fields: [bytes: number, value: number][]): Uint8Array {
  return Uint8Array.from(
    fields.flatMap(([bytes, value]) =>
      Array.from({ length: bytes }, (_, at) => Math.floor(value / 256 ** at) % 256),
    ),
  );
}

/** A zip file of stored entries, with the sizes in zip64 fields where asked for. */
export function zipOf(entries: Record<string, Uint8Array>, zip64 = false): Uint8Array<ArrayBuffer> {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, data] of Object.entries(entries)) {
    const text = new TextEncoder().encode(name);
    const crc = crc32(data);
    const header = packed(
      [4, 0x04034b50],
      [10, 0],
      [4, crc],
      [4, data.length],
      [4, data.length],
      [2, text.length],
      [2, 0],
    );
    const size = zip64 ? 0xffffffff : data.length;
    const extra = zip64
      ? packed([2, 1], [2, 24], [8, data.length], [8, data.length], [8, offset])
      : new Uint8Array(0);
    directory.push(
      packed(
        [4, 0x02014b50],
        [12, 0],
        [4, crc],
        [4, size],
        [4, size],
        [2, text.length],
        [2, extra.length],
        [10, 0],
      ),
      packed([4, zip64 ? 0xffffffff : offset]),
      text,
      extra,
    );
    files.push(header, text, data);
    offset += header.length + text.length + data.length;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const count = files.length / 3;
  const end64 = [
    packed([4, 0x06064b50], [8, 44], [12, 0], [8, count], [8, count], [8, length], [8, offset]),
    packed([4, 0x07064b50], [4, 0], [8, offset + length], [4, 1]),
  ];
  const end = zip64
    ? packed([4, 0x06054b50], [4, 0], [2, 0xffff], [2, 0xffff], [4, 0xffffffff], [4, 0xffffffff], [2, 0])
    : packed([4, 0x06054b50], [4, 0], [2, count], [2, count], [4, length], [4, offset], [2, 0]);
  return new Uint8Array(Buffer.concat([...files, ...directory, ...(zip64 ? end64 : []), end]));
}

/** Opcodes and their arguments: text stands for its characters (one byte each). */
export function opcodes(...parts: (string | number | Uint8Array)[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      parts.map((part) =>
        typeof part === 'string'
          ? Buffer.from(part, 'latin1')
          : typeof part === 'number'
            ? Uint8Array.of(part)
            : part,
      ),
    ),
  );
}

/** mulberry32: the same numbers in every run. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** A few bytes changed, cut out, repeated or put in; seldom the end cut off. */
export function mutated(
  original: Uint8Array,
  random: (below: number) => number,
  words: readonly Uint8Array[],
): Uint8Array {
  let bytes = Buffer.from(original);
  for (let change = random(3); change >= 0; change--) {
    const at = random(bytes.length + 1);
    const before = bytes.subarray(0, at);
    const kind = random(16);
    if (kind < 6) bytes[Math.min(at, bytes.length - 1)] = random(256);
    else if (kind < 9) bytes[Math.min(at, bytes.length - 1)]! ^= 1 << random(8);
    else if (kind < 12)
      bytes = Buffer.concat([before, words[random(words.length)]!, bytes.subarray(at + random(9))]);
    else if (kind < 13) bytes = Buffer.concat([before, bytes.subarray(at + random(12))]);
    else if (kind < 15)
      bytes = Buffer.concat([before, bytes.subarray(at, at + random(40)), bytes.subarray(at)]);
    else bytes = bytes.subarray(0, at);
    if (bytes.length === 0) return new Uint8Array(0);
  }
  return new Uint8Array(bytes);
}
