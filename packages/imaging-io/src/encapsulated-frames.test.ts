import { expect, test } from 'vitest';
import { encapsulatedFrames } from './encapsulated-frames.js';

/** Items: the offset table, then fragments, then the delimiter. */
function encapsulated(table: number[], fragments: number[][], ended = true): Uint8Array {
  const item = (element: number, bytes: Uint8Array): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(element * 65_536 + 0xfffe, 0);
    head.writeUInt32LE(bytes.length, 4);
    return Buffer.concat([head, bytes]);
  };
  return new Uint8Array(
    Buffer.concat([
      item(0xe000, new Uint8Array(Uint32Array.from(table).buffer)),
      ...fragments.map((bytes) => item(0xe000, Uint8Array.from(bytes))),
      ...(ended ? [item(0xe0dd, new Uint8Array(0))] : []),
    ]),
  );
}
const frames = (count: number, ...input: Parameters<typeof encapsulated>): number[][] =>
  encapsulatedFrames(encapsulated(...input), 0, count, 'a.dcm').map((frame) => [...frame]);
const jpeg = (value: number): number[] => [0xff, 0xd8, 0xff, value];

test('all fragments are the only frame', () => {
  expect(
    frames(
      1,
      [],
      [
        [1, 2],
        [3, 4],
      ],
    ),
  ).toEqual([[1, 2, 3, 4]]);
  expect(frames(1, [0], [[1, 2]])).toEqual([[1, 2]]);
});
test('as many fragments as frames', () => {
  expect(
    frames(
      2,
      [],
      [
        [1, 2],
        [3, 4],
      ],
    ),
  ).toEqual([
    [1, 2],
    [3, 4],
  ]);
});
test('fragments as the offset table says', () => {
  expect(
    frames(
      2,
      [0, 20],
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ),
  ).toEqual([
    [1, 2, 3, 4],
    [5, 6],
  ]);
  expect(
    frames(
      2,
      [0, 10],
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ),
  ).toEqual([
    [1, 2],
    [3, 4, 5, 6],
  ]);
});
test('without a table, each image starts a frame', () => {
  expect(frames(2, [], [jpeg(1), [2, 2], jpeg(3)])).toEqual([[...jpeg(1), 2, 2], jpeg(3)]);
});
test.each([
  ['no delimiter', 'TRUNCATED', 1, [], [[1, 2]], false],
  [
    'fewer fragments than frames',
    'MALFORMED',
    3,
    [],
    [
      [1, 2],
      [3, 4],
    ],
    true,
  ],
  ['no fragment', 'MALFORMED', 1, [], [], true],
  [
    'a table that points between fragments',
    'MALFORMED',
    2,
    [0, 12],
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    true,
  ],
  [
    'a table that runs backwards',
    'MALFORMED',
    2,
    [20, 0],
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    true,
  ],
  [
    'frames that nothing tells apart',
    'MALFORMED',
    2,
    [],
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    true,
  ],
] as const)('%s: %s', (_, code, count, table, fragments, ended) => {
  expect(() =>
    frames(
      count,
      [...table],
      fragments.map((f) => [...f]),
      ended,
    ),
  ).toThrowError(expect.objectContaining({ code, message: expect.stringContaining('a.dcm') }));
});
test('cut anywhere: refused', () => {
  const whole = encapsulated(
    [0, 20],
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  );
  for (let length = 0; length < whole.length; length++) {
    expect(() => encapsulatedFrames(whole.subarray(0, length), 0, 2, 'a.dcm'), String(length)).toThrowError(
      expect.objectContaining({ code: 'TRUNCATED' }),
    );
  }
});
