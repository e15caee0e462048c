import { inflateRawSync } from 'node:zlib';
import { type Grid, indexToPhysical, reorient, sameGrid } from '@onco-response/volume';
import { describe, expect, test } from 'vitest';
import { readDicomSeg } from './dicom-seg.js';
import { codeOf, goldenBytes, maskGolden, nestedSequences, patched } from './node/test-dicom-masks.js';

const { grid, cases, compressed } = maskGolden.segmentations;
const inflate = (deflated: Uint8Array): Uint8Array => inflateRawSync(deflated);
const digits = (mask: { data: Uint8Array }): string => mask.data.join('');
const bytesOf = (name: string): Uint8Array => goldenBytes(cases.find((c) => c.name === name)!.file);
const binary = bytesOf('BINARY, absent slices');

describe('segmentations written by highdicom', () => {
  test.each(cases.map((c) => [c.name, c] as const))('%s', (_, { file, labels, segments, warnings }) => {
    const bytes = goldenBytes(file);
    const options = { like: grid, inflate };
    if (labels === null) expect(() => readDicomSeg(bytes, 'a.dcm', options)).toThrow(/segment \}/);
    else {
      const mask = readDicomSeg(bytes, 'a.dcm', options);
      expect(digits(mask)).toBe(labels);
      expect(mask.warnings).toHaveLength(warnings);
      expect(mask.origin).toBe(grid.origin); // exactly the image's
      const own = readDicomSeg(bytes, 'a.dcm', { inflate });
      expect(sameGrid(own, grid)).toBe(true); // first and last slice are not empty
      expect(digits(own)).toBe(labels);
    }
    for (const [segment, truth] of Object.entries(segments)) {
      expect(digits(readDicomSeg(bytes, 'a.dcm', { ...options, segment })), segment).toBe(truth);
      if (!/^\d+$/.test(segment)) continue;
      expect(digits(readDicomSeg(bytes, 'a.dcm', { ...options, segment: Number(segment) }))).toBe(truth);
    }
  });
  test('a segment it does not have', () => {
    for (const segment of [9, 'no', '']) {
      expect(codeOf(() => readDicomSeg(binary, 'a.dcm', { segment }))).toBe('EMPTY_MASK');
    }
  });
  test('overlap has a code of its own', () => {
    expect(codeOf(() => readDicomSeg(bytesOf('BINARY, overlapping'), 'a.dcm'))).toBe('OVERLAPPING_SEGMENTS');
  });
  test('compressed: UNSUPPORTED', () => {
    expect(codeOf(() => readDicomSeg(goldenBytes(compressed), 'a.dcm'))).toBe('UNSUPPORTED');
  });
  test('without preamble', () => {
    // the meta header's length lies at 140
    const start = 144 + new DataView(binary.buffer).getUint32(140, true);
    expect(digits(readDicomSeg(binary.subarray(start), 'a.dcm', { like: grid }))).toBe(cases[0]!.labels);
  });
});

describe('like', () => {
  const shifted = (mm: number, axis: number): Grid => ({
    ...grid,
    origin: grid.origin.map((v, at) => v + (at === axis ? mm : 0)) as unknown as Grid['origin'],
  });
  const read = (like: Grid): string | undefined => codeOf(() => readDicomSeg(binary, 'a.dcm', { like }));
  test.each([0, 1, 2])('2e-4 mm along axis %d is the same place, 0.01 mm is not', (axis) => {
    expect(read(shifted(2e-4, axis))).toBeUndefined();
    expect(read(shifted(-2e-4, axis))).toBeUndefined();
    expect(read(shifted(0.01, axis))).toBe('GRID_MISMATCH');
  });
  test('other sizes, spacings and directions are refused', () => {
    const [x, y, z] = grid.spacing;
    expect(read({ ...grid, spacing: [x * 1.01, y, z] })).toBe('GRID_MISMATCH');
    expect(read({ ...grid, size: [8, 7, 6] })).toBe('GRID_MISMATCH');
    expect(read({ ...grid, size: [9, 7, 5] })).toBe('GRID_MISMATCH');
    expect(read({ ...grid, direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] })).toBe('GRID_MISMATCH');
  });
  test('a longer image leaves its other slices empty', () => {
    const like: Grid = { ...grid, size: [9, 7, 9], origin: indexToPhysical(grid, [0, 0, -2]) };
    const empty = '0'.repeat(63);
    expect(digits(readDicomSeg(binary, 'a.dcm', { like }))).toBe(empty + empty + cases[0]!.labels + empty);
  });
  test.each(['LPS', 'RAS', 'PIR', 'SAL'])('an image whose axes run %s', (axes) => {
    const truth = readDicomSeg(binary, 'a.dcm', { like: grid });
    const like = reorient(truth, axes);
    expect(digits(readDicomSeg(binary, 'a.dcm', { like }))).toBe(digits(like));
  });
  test('positions rounded to 0.1 mm lie on the even grid, with a warning', () => {
    const { rounded } = maskGolden.segmentations;
    const bytes = goldenBytes(rounded.file);
    const mask = readDicomSeg(bytes, 'a.dcm', { like: rounded.grid });
    expect(digits(mask)).toBe(rounded.labels);
    expect(mask.warnings.join()).toMatch(/rounded frame positions/);
    expect(sameGrid(readDicomSeg(bytes, 'a.dcm'), rounded.grid)).toBe(true);
    const like = { ...rounded.grid, origin: [-40.5, 33.2, 0.9] as const };
    expect(codeOf(() => readDicomSeg(bytes, 'a.dcm', { like }))).toBe('GRID_MISMATCH');
  });
  test('another frame of reference', () => {
    const options = { like: grid, frameOfReferenceUid: '1.2.3' };
    expect(codeOf(() => readDicomSeg(binary, 'a.dcm', options))).toBe('GRID_MISMATCH');
    const { frameOfReferenceUid } = maskGolden.structures;
    const own = { like: grid, frameOfReferenceUid };
    expect(codeOf(() => readDicomSeg(binary, 'a.dcm', own))).toBeUndefined();
    // an image that knows its own needs no option; the mask then knows it too
    expect(read({ ...grid, frameOfReferenceUid: '1.2.3' } as Grid)).toBe('GRID_MISMATCH');
    expect(read({ ...grid, frameOfReferenceUid } as Grid)).toBeUndefined();
    const both = { like: { ...grid, frameOfReferenceUid: '1.2.3' }, frameOfReferenceUid };
    expect(codeOf(() => readDicomSeg(binary, 'a.dcm', both))).toBe('GRID_MISMATCH');
    expect(readDicomSeg(binary, 'a.dcm')).toMatchObject({ frameOfReferenceUid });
  });
});

describe('damaged and hostile', () => {
  test('cut anywhere', () => {
    for (const { file } of cases.slice(0, 5)) {
      const whole = goldenBytes(file);
      for (let length = 0; length < whole.length - 1; length += 13) {
        const code = codeOf(() => readDicomSeg(whole.subarray(0, length), 'a.dcm'));
        expect(['TRUNCATED', 'MALFORMED', 'UNSUPPORTED'], `${length}`).toContain(code);
      }
    }
  });
  test('changed bytes give a mask or a coded error', () => {
    let state = 3;
    const random = (below: number): number => {
      state = (state * 16807) % 2147483647;
      return state % below;
    };
    const codes = new Set<string | undefined>();
    for (let round = 0; round < 600; round++) {
      const bytes = goldenBytes(cases[round % 5]!.file);
      for (let change = 0; change <= random(4); change++)
        bytes[132 + random(bytes.length - 132)] = random(256);
      codes.add(codeOf(() => readDicomSeg(bytes, 'a.dcm')));
    }
    expect(codes.size).toBeGreaterThan(3);
  });
  test('sequences nested 200 000 deep', () => {
    const start = performance.now();
    expect(codeOf(() => readDicomSeg(nestedSequences(200_000), 'a.dcm'))).toMatch(/MALFORMED|TRUNCATED/);
    expect(performance.now() - start).toBeLessThan(3000);
  });
  test('a number of frames that is not there', () => {
    // NumberOfFrames (0028,0008) IS, 2 bytes long
    const from = '\x28\x00\x08\x00IS\x02\x00';
    const many = patched(binary, `${from}4 `, `${from}99`);
    expect(many).not.toEqual(binary);
    expect(codeOf(() => readDicomSeg(many, 'a.dcm'))).toBe('MALFORMED');
  });
});
