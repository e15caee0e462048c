import type { Volume } from '@onco-response/volume';

/** A SYNTHETIC axial int16 volume as CT slices: DICOM Part 10 files, explicit little endian. */
export function dicomSlices({ data, size, spacing, origin }: Volume): Buffer[] {
  const [columns, rows, count] = size;
  const uid = (last: string) => `1.2.826.0.1.3680043.10.543.${last}`;
  return Array.from({ length: count }, (_, k) => {
    const plane = Int16Array.from(data.subarray(k * columns * rows, (k + 1) * columns * rows));
    const ct = '1.2.840.10008.5.1.4.1.1.2';
    const meta = Buffer.concat([
      element(0x0002, 0x0002, 'UI', ct),
      element(0x0002, 0x0003, 'UI', uid(`1.${k}`)),
      element(0x0002, 0x0010, 'UI', '1.2.840.10008.1.2.1'),
    ]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(meta.length);
    return Buffer.concat([
      Buffer.alloc(128),
      Buffer.from('DICM'),
      element(0x0002, 0x0000, 'UL', length),
      meta,
      element(0x0008, 0x0016, 'UI', ct),
      element(0x0008, 0x0018, 'UI', uid(`1.${k}`)),
      element(0x0008, 0x0060, 'CS', 'CT'),
      element(0x0010, 0x0010, 'PN', 'Synthetic'),
      element(0x0010, 0x0020, 'LO', 'synthetic'),
      element(0x0018, 0x0050, 'DS', String(spacing[2])),
      element(0x0020, 0x000d, 'UI', uid('2')),
      element(0x0020, 0x000e, 'UI', uid('3')),
      element(0x0020, 0x0013, 'IS', String(k + 1)),
      element(0x0020, 0x0032, 'DS', [origin[0], origin[1], origin[2] + k * spacing[2]].join('\\')),
      element(0x0020, 0x0037, 'DS', '1\\0\\0\\0\\1\\0'),
      element(0x0020, 0x0052, 'UI', uid('4')),
      element(0x0028, 0x0002, 'US', short(1)),
      element(0x0028, 0x0004, 'CS', 'MONOCHROME2'),
      element(0x0028, 0x0010, 'US', short(rows)),
      element(0x0028, 0x0011, 'US', short(columns)),
      element(0x0028, 0x0030, 'DS', `${spacing[1]}\\${spacing[0]}`),
      element(0x0028, 0x0100, 'US', short(16)),
      element(0x0028, 0x0101, 'US', short(16)),
      element(0x0028, 0x0102, 'US', short(15)),
      element(0x0028, 0x0103, 'US', short(1)),
      element(0x0028, 0x1052, 'DS', '0'),
      element(0x0028, 0x1053, 'DS', '1'),
      element(0x7fe0, 0x0010, 'OW', Buffer.from(plane.buffer)),
    ]);
  });
}

function element(group: number, number: number, type: string, value: string | Buffer): Buffer {
  const raw = typeof value === 'string' ? Buffer.from(value) : value;
  const odd = raw.length % 2 === 1;
  const bytes = odd ? Buffer.concat([raw, Buffer.from(type === 'UI' ? '\0' : ' ')]) : raw;
  const header = Buffer.alloc(type === 'OW' ? 12 : 8);
  header.writeUInt16LE(group);
  header.writeUInt16LE(number, 2);
  header.write(type, 4, 'latin1');
  if (type === 'OW') header.writeUInt32LE(bytes.length, 8);
  else header.writeUInt16LE(bytes.length, 6);
  return Buffer.concat([header, bytes]);
}

function short(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
