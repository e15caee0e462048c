import { ImagingError } from './imaging-error.js';
import type { HuffmanTable } from './jpeg-header.js';

/** The bits of entropy-coded JPEG data: stuffed zeros taken out, ending at a marker. Nothing is made up at the end. */
export class JpegBits {
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

  /** The next symbol of a Huffman code. */
  symbol(table: HuffmanTable): number {
    if (this.#count < 16) this.#fill();
    const next = this.#count >= 16 ? this.#bits >>> (this.#count - 16) : this.#bits << (16 - this.#count);
    const entry = table[next & 0xffff]!;
    const length = entry >> 8;
    // all-zero bits beyond the end may look like no code
    if (length === 0 && this.#count >= 16) this.#fail('CORRUPT', 'has damaged JPEG data');
    if (length === 0 || length > this.#count) this.#fail('TRUNCATED', 'ends inside its JPEG data');
    this.#count -= length;
    return entry & 0xff;
  }

  /** A signed number of `length` (0-15) bits as T.81 F.2.2.1 codes it. */
  number(length: number): number {
    if (length === 0) return 0;
    if (this.#count < length) this.#fill();
    if (this.#count < length) this.#fail('TRUNCATED', 'ends inside its JPEG data');
    this.#count -= length;
    const value = (this.#bits >>> this.#count) & ((1 << length) - 1);
    return value >>> (length - 1) ? value : value - (1 << length) + 1;
  }

  /** Goes on behind the restart marker that has to stand here. */
  restart(): void {
    this.#bits = 0;
    this.#count = 0;
    while (this.#bytes[this.#at] === 0xff && this.#bytes[this.#at + 1] === 0xff) this.#at++;
    const marker = this.#bytes[this.#at + 1];
    if (marker === undefined) this.#fail('TRUNCATED', 'ends inside its JPEG data');
    if (this.#bytes[this.#at] !== 0xff || marker < 0xd0 || marker > 0xd7) {
      this.#fail('CORRUPT', 'has damaged JPEG data');
    }
    this.#at += 2;
  }

  #fill(): void {
    while (this.#count <= 16) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) return;
      if (byte === 0xff) {
        if (this.#bytes[this.#at + 1] !== 0) return; // a marker
        this.#at++;
      }
      this.#at++;
      this.#bits = (this.#bits << 8) | byte; // what leaves at the top has been read
      this.#count += 8;
    }
  }

  #fail(code: 'TRUNCATED' | 'CORRUPT', what: string): never {
    throw new ImagingError({ code, message: `${this.#name} ${what}: copy or export it again` });
  }
}
