import type { LogScalar } from './log-scalars.js';

/**
 * Scalars as a TensorBoard event file: TFRecords (length, its masked CRC-32C, data, its masked CRC-32C) of `Event`
 * messages, of whose fields only these are written: wall_time = 1, step = 2, file_version = 3, summary = 5, and in it
 * value = 1 with tag = 1 and simple_value = 2 (tensorflow/core/util/event.proto, framework/summary.proto).
 *
 * @example
 * await writeFile('events.out.tfevents.0.run', tensorboardEvents(scalars));
 */
export function tensorboardEvents(scalars: readonly LogScalar[]): Uint8Array {
  const seconds = (scalars[0]?.milliseconds ?? 0) / 1000;
  const version = concat(double(1, seconds), bytes(3, new TextEncoder().encode('brain.Event:2')));
  const events = scalars.map(({ name, value, epoch, milliseconds }) =>
    concat(
      double(1, milliseconds / 1000),
      concat(tag(2, 0), varint(epoch)),
      bytes(5, bytes(1, concat(bytes(1, new TextEncoder().encode(name)), float(2, value)))),
    ),
  );
  return concat(...[version, ...events].map(record));
}

function record(data: Uint8Array): Uint8Array {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(data.length), true);
  return concat(length, maskedChecksum(length), data, maskedChecksum(data));
}

function maskedChecksum(data: Uint8Array): Uint8Array {
  const checksum = crc32c(data);
  const masked = (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
  const result = new Uint8Array(4);
  new DataView(result.buffer).setUint32(0, masked, true);
  return result;
}

/** CRC-32C (Castagnoli), bit by bit: a log has kilobytes. */
export function crc32c(data: Uint8Array): number {
  let checksum = 0xffffffff;
  for (const byte of data) {
    checksum ^= byte;
    for (let bit = 0; bit < 8; bit++) checksum = (checksum >>> 1) ^ (checksum & 1 ? 0x82f63b78 : 0);
  }
  return ~checksum >>> 0;
}

// Protocol buffers: a field is its number and kind (0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes), then itself.
const tag = (field: number, kind: number) => varint(field * 8 + kind);

function varint(value: number): Uint8Array {
  const result: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) result.push((rest % 128) | 128);
  return Uint8Array.from([...result, rest]);
}

const bytes = (field: number, content: Uint8Array) => concat(tag(field, 2), varint(content.length), content);

function double(field: number, value: number): Uint8Array {
  const content = new Uint8Array(8);
  new DataView(content.buffer).setFloat64(0, value, true);
  return concat(tag(field, 1), content);
}

function float(field: number, value: number): Uint8Array {
  const content = new Uint8Array(4);
  new DataView(content.buffer).setFloat32(0, value, true);
  return concat(tag(field, 5), content);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
