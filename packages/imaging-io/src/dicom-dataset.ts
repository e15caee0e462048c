import { MAX_ITEMS, MAX_SEQUENCE_DEPTH, MAX_TEXT_VALUE, MAX_TRAILING_BYTES } from './limits.js';
import { DEFLATED, EXPLICIT_BIG_ENDIAN, IMPLICIT_LITTLE_ENDIAN } from './transfer-syntax.js';

/** One element: where its value lies. */
export interface Element {
  /** `x` and eight hexadecimal digits. */
  readonly tag: string;
  readonly vr: string | undefined;
  readonly dataOffset: number;
  /** 0xffffffff where the reader stopped at an element of undefined length. */
  readonly length: number;
  /** The items of a sequence. */
  readonly items: readonly { readonly dataSet: DataSet }[] | undefined;
}

export interface ParseOptions {
  /** The element to stop at: it is listed, its value is not looked at. */
  readonly untilTag?: string;
  /** For objects without preamble and file meta information. */
  readonly TransferSyntaxUID?: string;
  /** Inflates what follows `position`, and puts what precedes it in front. */
  readonly inflater?: (whole: Uint8Array, position: number) => Uint8Array;
}

/** Elements of an object or of an item, by tag. */
export class DataSet {
  readonly elements: Record<string, Element> = {};
  /** The whole object: offsets of items count in it, too. */
  readonly byteArray: Uint8Array;
  readonly #littleEndian: boolean;
  /** File meta information is little endian in every object. */
  readonly #meta: DataSet | undefined;

  constructor(bytes: Uint8Array, littleEndian: boolean, meta?: DataSet) {
    this.byteArray = bytes;
    this.#littleEndian = littleEndian;
    this.#meta = meta;
    if (meta) Object.assign(this.elements, meta.elements);
  }

  /** Text up to a zero byte, without blanks around it; undefined where the element is absent or empty. */
  string(tag: string): string | undefined {
    const element = this.elements[tag];
    if (element === undefined || element.length === 0 || element.length === UNDEFINED) return undefined;
    if (element.length > MAX_TEXT_VALUE) throw new Error('a text is too long');
    let text = '';
    for (let at = element.dataOffset; at < element.dataOffset + element.length; at++) {
      const byte = this.byteArray[at];
      if (!byte) break;
      text += String.fromCharCode(byte);
    }
    return text.trim();
  }

  uint16(tag: string): number | undefined {
    return this.#view(tag, 2)?.getUint16(0, this.#endian(tag));
  }

  uint32(tag: string): number | undefined {
    return this.#view(tag, 4)?.getUint32(0, this.#endian(tag));
  }

  /** The first bytes of a value; undefined where it has fewer. */
  #view(tag: string, bytes: number): DataView | undefined {
    const element = this.elements[tag];
    if (element === undefined || element.length < bytes) return undefined;
    const { buffer, byteOffset, byteLength } = this.byteArray;
    if (element.dataOffset + bytes > byteLength) return undefined;
    return new DataView(buffer, byteOffset + element.dataOffset, bytes);
  }

  #endian(tag: string): boolean {
    return this.#littleEndian || this.#meta?.elements[tag] !== undefined;
  }
}

const UNDEFINED = 0xffff_ffff;
const ITEM = 'xfffee000';
const ITEM_END = 'xfffee00d';
const SEQUENCE_END = 'xfffee0dd';
/** Value representations whose length takes four bytes behind two that are empty (PS3.5 table 7.1-1). */
const LONG = new Set('OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' '));

/** Ends of the data where more was announced. */
export class DicomEnd extends Error {}

/**
 * Parses a DICOM object as far as asked. Values are not looked at and nothing is made up: an element or sequence that
 * does not end inside `bytes` is an error.
 * @throws DicomEnd where the bytes end too early, Error where they are damaged
 */
export function parseDicom(bytes: Uint8Array, options: ParseOptions = {}): DataSet {
  const { untilTag, TransferSyntaxUID: bare } = options;
  if (!hasMark(bytes)) {
    if (bare === undefined) throw new Error('no DICOM mark');
    return parseBody(bytes, 0, bare, untilTag);
  }
  const { meta, position } = readPart10Header(bytes);
  const syntax = meta.string('x00020010') ?? IMPLICIT_LITTLE_ENDIAN;
  if (syntax === DEFLATED && options.inflater) {
    return parseBody(options.inflater(bytes, position), position, syntax, untilTag, meta);
  }
  return parseBody(bytes, position, syntax, untilTag, meta);
}

/** The file meta information (group 0002), and where what follows it begins. */
export function readPart10Header(bytes: Uint8Array): { meta: DataSet; position: number } {
  if (!hasMark(bytes)) throw new Error('no DICOM mark');
  const meta = new DataSet(bytes, true);
  const reader = new Reader(bytes, { explicit: true, littleEndian: true });
  reader.at = 132;
  while (reader.at + 8 <= bytes.length && reader.group() === 2) {
    const element = reader.element(meta, 0);
    meta.elements[element.tag] = element;
  }
  return { meta, position: reader.at };
}

function hasMark(bytes: Uint8Array): boolean {
  return bytes.length >= 132 && String.fromCharCode(...bytes.subarray(128, 132)) === 'DICM';
}

function parseBody(
  bytes: Uint8Array,
  position: number,
  transferSyntax: string,
  untilTag: string | undefined,
  meta?: DataSet,
): DataSet {
  const littleEndian = transferSyntax !== EXPLICIT_BIG_ENDIAN;
  const data = new DataSet(bytes, littleEndian, meta);
  const reader = new Reader(bytes, { explicit: transferSyntax !== IMPLICIT_LITTLE_ENDIAN, littleEndian });
  reader.at = position;
  while (reader.at < bytes.length) {
    if (reader.atPadding()) break;
    const element = reader.element(data, 0, untilTag);
    data.elements[element.tag] = element;
    if (element.tag === untilTag) break;
  }
  return data;
}

/** Walks through elements. */
class Reader {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #explicit: boolean;
  #itemCount = 0;
  readonly #littleEndian: boolean;

  constructor(bytes: Uint8Array, { explicit, littleEndian }: { explicit: boolean; littleEndian: boolean }) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#explicit = explicit;
    this.#littleEndian = littleEndian;
  }

  group(): number {
    return this.#view.getUint16(this.at, this.#littleEndian);
  }

  /** Zeros up to the end: no element of a file is of group 0 and number 0. */
  atPadding(): boolean {
    if (this.#bytes.subarray(this.at, this.at + 4).some((byte) => byte !== 0)) return false;
    const rest = this.#bytes.subarray(this.at);
    if (rest.length > MAX_TRAILING_BYTES || rest.some((byte) => byte !== 0))
      throw new Error('zeros in a header');
    return true;
  }

  /** The element at this place; goes on behind it. */
  element(owner: DataSet, depth: number, untilTag?: string): Element {
    const tag = this.#tag();
    let vr: string | undefined;
    let length: number;
    if (this.#explicit && !tag.startsWith('xfffe')) {
      this.#need(4);
      vr = String.fromCharCode(this.#bytes[this.at]!, this.#bytes[this.at + 1]!);
      // old GE scanners write ?? for private elements
      if (!/^([A-Z]{2}|\?\?)$/.test(vr)) throw new Error('an element has no value representation');
      if (LONG.has(vr)) {
        this.at += 4;
        length = this.#uint32();
      } else {
        length = this.#view.getUint16(this.at + 2, this.#littleEndian);
        this.at += 4;
      }
    } else length = this.#uint32();
    const dataOffset = this.at;
    if (tag === untilTag) return { tag, vr, dataOffset, length, items: undefined };
    const items = this.#isSequence(vr, length) ? this.#items(owner, depth, vr, length) : this.#skip(length);
    return { tag, vr, dataOffset, length: this.at - dataOffset, items };
  }

  /** Without a value representation a sequence is told by the item it begins with. */
  #isSequence(vr: string | undefined, length: number): boolean {
    if (vr === 'SQ') return true;
    if (length === UNDEFINED) return vr === undefined || vr === 'UN';
    return vr === undefined && length >= 8 && this.at + 4 <= this.#bytes.length && this.#peek() === ITEM;
  }

  #items(owner: DataSet, depth: number, vr: string | undefined, length: number): { dataSet: DataSet }[] {
    if (depth >= MAX_SEQUENCE_DEPTH) throw new Error('sequences are nested too deep');
    const end = this.#end(length);
    const { byteArray } = owner;
    const explicit = this.#explicit;
    if (vr === 'UN') this.#explicit = false; // PS3.5 6.2.2
    const items: { dataSet: DataSet }[] = [];
    for (;;) {
      if (this.at >= end && length !== UNDEFINED) break;
      const tag = this.#tag();
      const itemLength = this.#uint32();
      if (tag === SEQUENCE_END && length === UNDEFINED) break;
      if (tag !== ITEM) throw new Error('a sequence holds something that is no item');
      if (++this.#itemCount > MAX_ITEMS) throw new Error('there are too many items');
      const dataSet = new DataSet(byteArray, this.#littleEndian);
      this.#item(dataSet, depth + 1, itemLength);
      items.push({ dataSet });
    }
    if (length !== UNDEFINED && this.at !== end) throw new Error('an item is longer than its sequence');
    this.#explicit = explicit;
    return items;
  }

  #item(dataSet: DataSet, depth: number, length: number): void {
    const end = this.#end(length);
    while (length === UNDEFINED || this.at < end) {
      if (length === UNDEFINED && this.at + 4 <= this.#bytes.length && this.#peek() === ITEM_END) {
        this.at += 4;
        this.#uint32();
        return;
      }
      const element = this.element(dataSet, depth);
      dataSet.elements[element.tag] = element;
    }
    if (this.at !== end) throw new Error('an element is longer than its item');
  }

  /** Jumps over a value; one of undefined length is a row of fragments. */
  #skip(length: number): undefined {
    if (length !== UNDEFINED) {
      this.at = this.#end(length);
      return;
    }
    for (;;) {
      const tag = this.#tag();
      const fragment = this.#uint32();
      if (tag === SEQUENCE_END) return;
      if (tag !== ITEM || fragment === UNDEFINED) throw new Error('damaged compressed pixels');
      this.at = this.#end(fragment);
    }
  }

  #end(length: number): number {
    if (length === UNDEFINED) return this.#bytes.length;
    this.#need(length);
    return this.at + length;
  }

  #tag(): string {
    this.#need(4);
    const tag = this.#peek();
    this.at += 4;
    return tag;
  }

  #peek(): string {
    const [group, element] = [this.group(), this.#view.getUint16(this.at + 2, this.#littleEndian)];
    return `x${(group * 65_536 + element).toString(16).padStart(8, '0')}`;
  }

  #uint32(): number {
    this.#need(4);
    const value = this.#view.getUint32(this.at, this.#littleEndian);
    this.at += 4;
    return value;
  }

  #need(bytes: number): void {
    if (this.at + bytes > this.#bytes.length) throw new DicomEnd('eof');
  }
}
