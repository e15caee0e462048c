import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import goldens from './__fixtures__/goldens.json' with { type: 'json' };
import { fromFloat32, toFloat32 } from './float32.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';
import type { WeightTensor } from './weight-tensor.js';
import { WeightsError } from './weights-error.js';

const reference = readFileSync(new URL('./__fixtures__/every-dtype.safetensors', import.meta.url));

/** A file with this header text and so many data bytes. */
function file(header: string | object, dataBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

function codeOf(read: () => unknown): string | undefined {
  try {
    read();
  } catch (error) {
    if (WeightsError.isInstance(error)) return error.code;
    throw error;
  }
  return undefined;
}

const tensor = (begin: number, end: number) => ({
  dtype: 'F32',
  shape: [(end - begin) / 4],
  data_offsets: [begin, end],
});

test('reads every dtype as the reference library wrote it', () => {
  const { tensors, metadata } = readSafetensors(reference);
  expect(metadata).toEqual({ format: 'pt' });
  expect([...tensors.keys()].sort()).toEqual(Object.keys(goldens.safetensors).sort());
  for (const [name, values] of Object.entries(goldens.safetensors)) {
    const found = tensors.get(name)!;
    expect(`layer.${found.dtype}`).toBe(name.startsWith('layer.') ? name : 'layer.F32');
    expect(Array.from(toFloat32(found)), name).toEqual(values.map(Math.fround));
  }
  expect(tensors.get('layer.I64')!.data).toEqual(BigInt64Array.of(-(2n ** 63n), 1n, 2n ** 63n - 1n));
  expect(tensors.get('empty')!.shape).toEqual([0, 4]);
  expect(tensors.get('scalar')!.shape).toEqual([]);
});

test('writes the same bytes as the reference library, whatever the order of the map', () => {
  const { tensors, metadata } = readSafetensors(reference);
  expect(writeSafetensors(tensors, metadata)).toEqual(new Uint8Array(reference));
  expect(writeSafetensors(new Map([...tensors].reverse()), metadata)).toEqual(new Uint8Array(reference));
  const one = fromFloat32(Float32Array.of(1), [1]);
  expect(writeSafetensors(new Map([['a', one]]), { b: '2', a: '1' })).toEqual(
    writeSafetensors(new Map([['a', one]]), { a: '1', b: '2' }),
  );
});

test('names that look like numbers, quotes and prototypes survive', () => {
  const values = (value: number) => fromFloat32(Float32Array.of(value), [1]);
  const tensors = new Map<string, WeightTensor>([
    ['9', values(9)],
    ['10', values(10)],
    ['a"\\b', values(3)],
    ['__proto__', values(4)],
  ]);
  const read = readSafetensors(writeSafetensors(tensors)).tensors;
  expect([...read.entries()].sort()).toEqual([...tensors.entries()].sort());
});

test('reads where the data is not aligned in memory, as a copy; where it is, as a view', () => {
  const bytes = writeSafetensors(new Map([['a', fromFloat32(Float32Array.of(1, 2), [2])]]));
  expect(readSafetensors(bytes).tensors.get('a')!.data.buffer).toBe(bytes.buffer);
  const shifted = Buffer.alloc(bytes.length + 1); // a Buffer, whose slice() is a view
  shifted.set(bytes, 1);
  expect(readSafetensors(shifted.subarray(1)).tensors.get('a')!.data).toEqual(Float32Array.of(1, 2));
});

test.each([
  ['nothing', new Uint8Array(0), 'TRUNCATED'],
  ['seven bytes', new Uint8Array(7), 'TRUNCATED'],
  ['a header longer than the file', file('{}').subarray(0, 9), 'TRUNCATED'],
  ['a header of 2^63 bytes', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80), 'TOO_LARGE'],
  ['no JSON', file('{"a":'), 'MALFORMED'],
  ['a JSON list', file('[]'), 'MALFORMED'],
  ['a byte order mark', file('\ufeff{}'), 'MALFORMED'],
  ['a tensor that is a number', file({ a: 1 }), 'MALFORMED'],
  ['no shape', file({ a: { dtype: 'F32', data_offsets: [0, 4] } }, 4), 'MALFORMED'],
  ['a negative size', file({ a: { dtype: 'F32', shape: [-1, -1], data_offsets: [0, 4] } }, 4), 'MALFORMED'],
  ['a fractional size', file({ a: { dtype: 'F32', shape: [0.5, 2], data_offsets: [0, 4] } }, 4), 'MALFORMED'],
  [
    'an overflowing shape',
    file({ a: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 4] } }, 4),
    'TOO_LARGE',
  ],
  [
    '17 dimensions',
    file({ a: { dtype: 'F32', shape: Array(17).fill(1), data_offsets: [0, 4] } }, 4),
    'TOO_LARGE',
  ],
  ['three offsets', file({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 4] } }, 4), 'MALFORMED'],
  [
    'offsets the wrong way round',
    file({ a: { dtype: 'F32', shape: [1], data_offsets: [4, 0] } }, 4),
    'MALFORMED',
  ],
  ['a range beyond the file', file({ a: tensor(0, 8) }, 4), 'TRUNCATED'],
  ['a range that does not fit the shape', file({ a: { ...tensor(0, 8), shape: [1] } }, 8), 'MALFORMED'],
  ['an unknown dtype', file({ a: { dtype: 'F8_E4M3', shape: [4], data_offsets: [0, 4] } }, 4), 'UNSUPPORTED'],
  [
    'a dtype from the prototype',
    file({ a: { dtype: 'toString', shape: [4], data_offsets: [0, 4] } }, 4),
    'UNSUPPORTED',
  ],
  [
    'a dtype of 100,000 nested lists',
    file(`{"a":{"dtype":${'['.repeat(1e5)}${']'.repeat(1e5)},"shape":[1],"data_offsets":[0,4]}}`, 4),
    'UNSUPPORTED',
  ],
  ['overlapping ranges', file({ a: tensor(0, 8), b: tensor(4, 12) }, 12), 'MALFORMED'],
  ['the same range twice', file({ a: tensor(0, 8), b: tensor(0, 8) }, 8), 'MALFORMED'],
  ['a gap', file({ a: tensor(0, 4), b: tensor(8, 12) }, 12), 'MALFORMED'],
  ['bytes after the last tensor', file({ a: tensor(0, 4) }, 5), 'MALFORMED'],
  [
    'a repeated tensor',
    file(`{"a":${JSON.stringify(tensor(0, 4))},"a":${JSON.stringify(tensor(0, 4))}}`, 4),
    'DUPLICATE_KEY',
  ],
  [
    'a repeated tensor, escaped',
    file(`{"a":${JSON.stringify(tensor(0, 4))},"\\u0061":${JSON.stringify(tensor(0, 4))}}`, 4),
    'DUPLICATE_KEY',
  ],
  [
    'a repeated field',
    file('{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}', 4),
    'DUPLICATE_KEY',
  ],
  ['metadata that is not text', file({ __metadata__: { a: 1 } }), 'MALFORMED'],
])('refuses %s', (_, bytes, code) => {
  expect(codeOf(() => readSafetensors(bytes))).toBe(code);
});

test('equal strings elsewhere are no repeated keys', () => {
  const header =
    '{"__metadata__":{"a":"{\\"a\\":1","b":"a"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
  expect(readSafetensors(file(header, 4)).metadata).toEqual({ a: '{"a":1', b: 'a' });
});

test('every cut of a good file is refused', () => {
  for (let length = 0; length < reference.length; length++) {
    expect(
      codeOf(() => readSafetensors(reference.subarray(0, length))),
      `${length} bytes`,
    ).toBeDefined();
  }
});

test('refuses to write what could not be read', () => {
  const wrong: WeightTensor = { dtype: 'F32', shape: [3], data: Float32Array.of(1, 2) };
  expect(codeOf(() => writeSafetensors(new Map([['a', wrong]])))).toBe('SHAPE_MISMATCH');
  expect(codeOf(() => writeSafetensors(new Map([['__metadata__', { ...wrong, shape: [2] }]])))).toBe(
    'MALFORMED',
  );
});
