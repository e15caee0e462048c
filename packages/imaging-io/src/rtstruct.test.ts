import { createHash } from 'node:crypto';
import { type Grid, reorient } from '@onco-response/volume';
import { describe, expect, test } from 'vitest';
import { codeOf, goldenBytes, maskGolden, nestedSequences } from './node/test-dicom-masks.js';
import { readRtstruct } from './rtstruct.js';

const { grid, file, single, rois, square, frameOfReferenceUid } = maskGolden.structures;
const bytes = goldenBytes(file);
const [columns, rows] = grid.size;
const plane = (mask: { data: Uint8Array }, slice: number): Uint8Array =>
  mask.data.subarray(slice * columns * rows, (slice + 1) * columns * rows);
const count = (data: Uint8Array): number => data.reduce((sum, v) => sum + v, 0);
const read = (segment: string | number, like: Grid = grid) =>
  readRtstruct(bytes, 'RS.dcm', { like, segment });

describe('shapes on an oblique image', () => {
  // 1 % of the area of shapes of 20 to 40 voxels across, drawn as polygons; the voxels equal the even-odd rule's
  test.each(rois.map((roi, at) => [roi.name, roi, at + 1] as const))(
    '%s',
    (name, { area, ...truth }, number) => {
      const mask = read(name);
      expect(read(number).data).toEqual(mask.data);
      for (const slice of [1, 2]) {
        expect(createHash('sha256').update(plane(mask, slice)).digest('hex')).toBe(truth.plane);
      }
      expect(count(mask.data)).toBe(2 * truth.voxels);
      expect(Math.abs((truth.voxels * grid.spacing[0] * grid.spacing[1]) / area - 1)).toBeLessThan(0.01);
      expect(mask.warnings).toEqual([]);
      expect(mask.direction).toBe(grid.direction);
    },
  );
  test.each(['LPS', 'RAS', 'PIR', 'SAL'])('an image whose axes run %s', (axes) => {
    const like = reorient(read('disc'), axes);
    expect(Math.abs(count(read('disc', like).data) - count(like.data))).toBeLessThanOrEqual(2); // ties on edges
    expect(count(read('disc', like).data.map((v, at) => v ^ like.data[at]!))).toBeLessThanOrEqual(4);
  });
});

describe('what is drawn otherwise', () => {
  test('points are ignored', () => {
    expect(count(read('disc and point').data)).toBe(rois[0]!.voxels);
    expect(codeOf(() => read('point'))).toBe('EMPTY_MASK');
  });
  test('open contours are left out', () => expect(codeOf(() => read('open'))).toBe('EMPTY_MASK'));
  test('contours across slices are refused', () => {
    expect(codeOf(() => read('crooked'))).toBe('GRID_MISMATCH');
  });
  test('contours in planes along the other axis are filled there', () => {
    const { data } = read('upright');
    const [x, y, z] = [Math.round(20 / 0.9), 22, 1];
    expect(data[x + columns * (y + rows * z)]).toBe(1);
    expect([...data.keys()].every((at) => data[at] === 0 || at % columns === x)).toBe(true);
  });
  test('contours closer than the slices count once, the nearest', () => {
    const mask = read('finer than the slices');
    expect([0, 1, 2, 3].map((slice) => count(plane(mask, slice)))).toEqual([0, square, 0, 0]);
  });
  test('slices between contours stay empty and are told', () => {
    const mask = read('with a gap');
    expect([0, 1, 2, 3].map((slice) => count(plane(mask, slice)))).toEqual([square, 0, 0, square]);
    expect(mask.warnings.join()).toMatch(/2 slice\(s\) between/);
  });
  test('a shorter image cuts the region off and says so', () => {
    const mask = read('disc', { ...grid, size: [columns, rows, 2] });
    expect(count(mask.data)).toBe(rois[0]!.voxels);
    expect(mask.warnings.join()).toMatch(/1 contour\(s\) outside/);
  });
  test('all outside', () => expect(codeOf(() => read('outside'))).toBe('GRID_MISMATCH'));
});

describe('choice', () => {
  test('the only region needs no name', () => {
    const mask = readRtstruct(goldenBytes(single), 'RS.dcm', { like: grid });
    expect(mask.data).toEqual(read('disc').data);
  });
  test('one of several has to be named', () => {
    expect(codeOf(() => readRtstruct(bytes, 'RS.dcm', { like: grid }))).toBe('INVALID_MASK');
    expect(codeOf(() => read('twice'))).toBe('INVALID_MASK');
    expect(codeOf(() => read('lung'))).toBe('EMPTY_MASK');
    expect(codeOf(() => read(99))).toBe('EMPTY_MASK');
  });
  test('like is needed', () => {
    expect(codeOf(() => readRtstruct(bytes, 'RS.dcm', { segment: 1 }))).toBe('UNSUPPORTED');
  });
  test('another frame of reference', () => {
    const options = { like: grid, segment: 1 };
    expect(codeOf(() => readRtstruct(bytes, 'RS.dcm', { ...options, frameOfReferenceUid: '1.2.3' }))).toBe(
      'GRID_MISMATCH',
    );
    expect(codeOf(() => readRtstruct(bytes, 'RS.dcm', { ...options, frameOfReferenceUid }))).toBeUndefined();
    // an image that knows its own needs no option
    const like = (uid: string): Grid => ({ ...grid, frameOfReferenceUid: uid }) as Grid;
    expect(codeOf(() => read(1, like('1.2.3')))).toBe('GRID_MISMATCH');
    expect(read(1, like(frameOfReferenceUid))).toMatchObject({ frameOfReferenceUid });
  });
});

describe('damaged and hostile', () => {
  const one = goldenBytes(single);
  test('cut anywhere', () => {
    for (let length = 0; length < one.length - 1; length += 29) {
      const code = codeOf(() => readRtstruct(one.subarray(0, length), 'RS.dcm', { like: grid }));
      expect(['TRUNCATED', 'MALFORMED'], `${length}`).toContain(code);
    }
  });
  test('changed bytes give a mask or a coded error', () => {
    let state = 3;
    const random = (below: number): number => {
      state = (state * 16807) % 2147483647;
      return state % below;
    };
    const codes = new Set<string | undefined>();
    for (let round = 0; round < 300; round++) {
      const changed = goldenBytes(single);
      for (let change = 0; change <= random(4); change++) {
        changed[132 + random(changed.length - 132)] = random(256);
      }
      codes.add(codeOf(() => readRtstruct(changed, 'RS.dcm', { like: grid })));
    }
    expect(codes.size).toBeGreaterThan(2);
  });
  test('sequences nested 200 000 deep', () => {
    const nested = nestedSequences(200_000);
    expect(codeOf(() => readRtstruct(nested, 'RS.dcm', { like: grid }))).toMatch(/MALFORMED|TRUNCATED/);
  });
});
