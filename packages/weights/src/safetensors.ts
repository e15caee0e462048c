import { readNow } from './byte-source.js';
import { readHeader } from './safetensors-header.js';
import { elementCount, rankOfDtype, viewAs, type WeightTensor } from './weight-tensor.js';
import { WeightsError, type WeightsErrorCode } from './weights-error.js';

export interface SafetensorsFile {
  tensors: Map<string, WeightTensor>;
  metadata: Record<string, string>;
}

function fail(code: WeightsErrorCode, message: string): never {
  throw new WeightsError({ code, message: `safetensors: ${message}` });
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
  const { entries, metadata } = readNow(readHeader(bytes.length), bytes);
  const tensors = new Map(
    entries.map(({ name, dtype, shape, offset, length }): [string, WeightTensor] => [
      name,
      { dtype, shape, data: viewAs(dtype, bytes.subarray(offset, offset + length)) },
    ]),
  );
  return { tensors, metadata };
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
