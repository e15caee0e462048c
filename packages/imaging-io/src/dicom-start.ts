/** Bytes enough to tell: preamble and mark, or the first two elements without them. */
export const DICOM_START_BYTES = 256;

/** Preamble and the mark `DICM` (PS3.10 section 7.1). */
export const PREAMBLE_BYTES = 132;
/** DICM */
export const DICOM_MARK: readonly number[] = [0x44, 0x49, 0x43, 0x4d];

const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';

const VALUE_REPRESENTATIONS = new Set(
  'AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV'.split(
    ' ',
  ),
);
/** Those whose length takes four bytes behind two that are empty. */
const LONG = new Set('OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' '));

/** The first element of an object is one of (0008,0000) to (0008,0018), none of which is long. */
const LAST_FIRST_ELEMENT = 0x18;
const LONGEST_FIRST = 1024;

/** How a DICOM object begins. */
export interface DicomStart {
  /** False where the preamble and the mark are missing. */
  readonly preamble: boolean;
  /** The transfer syntax of an object that does not say it: one without file meta information. */
  readonly transferSyntax: string | undefined;
}

/** How programs begin: Windows, Linux, scripts, and macOS in both byte orders and universal. */
const PROGRAMS = [
  'MZ',
  '\x7fELF',
  '#!',
  '\xfe\xed\xfa',
  '\xce\xfa\xed\xfe',
  '\xcf\xfa\xed\xfe',
  '\xca\xfe\xba\xbe',
];

/** A file can be an image and a program at once (CVE-2019-11687); TIFF headers, as slide scanners write, are harmless. */
export function beginsLikeProgram(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, 4));
  return PROGRAMS.some((mark) => start.startsWith(mark));
}

/** True where the bytes carry the DICOM mark after the 128-byte preamble. */
export function isDicom(bytes: Uint8Array): boolean {
  return (
    bytes.length >= PREAMBLE_BYTES && String.fromCharCode(...bytes.subarray(128, PREAMBLE_BYTES)) === 'DICM'
  );
}

/**
 * How the object begins; undefined for a file of another kind. Old files lack the preamble, or the whole file meta
 * information: they are told by their first two elements, which have to be of group 0002 or 0008 and in order.
 */
export function dicomStart(bytes: Uint8Array): DicomStart | undefined {
  if (isDicom(bytes)) return { preamble: true, transferSyntax: undefined };
  const first = elementAt(bytes, 0);
  if (first === undefined || first.element > LAST_FIRST_ELEMENT || first.next > LONGEST_FIRST)
    return undefined;
  if (first.group !== 2 && first.group !== 8) return undefined;
  if (first.group === 2 && !first.explicit) return undefined; // file meta information is always explicit
  // a value that fills what was read hides the second element
  if (first.next + 8 <= bytes.length) {
    const second = elementAt(bytes, first.next);
    if (second === undefined || second.explicit !== first.explicit) return undefined;
    if (second.group < first.group || second.group > 0x10) return undefined;
    if (second.group === first.group && second.element <= first.element) return undefined;
  }
  if (first.group === 2) return { preamble: false, transferSyntax: undefined };
  return { preamble: false, transferSyntax: first.explicit ? EXPLICIT : IMPLICIT };
}

/** An object without preamble, with one: `bytes` itself where it has it. */
export function withPreamble(bytes: Uint8Array, start: DicomStart): Uint8Array {
  if (start.preamble || start.transferSyntax !== undefined) return bytes;
  const whole = new Uint8Array(PREAMBLE_BYTES + bytes.length);
  whole.set(DICOM_MARK, 128);
  whole.set(bytes, PREAMBLE_BYTES);
  return whole;
}

/** The element at a place, if one can be there. */
function elementAt(
  bytes: Uint8Array,
  at: number,
): { group: number; element: number; explicit: boolean; next: number } | undefined {
  if (bytes.length < at + 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [group, element] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
  const kind = String.fromCharCode(bytes[at + 4]!, bytes[at + 5]!);
  const explicit = VALUE_REPRESENTATIONS.has(kind);
  if (explicit && LONG.has(kind)) {
    if (bytes.length < at + 12 || view.getUint16(at + 6, true) !== 0) return undefined;
    return { group, element, explicit, next: at + 12 + view.getUint32(at + 8, true) };
  }
  const length = explicit ? view.getUint16(at + 6, true) : view.getUint32(at + 4, true);
  return length % 2 === 0 || length === 0xffff_ffff
    ? { group, element, explicit, next: at + 8 + length }
    : undefined;
}
