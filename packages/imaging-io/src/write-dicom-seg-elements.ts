/**
 * A writer of DICOM elements in explicit little endian (PS3.5 7.1.2), just what a segmentation needs. dcmjs would do it
 * too, but is 1.5 MB, wants Node 22 and knows nothing that this does not need; highdicom and dcmqi read the result back.
 */
export interface Element {
  readonly tag: number;
  readonly bytes: Uint8Array;
}

/** A coded concept: code value, coding scheme, meaning (PS3.3 8.8). */
export interface CodedConcept {
  readonly value: string;
  /** `SCT` is SNOMED CT, `DCM` DICOM's own. */
  readonly scheme: string;
  readonly meaning: string;
}

/** Value representations whose length takes four bytes. */
const LONG = new Set(['OB', 'SQ']);

const ITEM = 0xfffee000;

/** DS allows 16 characters. */
const DECIMAL_CHARACTERS = 16;

/** An element of text, or of bytes that are its value already. */
export function text(tag: number, vr: string, value: string | Uint8Array): Element {
  return element(tag, vr, typeof value === 'string' ? new TextEncoder().encode(value) : value);
}

/** Decimal strings, as exact as their 16 characters allow. */
export function decimals(tag: number, values: readonly number[]): Element {
  return text(tag, 'DS', values.map(decimal).join('\\'));
}

/** Unsigned numbers of 16 (US) or 32 bits (UL), or tags (AT). */
export function numbers(tag: number, vr: 'US' | 'UL' | 'AT', values: readonly number[]): Element {
  const wide = vr !== 'US';
  const view = new DataView(new ArrayBuffer(values.length * (wide ? 4 : 2)));
  for (const [at, value] of values.entries()) {
    if (vr === 'US') view.setUint16(2 * at, value, true);
    else if (vr === 'UL') view.setUint32(4 * at, value, true);
    else {
      view.setUint16(4 * at, value >>> 16, true); // group, then element
      view.setUint16(4 * at + 2, value & 0xffff, true);
    }
  }
  return element(tag, vr, new Uint8Array(view.buffer));
}

/** A sequence; each item is a list of elements. */
export function sequence(tag: number, items: readonly (readonly Element[])[]): Element {
  const parts = items.flatMap((item) => {
    const bytes = dataset(item);
    const head = new DataView(new ArrayBuffer(8));
    head.setUint16(0, ITEM >>> 16, true);
    head.setUint16(2, ITEM & 0xffff, true);
    head.setUint32(4, bytes.length, true);
    return [new Uint8Array(head.buffer), bytes];
  });
  return element(tag, 'SQ', joined(parts));
}

/** A sequence of one coded concept. */
export function coded(tag: number, { value, scheme, meaning }: CodedConcept): Element {
  return sequence(tag, [
    [text(0x00080100, 'SH', value), text(0x00080102, 'SH', scheme), text(0x00080104, 'LO', meaning)],
  ]);
}

/** Bytes, such as pixels. */
export function octets(tag: number, value: Uint8Array): Element {
  return element(tag, 'OB', value);
}

/** The elements in the order of their tags, as DICOM wants them. */
export function dataset(elements: readonly Element[]): Uint8Array {
  return joined([...elements].sort((a, b) => a.tag - b.tag).map(({ bytes }) => bytes));
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A number as a decimal string of at most 16 characters, rounded where it does not fit. */
export function decimal(value: number): string {
  for (let digits = 17; digits > 0; digits--) {
    const rounded = Number(value.toPrecision(digits));
    for (const written of [String(rounded), rounded.toExponential()]) {
      if (written.length <= DECIMAL_CHARACTERS) return written;
    }
  }
  throw new RangeError(`${value} is no decimal`);
}

function element(tag: number, vr: string, value: Uint8Array): Element {
  const length = value.length + (value.length % 2);
  const header = LONG.has(vr) ? 12 : 8;
  const bytes = new Uint8Array(header + length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, tag >>> 16, true);
  view.setUint16(2, tag & 0xffff, true);
  bytes[4] = vr.charCodeAt(0);
  bytes[5] = vr.charCodeAt(1);
  if (header === 12) view.setUint32(8, length, true);
  else view.setUint16(6, length, true);
  bytes.set(value, header);
  // odd values are padded: text by a space, UIDs and bytes by a zero
  if (length > value.length && vr !== 'UI' && vr !== 'OB') bytes[header + value.length] = 0x20;
  return { tag, bytes };
}
