import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import golden from './__fixtures__/half-floats.json' with { type: 'json' };
import { fromFloat32, toFloat32 } from './float32.js';
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './half-floats.js';

const singles = new Float32Array(Uint32Array.from(golden.float32).buffer);
const every = Uint16Array.from({ length: 65536 }, (_, half) => half);

test('float32 is rounded to float16 and bfloat16 as torch rounds it, ties and subnormals included', () => {
  expect(singles.length).toBeGreaterThan(2000);
  expect(Array.from(float32ToFloat16(singles))).toEqual(golden.float16);
  expect(Array.from(float32ToBfloat16(singles))).toEqual(golden.bfloat16);
});

test('all 65536 halves widen as in numpy', () => {
  const widened = float16ToFloat32(every);
  const words = Array.from(new Uint32Array(widened.buffer), (word, index) =>
    Number.isNaN(widened[index]) ? 0x7fc00000 : word,
  );
  const bytes = new Uint8Array(Uint32Array.from(words).buffer);
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(golden.all_halves_sha256);
});

test('every finite 16-bit value survives the way to float32 and back', () => {
  const there = [float16ToFloat32(every), bfloat16ToFloat32(every)] as const;
  const back = [float32ToFloat16(there[0]), float32ToBfloat16(there[1])] as const;
  for (const which of [0, 1] as const) {
    const changed = every.filter((half) => !Number.isNaN(there[which][half]!) && back[which][half] !== half);
    expect(Array.from(changed)).toEqual([]);
  }
});

test('NaN stays NaN', () => {
  expect(float16ToFloat32(float32ToFloat16(Float32Array.of(Number.NaN)))).toEqual(
    Float32Array.of(Number.NaN),
  );
  expect(bfloat16ToFloat32(float32ToBfloat16(Float32Array.of(Number.NaN)))).toEqual(
    Float32Array.of(Number.NaN),
  );
});

test('fromFloat32 and toFloat32', () => {
  const values = Float32Array.of(1, -0.1, 70_000);
  expect(toFloat32(fromFloat32(values, [3]))).toBe(values);
  expect(toFloat32(fromFloat32(values, [3], 'F16'))[2]).toBe(Number.POSITIVE_INFINITY);
  expect(fromFloat32(values, [1, 3], 'BF16')).toMatchObject({ dtype: 'BF16', shape: [1, 3] });
  expect(toFloat32({ dtype: 'I64', shape: [1], data: BigInt64Array.of(-3n) })).toEqual(Float32Array.of(-3));
  expect(() => fromFloat32(values, [2])).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }));
});

test('every bfloat16 is the upper half of its float32, NaN and infinities included', () => {
  const words = new Uint32Array(bfloat16ToFloat32(every).buffer);
  expect(words.every((word, brain) => word === brain * 65536)).toBe(true);
});

test('no NaN becomes an infinity or a number, wherever its bits are', () => {
  const patterns = Uint32Array.of(
    0x7f800001,
    0xff800001,
    0x7f801fff,
    0x7fffffff,
    0xffffffff,
    0x7fc00000,
    0xffbfffff,
  );
  const nans = new Float32Array(patterns.buffer);
  expect([...float16ToFloat32(float32ToFloat16(nans))]).toEqual(Array(7).fill(Number.NaN));
  expect([...bfloat16ToFloat32(float32ToBfloat16(nans))]).toEqual(Array(7).fill(Number.NaN));
  const signs = (halves: Uint16Array) => [...halves].map((half) => half >> 15);
  expect(signs(float32ToFloat16(nans))).toEqual([0, 1, 0, 0, 1, 0, 1]);
  expect(signs(float32ToBfloat16(nans))).toEqual([0, 1, 0, 0, 1, 0, 1]);
});
