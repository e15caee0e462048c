import { ImagingError } from './imaging-error.js';

/** The bits of JPEG-LS data: a byte after 0xff carries 7 bits, and a marker ends them (T.87 A.1). Nothing is made up. */
export class JpegLsBits {
  #bits = 0;
  #count = 0;
  #at: number;
  readonly #bytes: Uint8Array;
  readonly #name: string;

  constructor(bytes: Uint8Array, offset: number, name: string) {
    this.#bytes = bytes;
    this.#at = offset;
    this.#name = name;
  }

  /** A number of `length` (0-16) bits. */
  number(length: number): number {
    if (length === 0) return 0;
    if (this.#count < length) this.#fill(length);
    this.#count -= length;
    return (this.#bits >>> this.#count) & ((1 << length) - 1);
  }

  /** How many zeros stand before the next one, which is taken too. */
  zeros(limit: number): number {
    let zeros = 0;
    for (;;) {
      if (this.#count === 0) this.#fill(1);
      const left = this.#bits << (32 - this.#count);
      const leading = left === 0 ? this.#count : Math.clz32(left);
      zeros += leading;
      if (zeros > limit) this.#fail('CORRUPT', 'has damaged JPEG-LS data');
      if (leading < this.#count) {
        this.#count -= leading + 1;
        return zeros;
      }
      this.#count = 0;
    }
  }

  #fill(length: number): void {
    while (this.#count <= 23) {
      const byte = this.#bytes[this.#at];
      const stuffed = this.#bytes[this.#at - 1] === 0xff;
      // a byte above 127 after 0xff is a marker
      if (byte === undefined || (stuffed && byte > 127)) break;
      // 0xff before a marker is the marker's own
      if (byte === 0xff && (this.#bytes[this.#at + 1] ?? 0xff) > 127) break;
      this.#at++;
      this.#bits = stuffed ? (this.#bits << 7) | byte : (this.#bits << 8) | byte;
      this.#count += stuffed ? 7 : 8;
    }
    if (this.#count < length) this.#fail('TRUNCATED', 'ends inside its JPEG-LS data');
  }

  #fail(code: 'TRUNCATED' | 'CORRUPT', what: string): never {
    throw new ImagingError({ code, message: `${this.#name} ${what}: copy or export it again` });
  }
}
