import { findRepeatedKey } from './json-keys.js';
import {
  bytesPerElement,
  elementCount,
  isDtype,
  rankOfDtype,
  viewAs,
  type WeightTensor,
} from './weight-tensor.js';
import { WeightsError, type WeightsErrorCode } from './weights-error.js';

/** The safetensors library refuses headers above 100 MB; real ones stay under 1 MB, so a quarter of that is ample. */
const MAX_HEADER_BYTES = 25_000_000;
/** Above any published model, below what would exhaust memory with empty tensors. */
const MAX_TENSORS = 100_000;
/** numpy's and torch's own limits are 64; no layer has more than 5. */
const MAX_DIMENSIONS = 16;

export interface SafetensorsFile {
  tensors: Map<string, WeightTensor>;
  metadata: Record<string, string>;
}

function fail(code: WeightsErrorCode, message: string, cause?: unknown): never {
  throw new WeightsError({ code, message: `safetensors: ${message}`, cause });
}

/**
 * Reads a safetensors file: 8 bytes of header length, a JSON header, the tensors' bytes. Tensors are views of `bytes`
 * where alignment allows. Stricter than the Rust library in one point: a repeated key is refused.
 *
 * Format: https://github.com/huggingface/safetensors#format
 *
 * @throws WeightsError TRUNCATED, MALFORMED, TOO_LARGE, DUPLICATE_KEY or UNSUPPORTED (a dtype such as F8_E4M3).
 * @example
 * const { tensors, metadata } = readSafetensors(new Uint8Array(await file.arrayBuffer()));
 * tensors.get('layernorm.weight'); // { dtype: 'F32', shape: [384], data: Float32Array }
 */
export function readSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { header, data } = splitHeader(bytes);
  const entries = Object.entries(header).filter(([name]) => name !== '__metadata__');
  if (entries.length > MAX_TENSORS)
    fail('TOO_LARGE', `${entries.length} tensors, the limit is ${MAX_TENSORS}.`);
  const ranges = entries.map(([name, entry]) => readEntry(name, entry, data.length));
  checkTiling(ranges, data.length);
  const tensors = new Map(
    ranges.map(({ name, dtype, shape, begin, end }): [string, WeightTensor] => [
      name,
      { dtype, shape, data: viewAs(dtype, data.subarray(begin, end)) },
    ]),
  );
  return { tensors, metadata: readMetadata(header.__metadata__) };
}

function splitHeader(bytes: Uint8Array): { header: Record<string, unknown>; data: Uint8Array } {
  if (bytes.length < 8)
    fail('TRUNCATED', `${bytes.length} bytes, at least 8 are needed. Fetch the file again.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = view.getBigUint64(0, true);
  if (headerBytes > MAX_HEADER_BYTES) {
    fail(
      'TOO_LARGE',
      `a header of ${headerBytes} bytes, the limit is ${MAX_HEADER_BYTES}. Is this a safetensors file?`,
    );
  }
  const dataStart = 8 + Number(headerBytes);
  if (bytes.length < dataStart) {
    fail(
      'TRUNCATED',
      `the header ends at byte ${dataStart}, the file at ${bytes.length}. Fetch the file again.`,
    );
  }
  const header = parseHeader(bytes.subarray(8, dataStart));
  return { header, data: bytes.subarray(dataStart) };
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

type Range = Pick<WeightTensor, 'dtype' | 'shape'> & { name: string; begin: number; end: number };

function readEntry(name: string, entry: unknown, dataBytes: number): Range {
  if (!isObject(entry)) fail('MALFORMED', `"${name}" is not an object.`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDtype(dtype)) fail('UNSUPPORTED', `"${name}" has the dtype ${JSON.stringify(dtype)}.`);
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

/**
 * Writes a safetensors file. The same tensors give the same bytes whatever their order in the map: wide elements first
 * (which keeps every tensor aligned), then by name, as the Rust library orders them; metadata keys sorted.
 *
 * @throws WeightsError SHAPE_MISMATCH when a tensor's data does not fit its shape; MALFORMED for the name `__metadata__`.
 * @example
 * const bytes = writeSafetensors(new Map([['bias', fromFloat32(Float32Array.of(1, 2), [2])]]), { format: 'pt' });
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, WeightTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const ordered = [...tensors].sort(
    ([nameA, a], [nameB, b]) =>
      rankOfDtype(b.dtype) - rankOfDtype(a.dtype) || (nameA < nameB ? -1 : nameA > nameB ? 1 : 0),
  );
  const sortedMetadata = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  const header: [string, unknown][] = sortedMetadata.length
    ? [['__metadata__', Object.fromEntries(sortedMetadata)]]
    : [];
  let length = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    if (name === '__metadata__') fail('MALFORMED', 'no tensor may be called __metadata__.');
    if (elementCount(shape, `safetensors: "${name}"`) !== data.length) {
      fail('SHAPE_MISMATCH', `"${name}" has the shape [${shape}] but ${data.length} values.`);
    }
    header.push([name, { dtype, shape, data_offsets: [length, length + data.byteLength] }]);
    length += data.byteLength;
  }
  // Built by hand because an object would move keys that look like integers to the front.
  const text = `{${header.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
  const encoded = new TextEncoder().encode(text);
  const headerBytes = Math.ceil(encoded.length / 8) * 8; // data stays 8-byte aligned
  const bytes = new Uint8Array(8 + headerBytes + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, 8 + encoded.length, 8 + headerBytes);
  bytes.set(encoded, 8);
  let offset = 8 + headerBytes;
  for (const [, { data }] of ordered) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}
