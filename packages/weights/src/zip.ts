import { bytesAt, type Reading } from './byte-source.js';
import { crc32 } from './crc32.js';
import { WeightsError, type WeightsErrorCode } from './weights-error.js';

/** One entry a storage, so this is also a limit on tensors. */
const MAX_ENTRIES = 100_000;
/** An entry of the directory takes 46 bytes, its name ("archive/data/123") and nothing much else. */
const MAX_DIRECTORY_BYTES = 25_000_000;

const LOCAL_HEADER = 0x04034b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_END = 0x06054b50;
const ZIP64_END = 0x06064b50;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_EXTRA = 1;

export interface ZipEntry {
  readonly name: string;
  readonly length: number;
  readonly crc: number;
  readonly headerOffset: number;
  /** Where the next entry or the directory starts: this entry may not reach further. */
  readonly limit: number;
}

function fail(code: WeightsErrorCode, message: string): never {
  throw new WeightsError({ code, message: `zip: ${message}` });
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** 64-bit numbers above 2^53 fit no file; NaN fails every comparison that follows. */
function wide(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

/**
 * The directory of a zip file as `torch.save` writes it: stored entries, no comment, no gap between the directory and
 * the end. What other zip readers tolerate (comments, compression, several entries of one name, overlaps) is refused.
 *
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export function* readZipDirectory(size: number): Reading<Map<string, ZipEntry>> {
  const { offset, length, count } = yield* findDirectory(size);
  if (count > MAX_ENTRIES) fail('TOO_LARGE', `${count} entries, the limit is ${MAX_ENTRIES}.`);
  if (length > MAX_DIRECTORY_BYTES) fail('TOO_LARGE', `a directory of ${length} bytes.`);
  const bytes = yield* bytesAt(offset, length);
  const entries: Omit<ZipEntry, 'limit'>[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    const { entry, next } = readEntry(bytes, at);
    entries.push(entry);
    at = next;
  }
  if (at !== length) fail('MALFORMED', `${length - at} bytes of the directory belong to no entry.`);
  entries.sort((a, b) => a.headerOffset - b.headerOffset);
  const named = new Map<string, ZipEntry>();
  entries.forEach((entry, index) => {
    const limit = entries[index + 1]?.headerOffset ?? offset;
    const { name, headerOffset } = entry;
    if (named.has(name)) fail('DUPLICATE_KEY', `two entries are called "${name}".`);
    if (!(headerOffset + 30 + entry.length <= limit)) {
      fail(
        'MALFORMED',
        `"${name}" (${entry.length} bytes at ${headerOffset}) overlaps what starts at ${limit}.`,
      );
    }
    named.set(name, { ...entry, limit });
  });
  return named;
}

function* findDirectory(size: number): Reading<{ offset: number; length: number; count: number }> {
  if (size < 22) fail('TRUNCATED', `${size} bytes are too few. Fetch the file again.`);
  const end = viewOf(yield* bytesAt(size - 22, 22));
  if (end.getUint32(0, true) !== DIRECTORY_END || end.getUint16(20, true) !== 0) {
    fail('TRUNCATED', 'the file does not end with its directory. Fetch the file again.');
  }
  let directory = {
    offset: end.getUint32(16, true),
    length: end.getUint32(12, true),
    count: end.getUint16(10, true),
  };
  let limit = size - 22;
  const locator = size >= 98 ? viewOf(yield* bytesAt(size - 42, 20)) : undefined;
  if (locator?.getUint32(0, true) === ZIP64_LOCATOR) {
    limit = size - 98;
    const zip64 = viewOf(yield* bytesAt(limit, 56));
    if (wide(locator, 8) !== limit || zip64.getUint32(0, true) !== ZIP64_END) {
      fail('MALFORMED', 'the zip64 end record is not where its locator says.');
    }
    const said = directory;
    directory = { offset: wide(zip64, 48), length: wide(zip64, 40), count: wide(zip64, 32) };
    const differs =
      (said.offset !== 0xffffffff && said.offset !== directory.offset) ||
      (said.length !== 0xffffffff && said.length !== directory.length) ||
      (said.count !== 0xffff && said.count !== directory.count);
    if (differs) fail('MALFORMED', 'the two end records describe different directories.');
  }
  if (directory.offset + directory.length !== limit) {
    fail(
      'MALFORMED',
      `a directory of ${directory.length} bytes at ${directory.offset} does not end at ${limit}.`,
    );
  }
  return directory;
}

function readEntry(bytes: Uint8Array, at: number): { entry: Omit<ZipEntry, 'limit'>; next: number } {
  const view = viewOf(bytes);
  if (at + 46 > bytes.length || view.getUint32(at, true) !== DIRECTORY_ENTRY) {
    fail('MALFORMED', `there is no directory entry at byte ${at} of the directory.`);
  }
  const nameEnd = at + 46 + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > bytes.length) fail('MALFORMED', `the directory entry at ${at} runs past the directory.`);
  const name = new TextDecoder().decode(bytes.subarray(at + 46, nameEnd));
  const flags = view.getUint16(at + 8, true);
  if (flags & 0x2041) fail('UNSUPPORTED', `"${name}" is encrypted.`);
  const method = view.getUint16(at + 10, true);
  if (method !== 0) {
    fail(
      'UNSUPPORTED',
      `"${name}" is compressed (method ${method}). torch stores entries; save the file again.`,
    );
  }
  const sizes = {
    length: view.getUint32(at + 24, true),
    stored: view.getUint32(at + 20, true),
    headerOffset: view.getUint32(at + 42, true),
  };
  readZip64Extra(view, nameEnd, extraEnd, sizes);
  if (sizes.length !== sizes.stored) {
    fail('MALFORMED', `"${name}" has ${sizes.stored} stored bytes for ${sizes.length}.`);
  }
  const { length, headerOffset } = sizes;
  return { entry: { name, length, headerOffset, crc: view.getUint32(at + 16, true) }, next };
}

/** Replaces the numbers that did not fit 32 bits, in the order in which the format lists them. */
function readZip64Extra(
  view: DataView,
  start: number,
  end: number,
  sizes: { length: number; stored: number; headerOffset: number },
): void {
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== ZIP64_EXTRA) continue;
    const fieldEnd = Math.min(end, at + 4 + view.getUint16(at + 2, true));
    let value = at + 4;
    for (const field of ['length', 'stored', 'headerOffset'] as const) {
      if (sizes[field] !== 0xffffffff) continue;
      if (value + 8 > fieldEnd) fail('MALFORMED', 'a zip64 field is too short.');
      sizes[field] = wide(view, value);
      value += 8;
    }
    return;
  }
}

/** The bytes of an entry, after its local header was compared with the directory and its checksum computed. */
export function* readZipEntry(entry: ZipEntry): Reading<Uint8Array> {
  const { name, length, crc, headerOffset, limit } = entry;
  const header = viewOf(yield* bytesAt(headerOffset, 30));
  const nameLength = header.getUint16(26, true);
  const start = headerOffset + 30 + nameLength + header.getUint16(28, true);
  if (header.getUint32(0, true) !== LOCAL_HEADER || header.getUint16(8, true) !== 0) {
    fail('MALFORMED', `"${name}" has no header of a stored entry at byte ${headerOffset}.`);
  }
  if (start + length > limit) fail('MALFORMED', `"${name}" reaches into what starts at byte ${limit}.`);
  const ownName = new TextDecoder().decode(yield* bytesAt(headerOffset + 30, nameLength));
  if (ownName !== name) fail('MALFORMED', `"${name}" is called "${ownName}" in its own header.`);
  const bytes = yield* bytesAt(start, length);
  if (crc32(bytes) !== crc) {
    fail(
      'CHECKSUM',
      `the bytes of "${name}" do not have the checksum of the directory. Fetch the file again.`,
    );
  }
  return bytes;
}
