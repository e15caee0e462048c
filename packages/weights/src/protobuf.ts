import { WeightsError } from './weights-error.js';

/**
 * One field of a protobuf message: a varint, or the bytes of a length-delimited or fixed-width field.
 * https://protobuf.dev/programming-guides/encoding/
 */
export type ProtobufField =
  | { number: number; kind: 'varint'; value: bigint }
  | { number: number; kind: 'bytes' | 'fixed32' | 'fixed64'; bytes: Uint8Array };

function truncated(at: number): never {
  throw new WeightsError({
    code: 'TRUNCATED',
    message: `protobuf: a field runs past the end at byte ${at}.`,
  });
}

function readVarint(bytes: Uint8Array, start: number): { value: bigint; next: number } {
  let value = 0n;
  for (let length = 0; length < 10; length++) {
    const byte = bytes[start + length];
    if (byte === undefined) truncated(bytes.length);
    value |= BigInt(byte & 0x7f) << BigInt(7 * length);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: start + length + 1 };
  }
  throw new WeightsError({
    code: 'MALFORMED',
    message: `protobuf: a varint of more than 10 bytes at ${start}.`,
  });
}

/** Walks the fields of one message, without descending: callers choose what to open, so hostile nesting costs nothing. */
export function* protobufFields(bytes: Uint8Array): Generator<ProtobufField> {
  let at = 0;
  while (at < bytes.length) {
    const tag = readVarint(bytes, at);
    const number = Number(tag.value >> 3n);
    const wireType = Number(tag.value & 7n);
    at = tag.next;
    if (wireType === 0) {
      const { value, next } = readVarint(bytes, at);
      at = next;
      yield { number, kind: 'varint', value };
      continue;
    }
    const kind = ({ 1: 'fixed64', 2: 'bytes', 5: 'fixed32' } as const)[wireType];
    if (kind === undefined || number === 0) {
      throw new WeightsError({
        code: 'MALFORMED',
        message: `protobuf: field ${number} of wire type ${wireType} before byte ${at}. Is this an ONNX file?`,
      });
    }
    let length = kind === 'fixed32' ? 4 : 8;
    if (kind === 'bytes') {
      const prefix = readVarint(bytes, at);
      at = prefix.next;
      if (prefix.value > BigInt(bytes.length - at)) truncated(bytes.length);
      length = Number(prefix.value);
    }
    if (at + length > bytes.length) truncated(bytes.length);
    yield { number, kind, bytes: bytes.subarray(at, at + length) };
    at += length;
  }
}

/** The varints of a packed repeated field. */
export function packedVarints(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { value, next } = readVarint(bytes, at);
    values.push(value);
    at = next;
  }
  return values;
}
