import { WeightsError, type WeightsErrorCode } from './weights-error.js';

/** Longest integer: torch's magic number takes 10 bytes. Converting a huge one takes more than linear time. */
const MAX_INTEGER_BYTES = 256;
/** Longest module or class name. */
const MAX_LINE = 512;

export function failPickle(code: WeightsErrorCode, message: string): never {
  throw new WeightsError({ code, message: `pickle: ${message}` });
}

/** Reads the arguments of opcodes. */
export class PickleBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  /** Moves on by `length` bytes and says where they started. */
  #take(length: number): number {
    const start = this.at;
    if (length > this.#bytes.length - start) {
      failPickle('TRUNCATED', `it ends inside the ${length} bytes at ${start}. Fetch the file again.`);
    }
    this.at += length;
    return start;
  }

  uint8 = (): number => this.#view.getUint8(this.#take(1));
  uint16 = (): number => this.#view.getUint16(this.#take(2), true);
  uint32 = (): number => this.#view.getUint32(this.#take(4), true);
  int32 = (): number => this.#view.getInt32(this.#take(4), true);
  /** Big-endian, unlike everything else. */
  float64 = (): number => this.#view.getFloat64(this.#take(8));

  uint64 = (): number => {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > this.#bytes.length) failPickle('TRUNCATED', `a length of ${value} bytes at ${this.at - 8}.`);
    return Number(value);
  };

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  text(length: number): string {
    const at = this.at;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.bytes(length));
    } catch (cause) {
      if (WeightsError.isInstance(cause)) throw cause;
      return failPickle('MALFORMED', `the text at byte ${at} is not valid UTF-8.`);
    }
  }

  /** Up to the next line feed. */
  line(): string {
    const end = this.#bytes.indexOf(10, this.at);
    if (end < 0) failPickle('TRUNCATED', `the line at byte ${this.at} has no end.`);
    if (end - this.at > MAX_LINE) failPickle('TOO_LARGE', `a name of ${end - this.at} bytes at ${this.at}.`);
    const line = this.text(end - this.at);
    this.at++;
    return line;
  }

  /** Two's complement, little-endian, of any length; a number where it is exact. */
  integer(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES) {
      failPickle('TOO_LARGE', `an integer of ${length} bytes, the limit is ${MAX_INTEGER_BYTES}.`);
    }
    let value = 0n;
    for (const byte of this.bytes(length).toReversed()) value = (value << 8n) | BigInt(byte);
    return numberIfExact(BigInt.asIntN(8 * length, value));
  }
}

export function numberIfExact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
