/** What a test slice says; everything has a default. */
export interface SliceTags {
  readonly seriesUid: string;
  readonly imageType: string;
  readonly photometric: string;
  readonly rows: number;
  readonly columns: number;
  /** [row, column] as in DICOM */
  readonly spacing: readonly number[];
  readonly position: readonly number[];
  readonly orientation: readonly number[];
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly slope: number;
  readonly intercept: number;
  readonly thickness: number;
  readonly pixels: Uint16Array;
}

const IMPLICIT_LENGTH = new Set(['OB', 'OW', 'SQ', 'UN']);

/** A small explicit little-endian DICOM CT slice, written by hand so that a test can say anything. */
export function dicomBytes({
  seriesUid = '1.2.3.4',
  imageType = 'ORIGINAL\\PRIMARY\\AXIAL',
  photometric = 'MONOCHROME2',
  rows = 2,
  columns = 3,
  spacing = [1, 1],
  position = [0, 0, 0],
  orientation = [1, 0, 0, 0, 1, 0],
  bitsStored = 12,
  signed = false,
  slope = 1,
  intercept = -1024,
  thickness = 2,
  pixels = Uint16Array.from({ length: 6 }, (_, at) => at),
}: Partial<SliceTags> = {}): Uint8Array {
  const short = (value: number): Uint8Array => Uint8Array.from([value & 255, value >> 8]);
  const meta = [
    element(0x0002, 0x0002, 'UI', '1.2.840.10008.5.1.4.1.1.2'),
    element(0x0002, 0x0010, 'UI', '1.2.840.10008.1.2.1'),
  ];
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(
    0,
    meta.reduce((sum, part) => sum + part.length, 0),
    true,
  );
  return join([
    new Uint8Array(128),
    new TextEncoder().encode('DICM'),
    element(0x0002, 0x0000, 'UL', length),
    ...meta,
    element(0x0008, 0x0008, 'CS', imageType),
    element(0x0008, 0x0060, 'CS', 'CT'),
    element(0x0010, 0x0010, 'PN', 'Doe^Jane'),
    element(0x0010, 0x0020, 'LO', 'SECRET'),
    element(0x0018, 0x0050, 'DS', String(thickness)),
    element(0x0020, 0x000e, 'UI', seriesUid),
    element(0x0020, 0x0032, 'DS', decimals(position)),
    element(0x0020, 0x0037, 'DS', decimals(orientation)),
    element(0x0028, 0x0002, 'US', short(photometric === 'RGB' ? 3 : 1)),
    element(0x0028, 0x0004, 'CS', photometric),
    element(0x0028, 0x0010, 'US', short(rows)),
    element(0x0028, 0x0011, 'US', short(columns)),
    element(0x0028, 0x0030, 'DS', decimals(spacing)),
    element(0x0028, 0x0100, 'US', short(16)),
    element(0x0028, 0x0101, 'US', short(bitsStored)),
    element(0x0028, 0x0102, 'US', short(bitsStored - 1)),
    element(0x0028, 0x0103, 'US', short(signed ? 1 : 0)),
    element(0x0028, 0x1052, 'DS', String(intercept)),
    element(0x0028, 0x1053, 'DS', String(slope)),
    element(0x7fe0, 0x0010, 'OW', new Uint8Array(pixels.buffer)),
  ]);
}

/** DS allows 16 characters. */
const decimals = (values: readonly number[]): string =>
  values.map((v) => String(Number(v.toFixed(12)))).join('\\');

function element(group: number, number: number, vr: string, value: string | Uint8Array): Uint8Array {
  let bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  if (bytes.length % 2) bytes = join([bytes, Uint8Array.from([vr === 'UI' ? 0 : 32])]);
  const long = IMPLICIT_LENGTH.has(vr);
  const head = new Uint8Array(long ? 12 : 8);
  const view = new DataView(head.buffer);
  view.setUint16(0, group, true);
  view.setUint16(2, number, true);
  head.set(new TextEncoder().encode(vr), 4);
  if (long) view.setUint32(8, bytes.length, true);
  else view.setUint16(6, bytes.length, true);
  return join([head, bytes]);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
