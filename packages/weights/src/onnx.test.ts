import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import goldens from './__fixtures__/goldens.json' with { type: 'json' };
import { toFloat32 } from './float32.js';
import { readOnnxInitialisers, readOnnxNodes } from './onnx.js';
import { WeightsError } from './weights-error.js';

const model = readFileSync(new URL('./__fixtures__/initialisers.onnx', import.meta.url));

/** A length-delimited protobuf field. */
const field = (number: number, ...content: (number | Uint8Array)[]) => {
  const bytes = content.flatMap((part) => (typeof part === 'number' ? [part] : [...part]));
  return Uint8Array.of((number << 3) | 2, bytes.length, ...bytes);
};
const varint = (number: number, ...value: number[]) => Uint8Array.of(number << 3, ...value);
const text = (number: number, value: string) => field(number, new TextEncoder().encode(value));
/** A model whose one initialiser has these parts. */
const withTensor = (...parts: Uint8Array[]) => field(7, field(5, ...parts));

function codeOf(bytes: Uint8Array): string | undefined {
  try {
    readOnnxInitialisers(bytes);
  } catch (error) {
    if (WeightsError.isInstance(error)) return error.code;
    throw error;
  }
  return undefined;
}

test('reads every way in which the onnx library stores numbers', () => {
  const tensors = readOnnxInitialisers(model);
  expect([...tensors.keys()]).toEqual(Object.keys(goldens.initialisers));
  for (const [name, values] of Object.entries(goldens.initialisers)) {
    expect(Array.from(toFloat32(tensors.get(name)!)), name).toEqual(values.map(Math.fround));
  }
  expect(tensors.get('raw float')).toMatchObject({ dtype: 'F32', shape: [2, 2] });
  expect(tensors.get('half in int32_data')).toMatchObject({ dtype: 'F16', shape: [3] });
  expect(tensors.get('empty')!.shape).toEqual([0, 3]);
});

test('reads nodes with their names, inputs and outputs', () => {
  expect(readOnnxNodes(model)).toEqual([{ name: 'act', opType: 'Relu', inputs: ['x'], outputs: ['y'] }]);
});

test('every cut of a good file is refused or gives fewer tensors, never wrong ones', () => {
  const whole = readOnnxInitialisers(model);
  for (let length = 0; length < model.length; length++) {
    try {
      const part = readOnnxInitialisers(model.subarray(0, length));
      for (const [name, tensor] of part) expect(tensor).toEqual(whole.get(name));
    } catch (error) {
      if (!WeightsError.isInstance(error)) throw error;
    }
  }
});

const oneFloat = [varint(1, 1), varint(2, 1), field(9, 0, 0, 128, 63)]; // dims [1], FLOAT, raw 1.0

test('the hand-made tensor that the refusals start from is good', () => {
  expect(readOnnxInitialisers(withTensor(text(8, 'a'), ...oneFloat)).get('a')!.data).toEqual(
    Float32Array.of(1),
  );
});

test.each([
  ['no graph', varint(1, 8), 'MALFORMED'],
  ['an empty file', new Uint8Array(0), 'MALFORMED'],
  ['a length beyond the file', Uint8Array.of(0x3a, 100, 1), 'TRUNCATED'],
  ['a length of 2^63', Uint8Array.of(0x3a, 255, 255, 255, 255, 255, 255, 255, 255, 127), 'TRUNCATED'],
  ['an endless varint', Uint8Array.of(0x3a, ...Array(11).fill(255)), 'MALFORMED'],
  ['a wire type that does not exist', Uint8Array.of(0x3f, 0), 'MALFORMED'],
  ['two graphs', Uint8Array.of(...withTensor(text(8, 'a'), ...oneFloat), ...field(7)), 'MALFORMED'],
  [
    'two tensors of one name',
    field(7, field(5, text(8, 'a'), ...oneFloat), field(5, text(8, 'a'), ...oneFloat)),
    'DUPLICATE_KEY',
  ],
  [
    'raw data that is too short',
    withTensor(varint(1, 2), varint(2, 1), field(9, 0, 0, 128, 63)),
    'TRUNCATED',
  ],
  [
    'raw data that is too long',
    withTensor(varint(1, 1), varint(2, 1), field(9, 0, 0, 128, 63, 0)),
    'MALFORMED',
  ],
  [
    'a huge shape with no data',
    withTensor(varint(1, 128, 128, 128, 128, 16), varint(1, 128, 128, 128, 128, 16), varint(2, 1)),
    'TOO_LARGE',
  ],
  ['a negative dimension', withTensor(varint(1, ...Array(9).fill(255), 1), varint(2, 1)), 'MALFORMED'],
  [
    '17 dimensions',
    withTensor(field(1, ...Array(17).fill(1)), varint(2, 1), field(9, 0, 0, 128, 63)),
    'TOO_LARGE',
  ],
  ['strings', withTensor(varint(1, 1), varint(2, 8)), 'UNSUPPORTED'],
  ['external data', withTensor(varint(1, 1), varint(2, 1), varint(14, 1)), 'UNSUPPORTED'],
])('refuses %s', (_, bytes, code) => {
  expect(codeOf(bytes)).toBe(code);
});
