import { type DataSet, DicomEnd, parseDicom } from './dicom-dataset.js';
import { inflaterOf } from './dicom-inflater.js';
import { ImagingError, type ImagingErrorCode } from './imaging-error.js';

/** A parsed DICOM object that carries masks. */
export interface MaskObject {
  readonly data: DataSet;
  readonly transferSyntax: string;
}

export type MaskModality = 'SEG' | 'RTSTRUCT';

const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
const PIXEL_DATA = 'x7fe00010';
/** Numbers in a message. */
const MAX_LISTED = 30;

const MODALITY = 'x00080060';

/** The encodings of free text (SpecificCharacterSet, PS3.3 C.12.1.1.2) that TextDecoder knows. */
const CHARACTER_SETS: Readonly<Record<string, string>> = {
  'ISO_IR 100': 'iso-8859-1',
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 148': 'iso-8859-9',
  'ISO_IR 13': 'shift_jis',
  'ISO_IR 166': 'windows-874',
  'ISO_IR 192': 'utf-8',
  GB18030: 'gb18030',
  GBK: 'gbk',
};

export type Inflate = (deflated: Uint8Array) => Uint8Array;

/**
 * Which kind of mask a DICOM object is; undefined for images and everything else.
 * @throws ImagingError TRUNCATED, MALFORMED
 */
export function maskModality(bytes: Uint8Array, file: string, inflate?: Inflate): MaskModality | undefined {
  const { data } = parse(bytes, file, MODALITY, inflate);
  const modality = withCodedErrors(file, () => data.string(MODALITY));
  return modality === 'SEG' || modality === 'RTSTRUCT' ? modality : undefined;
}

/**
 * Parses the whole object up to its pixels.
 * @throws ImagingError TRUNCATED, MALFORMED
 */
export function parseMaskObject(bytes: Uint8Array, file: string, inflate?: Inflate): MaskObject {
  return parse(bytes, file, PIXEL_DATA, inflate);
}

function parse(bytes: Uint8Array, file: string, untilTag: string, inflate?: Inflate): MaskObject {
  const bare = bareTransferSyntax(bytes);
  return withCodedErrors(file, () => {
    const inflater = inflaterOf(file, inflate);
    const options = { untilTag, inflater, ...(bare === undefined ? {} : { TransferSyntaxUID: bare }) };
    const data = parseDicom(bytes, options);
    return { data, transferSyntax: data.string('x00020010')?.trim() ?? bare ?? IMPLICIT };
  });
}

/**
 * Runs a reader of DICOM elements, whose errors do not know the file.
 */
export function withCodedErrors<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw headerError(error, file);
  }
}

function headerError(error: unknown, file: string): ImagingError {
  if (ImagingError.isInstance(error)) return error;
  const cut = error instanceof DicomEnd;
  return new ImagingError({
    code: cut ? 'TRUNCATED' : 'MALFORMED',
    message: `${file} ${cut ? 'ends inside its DICOM header: copy or export it again' : 'has a damaged DICOM header'}`,
  });
}

/** The transfer syntax of an object without preamble, told from its first element; undefined where there is a preamble. */
function bareTransferSyntax(bytes: Uint8Array): string | undefined {
  const [group, high, element, elementHigh, first, second] = bytes;
  if (group !== 8 || high !== 0 || elementHigh !== 0 || element === undefined || element > 0x18)
    return undefined;
  const isLetter = (byte = 0): boolean => byte >= 65 && byte <= 90;
  return isLetter(first) && isLetter(second) ? EXPLICIT : IMPLICIT;
}

/** The items of a sequence; none where it is absent. */
export function itemsOf(source: DataSet | undefined, tag: string): DataSet[] {
  const items = source?.elements[tag]?.items ?? [];
  return items.flatMap((item) => (item.dataSet === undefined ? [] : [item.dataSet]));
}

/** The numbers of a decimal or integer string; undefined where it is absent or empty. */
export function numbersOf(source: DataSet | undefined, tag: string): number[] | undefined {
  const text = source?.string(tag);
  return text === undefined || text === '' ? undefined : text.split('\\').map(Number);
}

/** Free text (a label, a name) in the object's character set. */
export function textOf(source: DataSet, tag: string, characterSet: string | undefined): string {
  const element = source.elements[tag];
  if (element === undefined) return '';
  const bytes = source.byteArray.subarray(element.dataOffset, element.dataOffset + element.length);
  const encoding = encodingsOf(characterSet).find((found) => found !== undefined);
  const text = encoding === undefined ? undeclared(bytes) : new TextDecoder(encoding).decode(bytes);
  return [...text]
    .filter((letter) => letter !== '\0')
    .join('')
    .trim();
}

function encodingsOf(characterSet = ''): (string | undefined)[] {
  const named = characterSet.split('\\').map((name) => name.trim().replace(/^ISO 2022 IR/, 'ISO_IR'));
  return named.map((name) => CHARACTER_SETS[name]);
}

/** True where all text in a character set can be decoded: one set that TextDecoder knows, no switching between several. */
export function knownCharacterSet(characterSet: string): boolean {
  const encodings = encodingsOf(characterSet);
  return encodings.length === 1 && encodings[0] !== undefined;
}

/** Text whose character set is not declared has to be ASCII; writers leave UTF-8 or Latin-1 there all the same. */
function undeclared(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('iso-8859-1').decode(bytes);
  }
}

/** For messages: the numbers by which segments can be asked for. Their names are free text and stay out. */
export function listNumbers(described: readonly { readonly number: number }[]): string {
  const numbers = described.slice(0, MAX_LISTED).map(({ number }) => number);
  return numbers.join(', ') + (described.length > MAX_LISTED ? ', ...' : '');
}

export function fail(code: ImagingErrorCode, message: string): never {
  throw new ImagingError({ code, message });
}
