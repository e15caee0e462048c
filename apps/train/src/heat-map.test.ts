import { expect, test } from 'vitest';
import { cosineSimilarity, nearestCases } from './explain-neighbours.js';
import { heatMap, sheet, smoothed } from './heat-map.js';

const size = 4;
const grey = new Uint8Array(16).fill(100);
const lesion = new Uint8Array(16);
lesion[5] = 1;

test('where a map is 0 the slice stays grey, where it is largest it is yellow, the edge of the lesion blue', () => {
  const map = new Float32Array(16);
  map.fill(1, 14); // the two last pixels
  const { data } = heatMap(grey, lesion, size, map);
  const pixel = (at: number) => Array.from(data.subarray(3 * at, 3 * at + 3));
  expect(pixel(0)).toEqual([100, 100, 100]);
  expect(pixel(15)).toEqual([222, 224, 151]); // 0.2 of grey 100, 0.8 of [252, 255, 164]
  expect(pixel(5)).toEqual([86, 180, 233]);
  expect(heatMap(grey, lesion, size).data.subarray(0, 3)).toEqual(Uint8Array.of(100, 100, 100));
});

test('a smoothed map keeps its sum away from the edge', () => {
  const map = new Float32Array(49);
  map[24] = 9;
  const smooth = smoothed(map, 7, 1);
  expect(smooth[24]).toBeCloseTo(1, 6);
  expect(smooth[16]).toBeCloseTo(1, 6); // the corner of the 3 x 3 square
  expect(smooth[26]).toBe(0);
  expect(smooth.reduce((sum, value) => sum + value, 0)).toBeCloseTo(9, 5);
});

test('a sheet has its pictures side by side', () => {
  const picture = heatMap(grey, lesion, size);
  const { width, height, data } = sheet([[picture, picture], [picture]], 2);
  expect([width, height]).toEqual([2 * 12 + 4, 2 * 12 + 4]);
  expect(data[3 * (5 * width + 5)]).toBe(100);
  expect(data[0]).toBe(255);
});

test('nearest cases by the angle between embeddings', () => {
  const placed = [
    { caseId: 'a', label: 0 as const, embedding: Float32Array.of(1, 0) },
    { caseId: 'b', label: 1 as const, embedding: Float32Array.of(3, 3) },
    { caseId: 'c', label: 1 as const, embedding: Float32Array.of(-1, 0) },
  ];
  const nearest = nearestCases(Float32Array.of(2, 1), placed, 2);
  expect(nearest.map(({ caseLabel }) => caseLabel)).toEqual(['b', 'a']);
  expect(nearest[0]!.similarity).toBeCloseTo(3 / Math.sqrt(10), 6);
  expect(cosineSimilarity(Float32Array.of(0, 0), Float32Array.of(1, 1))).toBe(0);
});
