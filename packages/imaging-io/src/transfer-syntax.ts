/** How PixelData lies in a DICOM file, by TransferSyntaxUID. */
export type Compression = 'none' | 'deflated' | 'raw frames' | 'RLE' | 'JPEG' | 'JPEG-LS' | 'JPEG 2000';

/** Implicit VR little endian: what a file without a meta header is written in. */
export const IMPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2';
export const EXPLICIT_BIG_ENDIAN = '1.2.840.10008.1.2.2';
/** All that follows the file meta information is one deflate stream. */
export const DEFLATED = '1.2.840.10008.1.2.1.99';

/** PS3.5 chapter 10; JPEG processes other than 1, 2/4 and 14 were retired, video and JPEG XL are not read. */
const COMPRESSIONS: Readonly<Record<string, Compression>> = {
  [IMPLICIT_LITTLE_ENDIAN]: 'none',
  '1.2.840.10008.1.2.1': 'none',
  [EXPLICIT_BIG_ENDIAN]: 'none',
  [DEFLATED]: 'deflated',
  '1.2.840.10008.1.2.1.98': 'raw frames', // Encapsulated Uncompressed: objects of more than 4 GiB
  '1.2.840.10008.1.2.5': 'RLE',
  '1.2.840.10008.1.2.4.50': 'JPEG',
  '1.2.840.10008.1.2.4.51': 'JPEG',
  '1.2.840.10008.1.2.4.57': 'JPEG',
  '1.2.840.10008.1.2.4.70': 'JPEG',
  '1.2.840.10008.1.2.4.80': 'JPEG-LS',
  '1.2.840.10008.1.2.4.81': 'JPEG-LS',
  '1.2.840.10008.1.2.4.90': 'JPEG 2000',
  '1.2.840.10008.1.2.4.91': 'JPEG 2000',
  '1.2.840.10008.1.2.4.201': 'JPEG 2000', // high-throughput
  '1.2.840.10008.1.2.4.202': 'JPEG 2000',
  '1.2.840.10008.1.2.4.203': 'JPEG 2000',
};

/** Undefined for transfer syntaxes that are not read. */
export function compressionOf(transferSyntax: string): Compression | undefined {
  return Object.hasOwn(COMPRESSIONS, transferSyntax) ? COMPRESSIONS[transferSyntax] : undefined;
}

/** A UID for a message: in a damaged header anything may stand in its place, a name too. */
export function shownUid(uid: string): string {
  return /^[\d.]{1,64}$/.test(uid) ? uid : 'no valid UID';
}
