import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { codeOf, fromBase64, opcodes, packed, zipOf } from './test-files.js';
import { openTorchCheckpoint, readTorchCheckpoint } from './torch-checkpoint.js';

/** Made by tooling/reference/weights_torch_goldens.py. */
const golden = JSON.parse(
  readFileSync(new URL('./__fixtures__/torch-checkpoints.json', import.meta.url), 'utf8'),
) as {
  honest: Record<string, { file: string }>;
  hostile: Record<string, string>;
  archives: Record<string, [string, string]>;
  unreadable: Record<string, string>;
};

test.each(Object.entries(golden.hostile))('%s is refused by name and not called', async (name, text) => {
  const bytes = fromBase64(text);
  // a pickled module begins, in a legacy file, with a persistent id for its source
  const code = name === 'a module, legacy' ? /^UNSUPPORTED$|^UNSAFE_PICKLE$/ : /^UNSAFE_PICKLE$/;
  expect(await codeOf(() => readTorchCheckpoint(bytes))).toMatch(code);
  const source = {
    size: bytes.length,
    read: async (at: number, length: number) => bytes.slice(at, at + length),
  };
  expect(await codeOf(() => openTorchCheckpoint(source))).toMatch(code);
});

test.each([
  ['os.system', /"(posix|nt)\.system"/],
  ['os.system, legacy', /"(posix|nt)\.system"/],
  ['a bare pickle of protocol 0', /"(posix|nt)\.system"/],
  ['a bare pickle of protocol 4', /"(posix|nt)\.system"/],
  ['builtins.eval', /"__builtin__\.eval"/],
  ['a class', /"argparse\.Namespace"/],
])('%s: the message says what was asked for', (name, message) => {
  expect(() => readTorchCheckpoint(fromBase64(golden.hostile[name]!))).toThrow(message);
});

test.each(Object.entries(golden.archives))('zip: %s', async (_, [text, code]) => {
  expect(await codeOf(() => readTorchCheckpoint(fromBase64(text)))).toBe(code);
});

test.each(Object.entries(golden.unreadable))('%s: UNSUPPORTED', async (_, text) => {
  expect(await codeOf(() => readTorchCheckpoint(fromBase64(text)))).toBe('UNSUPPORTED');
});

const PROTO = opcodes(0x80, 2);
const global = (module: string, name: string) => opcodes('c', module, '\n', name, '\n');
const string = (text: string) => opcodes('X', packed([4, text.length]), text);
const long = (value: number) => opcodes(0x8a, 8, packed([8, value]));
const minus = (value: number) => opcodes('J', packed([4, 2 ** 32 - value]));
const storage = (count: number, key = '0', type = 'FloatStorage') =>
  opcodes('(', string('storage'), global('torch', type), string(key), string('cpu'), long(count), 'tQ');
const tuple = (...items: Uint8Array[]) => opcodes('(', ...items, 't');
const tensor = (id: Uint8Array, offset: Uint8Array, shape: Uint8Array, strides: Uint8Array) =>
  opcodes(global('torch._utils', '_rebuild_tensor_v2'), '(', id, offset, shape, strides, 0x89, '}tR');
/** A checkpoint with this pickle and one storage of 4 floats. */
const checkpoint = (...parts: (string | number | Uint8Array)[]) =>
  zipOf({ 'a/data.pkl': opcodes(PROTO, ...parts), 'a/data/0': new Uint8Array(16) });
const repeated = (part: Uint8Array, times: number) =>
  new Uint8Array(Buffer.concat(Array<Uint8Array>(times).fill(part)));
const zero = opcodes('K', 0);
const one = opcodes('K', 1);
const four = opcodes('K', 4);

test('the hand-made checkpoints that the refusals start from are good', () => {
  const pickle = opcodes(PROTO, tensor(storage(4), zero, tuple(four), tuple(one)), '.');
  for (const zip64 of [false, true]) {
    const bytes = zipOf({ 'a/data.pkl': pickle, 'a/data/0': new Uint8Array(16) }, zip64);
    expect(readTorchCheckpoint(bytes).tensors.get('')!.data).toEqual(new Float32Array(4));
  }
});

test('what Python 2 wrote: byte strings as text, an OrderedDict made from pairs', () => {
  const pairs = opcodes(']]U', 3, 'abcaK', 1, 'aa');
  const bytes = checkpoint(global('collections', 'OrderedDict'), pairs, 0x85, 'R.');
  expect(readTorchCheckpoint(bytes).value).toEqual(new Map([['abc', 1]]));
});

test('a tensor with Python attributes is its tensor; a subclass is refused', async () => {
  const given = tuple(storage(4), zero, tuple(four), tuple(one), opcodes(0x89), opcodes('}'));
  const rebuilt = (type: Uint8Array) =>
    checkpoint(
      global('torch._tensor', '_rebuild_from_type_v2'),
      tuple(global('torch._utils', '_rebuild_tensor_v2'), type, given, opcodes('}')),
      'R.',
    );
  expect(readTorchCheckpoint(rebuilt(global('torch', 'Tensor'))).tensors.get('')!.shape).toEqual([4]);
  expect(await codeOf(() => readTorchCheckpoint(rebuilt(global('torch', 'Size'))))).toBe('UNSUPPORTED');
  expect(await codeOf(() => readTorchCheckpoint(rebuilt(global('monai.data', 'MetaTensor'))))).toBe(
    'UNSAFE_PICKLE',
  );
});

test.each<[string, Uint8Array, string]>([
  ['a call of something that is no class', checkpoint('])R.'), 'UNSAFE_PICKLE'],
  [
    'a call of a class that may only be named',
    checkpoint(global('torch', 'FloatStorage'), ')R.'),
    'UNSAFE_PICKLE',
  ],
  [
    'a call of the result of a call',
    checkpoint(global('collections', 'OrderedDict'), ')R)R.'),
    'UNSAFE_PICKLE',
  ],
  ['a name through the prototype', checkpoint(global('constructor', 'constructor'), '.'), 'UNSAFE_PICKLE'],
  [
    'a dotted path from a harmless module',
    checkpoint(global('torch._utils', '_rebuild_tensor_v2.__globals__'), '.'),
    'UNSAFE_PICKLE',
  ],
  ['attributes on a class', checkpoint(global('torch', 'Tensor'), '}b.'), 'UNSAFE_PICKLE'],
  ['attributes on a list', checkpoint(']}b.'), 'UNSAFE_PICKLE'],
  ['an import whose name is a number', checkpoint('K', 1, 'K', 1, 0x93, '.'), 'UNSAFE_PICKLE'],
  ['INST', checkpoint('(ios\nsystem\n.'), 'UNSAFE_PICKLE'],
  ['OBJ', checkpoint('(', global('collections', 'OrderedDict'), 'o.'), 'UNSAFE_PICKLE'],
  ['an extension code', checkpoint(0x82, 1, '.'), 'UNSAFE_PICKLE'],
  ['an out-of-band buffer', checkpoint(0x97, '.'), 'UNSUPPORTED'],
  ['DUP', checkpoint(']2.'), 'UNSUPPORTED'],
  ['a protocol of the future', checkpoint(0x80, 6, 'N.'), 'UNSUPPORTED'],
  [
    'doubling by tuples of a memorised tuple',
    checkpoint(')', repeated(opcodes('q', 0, 'h', 0, 0x86), 60), '.'),
    'TOO_LARGE',
  ],
  [
    'doubling by dicts',
    checkpoint(
      '}q',
      0,
      '0',
      repeated(opcodes('}K', 1, 'h', 0, 's', 'K', 2, 'h', 0, 's', 'q', 0, '0'), 60),
      'h',
      0,
      '.',
    ),
    'TOO_LARGE',
  ],
  [
    'tensors by doubling',
    checkpoint(
      tensor(storage(4), zero, tuple(four), tuple(one)),
      repeated(opcodes('q', 0, 'h', 0, 0x86), 20),
      '.',
    ),
    'TOO_LARGE',
  ],
  [
    '100,000 nested lists',
    checkpoint(repeated(opcodes(']'), 1e5), repeated(opcodes('a'), 1e5 - 1), '.'),
    'TOO_LARGE',
  ],
  ['nesting built from the inside', checkpoint(')', repeated(opcodes(0x85), 1e5), '.'), 'TOO_LARGE'],
  [
    'a deep value whose parts were met before',
    checkpoint(']', '(', ']', repeated(opcodes('q', 0, 'h', 0, 0x85), 200), 'e.'),
    'TOO_LARGE',
  ],
  ['two million dicts', checkpoint(repeated(opcodes('}0'), 2e6), 'N.'), 'TOO_LARGE'],
  ['a list that contains itself', checkpoint(']q', 0, 'h', 0, 'a.'), 'MALFORMED'],
  ['an integer of 4 GiB', checkpoint(0x8b, packed([4, 0xffffffff]), '.'), 'TOO_LARGE'],
  ['text of 4 GiB', checkpoint('X', packed([4, 0xffffffff]), '.'), 'TRUNCATED'],
  ['bytes of 2^60', checkpoint(0x8e, packed([8, 2 ** 60]), '.'), 'TRUNCATED'],
  ['a frame beyond the file', checkpoint(0x95, packed([8, 1e6]), 'N.'), 'TRUNCATED'],
  ['text that is not UTF-8', checkpoint('X', packed([4, 1]), 0xff, '.'), 'MALFORMED'],
  ['a name of 10,000 characters', checkpoint(global('a'.repeat(1e4), 'b'), '.'), 'TOO_LARGE'],
  ['a name without an end', checkpoint('cos'), 'TRUNCATED'],
  [
    'bytes repeated by _codecs.encode',
    checkpoint(
      ']',
      global('_codecs', 'encode'),
      'q',
      0,
      string('a'.repeat(1e4)),
      string('latin1'),
      0x86,
      'q',
      1,
      '00',
      repeated(opcodes('h', 0, 'h', 1, 'Ra'), 1000),
      '.',
    ),
    'TOO_LARGE',
  ],
  [
    'sets of a memorised list',
    checkpoint(
      ']q',
      0,
      '(',
      repeated(one, 1e4),
      'e',
      repeated(opcodes(global('builtins', 'set'), 'h', 0, 0x85, 'R0'), 100),
      '.',
    ),
    'TOO_LARGE',
  ],
  ['an unfinished pickle', checkpoint(']'), 'TRUNCATED'],
  ['two values', checkpoint(']].'), 'MALFORMED'],
  ['an open mark', checkpoint('](N.'), 'MALFORMED'],
  ['an empty stack', checkpoint('a.'), 'MALFORMED'],
  ['no mark', checkpoint(']t.'), 'MALFORMED'],
  ['nothing memorised', checkpoint('h', 9, '.'), 'MALFORMED'],
  ['bytes after the pickle', checkpoint('].N.'), 'MALFORMED'],
  ['a key twice', checkpoint('}(', string('a'), 'N', string('a'), 'Nu.'), 'DUPLICATE_KEY'],
  ['a dict with a key too few', checkpoint('}(Nu.'), 'MALFORMED'],
  ['a dict as a key', checkpoint('}}Ns.'), 'UNSUPPORTED'],
  ['a set of dicts', checkpoint(0x8f, '(}', 0x90, '.'), 'UNSUPPORTED'],
  ['a persistent id that is text', checkpoint(string('0'), 'Q.'), 'MALFORMED'],
  ['a storage without a tensor', checkpoint(storage(4), '.'), 'UNSUPPORTED'],
  [
    'a storage described in two ways',
    checkpoint('](', storage(4), storage(4, '0', 'IntStorage'), 'e.'),
    'MALFORMED',
  ],
  [
    'a key that is a path',
    checkpoint(tensor(storage(4, '../data/0'), zero, tuple(four), tuple(one)), '.'),
    'TRUNCATED',
  ],
  [
    'a shape beyond the storage',
    checkpoint(tensor(storage(4), one, tuple(four), tuple(one)), '.'),
    'MALFORMED',
  ],
  [
    'strides beyond the storage',
    checkpoint(tensor(storage(4), zero, tuple(four), tuple(four)), '.'),
    'MALFORMED',
  ],
  ['a negative stride', checkpoint(tensor(storage(4), zero, tuple(four), tuple(minus(1))), '.'), 'MALFORMED'],
  ['a negative offset', checkpoint(tensor(storage(4), minus(4), tuple(four), tuple(one)), '.'), 'MALFORMED'],
  [
    'fewer strides than sizes',
    checkpoint(tensor(storage(4), zero, tuple(one, four), tuple(one)), '.'),
    'MALFORMED',
  ],
  [
    'one number shown 2^30 times',
    checkpoint(tensor(storage(4), zero, tuple(long(2 ** 30)), tuple(zero)), '.'),
    'TOO_LARGE',
  ],
  [
    'more than 2^53 elements',
    checkpoint(tensor(storage(4), zero, tuple(long(2 ** 40), long(2 ** 40)), tuple(zero, zero)), '.'),
    'TOO_LARGE',
  ],
  [
    '17 dimensions',
    checkpoint(
      tensor(
        storage(4),
        zero,
        tuple(...Array<Uint8Array>(17).fill(one)),
        tuple(...Array<Uint8Array>(17).fill(one)),
      ),
      '.',
    ),
    'TOO_LARGE',
  ],
  [
    'a storage larger than its entry',
    checkpoint(tensor(storage(5), zero, tuple(four), tuple(one)), '.'),
    'TRUNCATED',
  ],
  ...(
    [
      ['a device', global('torch', 'device'), 'MALFORMED'],
      ['a dtype', global('numpy', 'dtype'), 'UNSUPPORTED'],
      ['bytes', global('builtins', 'bytes'), 'MALFORMED'],
      ['a size', global('torch', 'Size'), 'MALFORMED'],
      ['encoded text', global('_codecs', 'encode'), 'UNSUPPORTED'],
      ['a tensor', global('torch._utils', '_rebuild_tensor_v2'), 'MALFORMED'],
      ['a persistent id', opcodes('N'), 'UNSAFE_PICKLE'],
    ] as const
  ).map(([what, callable, code]): [string, Uint8Array, string] => [
    `${what} of 100,000 nested lists, without printing them`,
    checkpoint(callable, repeated(opcodes(']'), 1e5), repeated(opcodes('a'), 1e5 - 1), 0x85, 0x85, 'R.'),
    code,
  ]),
  [
    'two paths of one name',
    checkpoint(
      '}(',
      string('a'),
      '}',
      string('b'),
      tensor(storage(4), zero, tuple(four), tuple(one)),
      's',
      string('a.b'),
      tensor(storage(4), zero, tuple(four), tuple(one)),
      'u.',
    ),
    'DUPLICATE_KEY',
  ],
])('refuses %s', async (_, bytes, code) => {
  const start = performance.now();
  expect(await codeOf(() => readTorchCheckpoint(bytes))).toBe(code);
  expect(performance.now() - start).toBeLessThan(3000);
});

const good = (name: string) => fromBase64(golden.honest[name]!.file);

test.each(['every dtype', 'every dtype, legacy'])('%s: every cut of a good file is refused', async (name) => {
  const bytes = good(name);
  for (let length = 0; length < bytes.length; length += length < bytes.length - 200 ? 7 : 1) {
    expect(await codeOf(() => readTorchCheckpoint(bytes.subarray(0, length))), `${length} bytes`).not.toBe(
      '',
    );
  }
  expect(await codeOf(() => readTorchCheckpoint(Buffer.concat([bytes, Uint8Array.of(0)])))).not.toBe('');
});

test('a flipped bit in a storage or in the pickle fails the checksum', async () => {
  const bytes = zipOf({
    'a/data.pkl': opcodes(PROTO, tensor(storage(4), zero, tuple(four), tuple(one)), '.'),
    'a/data/0': new Uint8Array(16),
  });
  for (const place of ['torch._utils', 'a/data/0\0']) {
    const flipped = bytes.slice();
    flipped[Buffer.from(bytes).indexOf(place, 0, 'latin1') + place.length + 1]! ^= 4;
    expect(await codeOf(() => readTorchCheckpoint(flipped)), place).toBe('CHECKSUM');
  }
});

test.each<[string, (view: DataView, directory: number, end: number) => void, string]>([
  [
    'overlapping entries',
    (view, at, end) => view.setUint32(second(view, at, end) + 42, 8, true),
    'MALFORMED',
  ],
  [
    'two directory entries for one place',
    (view, at, end) => view.setUint32(second(view, at, end) + 42, 0, true),
    'MALFORMED',
  ],
  [
    'an entry beyond the file',
    (view, at, end) => view.setUint32(second(view, at, end) + 42, 1e6, true),
    'MALFORMED',
  ],
  ['sizes that differ', (view, at) => view.setUint32(at + 20, 1, true), 'MALFORMED'],
  ['encryption', (view, at) => view.setUint16(at + 8, 1, true), 'UNSUPPORTED'],
  ['another name in the entry', (view) => view.setUint8(30, 0x62), 'MALFORMED'],
  ['compression in the entry', (view) => view.setUint16(8, 8, true), 'MALFORMED'],
  ['a long extra field in the entry', (view) => view.setUint16(28, 60000, true), 'MALFORMED'],
  ['a directory elsewhere', (view, at, end) => view.setUint32(end + 16, at - 1, true), 'MALFORMED'],
  ['an entry too many', (view, _, end) => view.setUint16(end + 10, 3, true), 'MALFORMED'],
  ['an entry too few', (view, _, end) => view.setUint16(end + 10, 1, true), 'MALFORMED'],
])('zip: refuses %s', async (_, damage, code) => {
  const bytes = checkpoint(tensor(storage(4), zero, tuple(four), tuple(one)), '.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - 22;
  damage(view, view.getUint32(end + 16, true), end);
  expect(await codeOf(() => readTorchCheckpoint(bytes))).toBe(code);
});

/** Where the second directory entry starts. */
function second(view: DataView, directory: number, end: number): number {
  for (let at = directory + 4; at < end; at++) if (view.getUint32(at, true) === 0x02014b50) return at;
  throw new Error('no second entry');
}

test('zip: the two end records have to agree', async () => {
  const pickle = opcodes(PROTO, 'N.');
  const bytes = zipOf({ 'a/data.pkl': pickle }, true);
  expect(readTorchCheckpoint(bytes)).toEqual({ tensors: new Map(), value: null });
  new DataView(bytes.buffer).setUint32(bytes.length - 22 + 16, 5, true);
  expect(await codeOf(() => readTorchCheckpoint(bytes))).toBe('MALFORMED');
});

const legacy = (...storages: Uint8Array[]) =>
  opcodes(
    PROTO,
    0x8a,
    10,
    'l\xfc\x9cF\xf9 j\xa8P\x19.',
    PROTO,
    'M\xe9\x03.',
    PROTO,
    '}',
    string('little_endian'),
    0x88,
    's.',
    PROTO,
    tensor(storage(1), zero, tuple(one), tuple(one)),
    '.',
    PROTO,
    ...storages,
  );

test.each<[string, Uint8Array, string]>([
  ['what torch writes', legacy(opcodes('](', string('0'), 'e.'), packed([8, 1]), new Uint8Array(4)), ''],
  ['another count', legacy(opcodes('](', string('0'), 'e.'), packed([8, 2]), new Uint8Array(4)), 'MALFORMED'],
  [
    'a huge count',
    legacy(opcodes('](', string('0'), 'e.'), new Uint8Array(8).fill(255), new Uint8Array(4)),
    'MALFORMED',
  ],
  ['a storage that is not listed', legacy(opcodes('].')), 'MALFORMED'],
  [
    'a storage that is listed twice',
    legacy(opcodes('](', string('0'), string('0'), 'e.'), packed([8, 1]), new Uint8Array(16)),
    'DUPLICATE_KEY',
  ],
  [
    'a storage that no tensor uses',
    legacy(opcodes('](', string('1'), 'e.'), packed([8, 1]), new Uint8Array(4)),
    'MALFORMED',
  ],
  [
    'bytes at the end',
    legacy(opcodes('](', string('0'), 'e.'), packed([8, 1]), new Uint8Array(5)),
    'MALFORMED',
  ],
  ['a cut storage', legacy(opcodes('](', string('0'), 'e.'), packed([8, 1]), new Uint8Array(3)), 'TRUNCATED'],
  ['keys that are numbers', legacy(opcodes('](K', 0, 'e.')), 'MALFORMED'],
  ['another magic number', opcodes(PROTO, 'K', 1, '.'), 'MALFORMED'],
  ['no pickle at all', new TextEncoder().encode('version https://git-lfs.github.com/spec/v1'), 'UNSUPPORTED'],
  ['three bytes', Uint8Array.of(0x50, 0x4b, 3), 'TRUNCATED'],
])('legacy: %s', async (_, bytes, code) => {
  expect(await codeOf(() => readTorchCheckpoint(bytes))).toBe(code);
});
