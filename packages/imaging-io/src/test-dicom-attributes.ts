import { dicomBytes, type SliceTags } from './test-dicom.js';

/** Attributes by tag (`'0010,1030'`): text, a whole number (US), or one sequence item with attributes of its own. */
export interface Attributes {
  readonly [tag: string]: string | number | Attributes;
}

/** A test slice with more attributes; those the builder writes too are overruled, as the last one counts. */
export function dicomWith(tags: Partial<SliceTags>, attributes: Attributes): Uint8Array {
  const bytes = dicomBytes(tags);
  const pixels = Buffer.from(bytes).lastIndexOf(Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57]));
  return Buffer.concat([bytes.subarray(0, pixels), encode(attributes), bytes.subarray(pixels)]);
}

function encode(attributes: Attributes): Buffer {
  return Buffer.concat(Object.entries(attributes).map(([tag, value]) => element(tag, value)));
}

function element(tag: string, value: string | number | Attributes): Buffer {
  const [group, number] = tag.split(',').map((part) => Number.parseInt(part, 16)) as [number, number];
  if (typeof value === 'object') {
    const item = encode(value);
    const head = Buffer.alloc(20);
    head.writeUInt16LE(group, 0);
    head.writeUInt16LE(number, 2);
    head.write('SQ', 4, 'latin1');
    head.writeUInt32LE(item.length + 8, 8);
    head.writeUInt32LE(0xe000fffe, 12); // item
    head.writeUInt32LE(item.length, 16);
    return Buffer.concat([head, item]);
  }
  const text = Buffer.from(typeof value === 'string' ? value : '', 'utf8');
  const padded = text.length % 2 ? Buffer.concat([text, Buffer.from(' ')]) : text;
  const content = typeof value === 'number' ? Buffer.from(Uint16Array.of(value).buffer) : padded;
  const head = Buffer.alloc(8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.write(typeof value === 'number' ? 'US' : 'LO', 4, 'latin1'); // read as text whatever its kind
  head.writeUInt16LE(content.length, 6);
  return Buffer.concat([head, content]);
}
