import dicomParser from 'dicom-parser';
import { describe, expect, test } from 'vitest';
import { type DataSet, DicomEnd, parseDicom } from './dicom-dataset.js';
import { goldenBytes, maskGolden } from './node/test-dicom-masks.js';
import { filesOf, inputKinds } from './test-input-kinds.js';

/** Elements as a flat list: tag, place, length, depth. */
function listed(data: { elements: object }, depth = 0): unknown[] {
  const elements = Object.values(data.elements as Record<string, dicomParser.Element>);
  return elements
    .sort((a, b) => (a.tag < b.tag ? -1 : 1))
    .flatMap((element) => [
      [depth, element.tag, element.dataOffset, element.length],
      ...(element.items ?? []).flatMap((item) => listed(item.dataSet!, depth + 1)),
    ]);
}

const untilTag = 'x7fe00010';
const files = inputKinds
  // dicom-parser knows neither objects without preamble nor the representation OV of extended offset tables
  .filter(({ kind, name }) => kind === 'DICOM' && !/without|deflated|extended offset/.test(name))
  .map((kind) => [kind.name, [...filesOf(kind).values()][0]!] as const);
const masks = [
  ...maskGolden.segmentations.cases.filter(({ name }) => !/deflated/.test(name)),
  { name: 'RTSTRUCT', file: maskGolden.structures.file },
].map(({ name, file }) => [name, goldenBytes(file)] as const);

describe('elements, their places and texts equal dicom-parser’s', () => {
  test.each([...files, ...masks])('%s', (_, bytes) => {
    const own = parseDicom(bytes, { untilTag });
    const other = dicomParser.parseDicom(bytes, { untilTag });
    expect(listed(own)).toEqual(listed(other));
    for (const tag of Object.keys(own.elements)) {
      if (tag !== untilTag) expect(own.string(tag), tag).toBe(other.string(tag));
    }
    expect(own.uint16('x00280010')).toBe(other.uint16('x00280010'));
    expect(own.uint32('x00020000')).toBe(other.uint32('x00020000'));
  });
});

test('an extended offset table (OV)', () => {
  const { name, ...kind } = inputKinds.find((input) => /extended offset/.test(input.name))!;
  const data: DataSet = parseDicom(filesOf({ name, ...kind }).get('scan.dcm')!, { untilTag });
  expect(data.elements.x7fe00001).toMatchObject({ vr: 'OV', length: 32 });
  expect(data.elements[untilTag]).toBeDefined();
});

test('cut anywhere before the pixels: ended, or without them', () => {
  const [, bytes] = files.find(([name]) => name === 'DICOM enhanced CT')!;
  const { dataOffset } = parseDicom(bytes, { untilTag }).elements[untilTag]!;
  let ended = 0;
  for (let length = 132; length < dataOffset; length++) {
    try {
      expect(parseDicom(bytes.subarray(0, length), { untilTag }).elements[untilTag]).toBeUndefined();
    } catch (error) {
      expect(error).toBeInstanceOf(DicomEnd);
      ended++;
    }
  }
  expect(ended).toBeGreaterThan(dataOffset / 2);
});
