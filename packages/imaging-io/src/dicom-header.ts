import type { ByteSource, Expander } from './byte-source.js';
import { type DataSet, DicomEnd, parseDicom } from './dicom-dataset.js';
import { deflatedFrom, inflaterOf, preparedInflate } from './dicom-inflater.js';
import { type DicomStart, dicomStart, PREAMBLE_BYTES, withPreamble } from './dicom-start.js';
import { ImagingError, type ImagingErrorCode } from './imaging-error.js';
import { MAX_DICOM_FILE_BYTES } from './limits.js';
import { IMPLICIT_LITTLE_ENDIAN } from './transfer-syntax.js';

export const PIXEL_DATA = 'x7fe00010';

/** What is read of a file at first: headers of slices take 2 to 30 kB. */
export const HEADER_BYTES = 2 ** 16;

/** Beyond it, only a header that seems to go on is read further; one that is damaged is not. */
const MAX_DOUBTFUL_BYTES = 2 ** 24;

/** A parsed DICOM object up to its pixels. */
export interface DicomHeader {
  readonly data: DataSet;
  readonly transferSyntax: string;
  /** Bytes of the whole object, as offsets in `data` count them: with a preamble, and inflated. */
  readonly size: number;
  /** Offsets in `data` minus this are offsets in the file (in the inflated object). */
  readonly added: number;
}

/**
 * Reads a DICOM file as far as its pixels, and not those. Undefined for a file of another kind.
 * @param scratch memory for the first part of the file; `data` holds on to it
 * @throws ImagingError TRUNCATED, MALFORMED, CORRUPT, TOO_LARGE
 */
export async function readDicomHeader(
  source: ByteSource,
  expander: Expander,
  scratch?: Uint8Array,
): Promise<DicomHeader | undefined> {
  const { name, size } = source;
  let length = Math.min(size, HEADER_BYTES);
  let bytes = await source.read(0, length, scratch);
  const start = dicomStart(bytes);
  if (start === undefined) return undefined;
  const added = start.preamble || start.transferSyntax !== undefined ? 0 : PREAMBLE_BYTES;
  for (;;) {
    const object = withPreamble(bytes, start);
    if (deflatedFrom(object) !== undefined) return deflatedHeader(source, expander);
    const data = parse(object, start, name, length === size);
    if (data !== undefined) {
      return { data, transferSyntax: transferSyntaxOf(data), size: size + added, added };
    }
    if (length >= MAX_DICOM_FILE_BYTES)
      fail('TOO_LARGE', `${name} has a header of more than ${length} bytes`);
    length = Math.min(size, 8 * length, MAX_DICOM_FILE_BYTES);
    bytes = await source.read(0, length);
  }
}

/**
 * The header of a whole object in memory, with its preamble.
 * @throws ImagingError TRUNCATED, MALFORMED, UNSUPPORTED (deflated, without `inflate`)
 */
function parseDicomHeader(
  bytes: Uint8Array,
  name: string,
  inflate?: (deflated: Uint8Array) => Uint8Array,
): DicomHeader {
  const start = dicomStart(bytes) ?? { preamble: true, transferSyntax: undefined };
  const data = parse(bytes, start, name, true, inflate)!;
  return { data, transferSyntax: transferSyntaxOf(data), size: data.byteArray.length, added: 0 };
}

/** A deflated object has no beginning that could be read alone. */
async function deflatedHeader(source: ByteSource, expander: Expander): Promise<DicomHeader> {
  const object = await readObject(source);
  const inflate = await preparedInflate(object, source.name, expander);
  return parseDicomHeader(object, source.name, inflate);
}

/**
 * A whole DICOM object, with a preamble.
 * @throws ImagingError TOO_LARGE, NOT_READABLE
 */
export async function readObject(source: ByteSource): Promise<Uint8Array> {
  const bytes = await readWhole(source);
  const start = dicomStart(bytes);
  return start === undefined ? bytes : withPreamble(bytes, start);
}

async function readWhole(source: ByteSource): Promise<Uint8Array> {
  const { name, size } = source;
  if (size > MAX_DICOM_FILE_BYTES) {
    fail('TOO_LARGE', `${name} has ${size} bytes, more than ${MAX_DICOM_FILE_BYTES}`);
  }
  return source.read(0, size);
}

/**
 * @param whole false where `bytes` are only the beginning: then a header that does not end in them is no error
 */
function parse(
  bytes: Uint8Array,
  { transferSyntax }: DicomStart,
  name: string,
  whole: boolean,
  inflate?: (deflated: Uint8Array) => Uint8Array,
): DataSet | undefined {
  try {
    const inflater = inflaterOf(name, inflate);
    const bare = transferSyntax === undefined ? {} : { TransferSyntaxUID: transferSyntax };
    const options = { untilTag: PIXEL_DATA, inflater, ...bare };
    const data = parseDicom(bytes, options);
    return whole || data.elements[PIXEL_DATA] !== undefined ? data : undefined;
  } catch (error) {
    if (ImagingError.isInstance(error)) throw error;
    const cut = error instanceof DicomEnd;
    if (!whole && (cut || bytes.length < MAX_DOUBTFUL_BYTES)) return undefined;
    return fail(
      cut ? 'TRUNCATED' : 'MALFORMED',
      `${name} ${cut ? 'ends inside its DICOM header: copy or export it again' : 'has a damaged DICOM header'}`,
    );
  }
}

function transferSyntaxOf(data: DataSet): string {
  return data.string('x00020010')?.trim() ?? IMPLICIT_LITTLE_ENDIAN;
}

function fail(code: ImagingErrorCode, message: string): never {
  throw new ImagingError({ code, message });
}
