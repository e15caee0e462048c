import { expect, test } from 'vitest';
import { parseDicom } from './dicom-dataset.js';
import { dataset, decimal, decimals, numbers, octets, sequence, text } from './write-dicom-seg-elements.js';
import { labColor } from './write-dicom-seg-segments.js';

test('decimal strings have at most 16 characters and lose as little as they can', () => {
  expect([0, -0, 1, -40.5, 1e22, 0.1].map(decimal)).toEqual(['0', '0', '1', '-40.5', '1e+22', '0.1']);
  expect(decimal(-0.4185053699012345)).toBe('-0.4185053699012');
  expect(decimal(-1.234567890123456e-7)).toBe('-1.2345678901e-7');
  let state = 9;
  for (let round = 0; round < 5000; round++) {
    state = (state * 16807) % 2147483647;
    const value = (state / 2147483647 - 0.5) * 10 ** ((round % 24) - 12);
    const written = decimal(value);
    expect(written.length).toBeLessThanOrEqual(16);
    expect(written).toMatch(/^-?\d+(\.\d+)?(e[+-]\d+)?$/);
    expect(Math.abs(Number(written) - value)).toBeLessThanOrEqual(1e-9 * Math.abs(value));
  }
});

test('elements come in the order of their tags and have even lengths', () => {
  const bytes = dataset([
    octets(0x7fe00010, Uint8Array.of(1, 2, 3)),
    sequence(0x00081115, [[text(0x0020000e, 'UI', '1.2.3'), text(0x00080060, 'CS', 'SEG')], []]),
    numbers(0x00209165, 'AT', [0x0062000b]),
    decimals(0x00280030, [0.5, 0.75]),
    numbers(0x00209157, 'UL', [1, 70000]),
  ]);
  const data = parseDicom(bytes, { TransferSyntaxUID: '1.2.840.10008.1.2.1' });
  expect(Object.keys(data.elements)).toEqual([
    'x00081115',
    'x00209157',
    'x00209165',
    'x00280030',
    'x7fe00010',
  ]);
  expect(data.elements.x00081115!.items).toHaveLength(2);
  expect(Object.keys(data.elements.x00081115!.items![0]!.dataSet!.elements)).toEqual([
    'x00080060',
    'x0020000e',
  ]);
  expect(data.string('x00280030')).toBe('0.5\\0.75');
  const value = (tag: string): number[] => {
    const { dataOffset, length } = data.elements[tag]!;
    return [...bytes.subarray(dataOffset, dataOffset + length)];
  };
  expect(value('x00209165')).toEqual([0x62, 0, 0x0b, 0]); // group, then element
  expect(value('x00209157')).toEqual([1, 0, 0, 0, 0x70, 0x11, 1, 0]);
  expect(Object.values(data.elements).every(({ length }) => length % 2 === 0)).toBe(true);
});

test('colours as highdicom gives them', () => {
  // hd.color.CIELabColor.from_rgb(...).value, to the last digit
  for (const [rgb, lab] of [
    [
      [255, 0, 0],
      [34886, 53484, 50172],
    ],
    [
      [30, 144, 255],
      [38916, 35458, 16604],
    ],
  ] as const) {
    for (const [part, value] of labColor(rgb).entries()) {
      expect(Math.abs(value - lab[part]!)).toBeLessThanOrEqual(1);
    }
  }
});
