import { bytesAt, type Reading } from './byte-source.js';
import { findRepeatedKey } from './json-keys.js';
import type { TensorInfo } from './lazy-checkpoint.js';
import { shown } from './shown.js';
import { bytesPerElement, elementCount, isDtype, MAX_DIMENSIONS } from './weight-tensor.js';
import { WeightsError, type WeightsErrorCode } from './weights-error.js';

/** The safetensors library refuses headers above 100 MB; real ones stay under 1 MB, so a quarter of that is ample. */
const MAX_HEADER_BYTES = 25_000_000;
/** Above any published model, below what would exhaust memory with empty tensors. */
const MAX_TENSORS = 100_000;

/** A tensor of the header and where its bytes are in the file. */
export interface SafetensorsEntry extends TensorInfo {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
}

export interface SafetensorsHeader {
  /** In the order of the header. */
  entries: SafetensorsEntry[];
  metadata: Record<string, string>;
}

function fail(code: WeightsErrorCode, message: string, cause?: unknown): never {
  throw new WeightsError({ code, message: `safetensors: ${message}`, cause });
}

/** Reads and checks the header of a file of `size` bytes; the tensors' bytes are not looked at. */
export function* readHeader(size: number): Reading<SafetensorsHeader> {
  if (size < 8) fail('TRUNCATED', `${size} bytes, at least 8 are needed. Fetch the file again.`);
  const prefix = yield* bytesAt(0, 8);
  const headerBytes = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (headerBytes > MAX_HEADER_BYTES) {
    fail(
      'TOO_LARGE',
      `a header of ${headerBytes} bytes, the limit is ${MAX_HEADER_BYTES}. Is this a safetensors file?`,
    );
  }
  const dataStart = 8 + Number(headerBytes);
  if (size < dataStart) {
    fail('TRUNCATED', `the header ends at byte ${dataStart}, the file at ${size}. Fetch the file again.`);
  }
  const header = parseHeader(yield* bytesAt(8, dataStart - 8));
  const named = Object.entries(header).filter(([name]) => name !== '__metadata__');
  if (named.length > MAX_TENSORS) fail('TOO_LARGE', `${named.length} tensors, the limit is ${MAX_TENSORS}.`);
  const ranges = named.map(([name, entry]) => readEntry(name, entry, size - dataStart));
  checkTiling(ranges, size - dataStart);
  const entries = ranges.map(({ name, dtype, shape, begin, end }) => ({
    name,
    dtype,
    shape,
    offset: dataStart + begin,
    length: end - begin,
  }));
  return { entries, metadata: readMetadata(header.__metadata__) };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (cause) {
    fail('MALFORMED', 'the header is not valid UTF-8 JSON. Is this a safetensors file?', cause);
  }
  if (!isObject(header)) fail('MALFORMED', 'the header is not a JSON object.');
  const repeated = findRepeatedKey(text);
  if (repeated !== undefined) {
    fail('DUPLICATE_KEY', `the header has the key "${repeated}" twice, so it is unclear which one counts.`);
  }
  return header;
}

type Range = TensorInfo & { name: string; begin: number; end: number };

function readEntry(name: string, entry: unknown, dataBytes: number): Range {
  if (!isObject(entry)) fail('MALFORMED', `"${name}" is not an object.`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDtype(dtype)) fail('UNSUPPORTED', `"${name}" has the dtype ${shown(dtype)}.`);
  if (!isNumbers(shape)) fail('MALFORMED', `"${name}" has no shape of numbers.`);
  if (shape.length > MAX_DIMENSIONS) {
    fail('TOO_LARGE', `"${name}" has ${shape.length} dimensions, the limit is ${MAX_DIMENSIONS}.`);
  }
  if (
    !isNumbers(offsets) ||
    offsets.length !== 2 ||
    !offsets.every((offset) => Number.isSafeInteger(offset))
  ) {
    fail('MALFORMED', `"${name}" has no pair of data_offsets.`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin < 0 || begin > end) fail('MALFORMED', `"${name}" has the data_offsets [${begin}, ${end}].`);
  if (end > dataBytes) {
    fail('TRUNCATED', `"${name}" ends at data byte ${end}, the file at ${dataBytes}. Fetch the file again.`);
  }
  const expected = elementCount(shape, `safetensors: "${name}"`) * bytesPerElement(dtype);
  if (end - begin !== expected) {
    fail(
      'MALFORMED',
      `"${name}" is ${dtype} [${shape}], ${expected} bytes, but its range holds ${end - begin}.`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** The ranges have to cover the data once: a gap can hide a payload, an overlap can make a small file explode. */
function checkTiling(ranges: readonly Range[], dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of [...ranges].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < covered)
      fail('MALFORMED', `"${name}" starts at data byte ${begin}, inside the tensor before it.`);
    if (begin > covered)
      fail('MALFORMED', `data bytes ${covered} to ${begin}, before "${name}", belong to no tensor.`);
    covered = end;
  }
  if (covered !== dataBytes) fail('MALFORMED', `data bytes ${covered} to ${dataBytes} belong to no tensor.`);
}

function readMetadata(metadata: unknown): Record<string, string> {
  if (metadata === undefined) return {};
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    fail('MALFORMED', '__metadata__ is not an object of strings.');
  }
  return metadata as Record<string, string>;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}
