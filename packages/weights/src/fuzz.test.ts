import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readNow } from './byte-source.js';
import { readOnnxInitialisers, readOnnxNodes } from './onnx.js';
import { readSafetensors } from './safetensors.js';
import { readShardIndex } from './sharded-checkpoint.js';
import { codeOf, fromBase64, mutated, packed, randomNumbers, zipOf } from './test-files.js';
import { readTorchCheckpoint } from './torch-checkpoint.js';
import { elementCount, type WeightTensor } from './weight-tensor.js';
import { readZipDirectory, readZipEntry } from './zip.js';

/** Each parser is tried for so long; ONCO_RESPONSE_FUZZ_SECONDS=60 gives it a minute. The files are the same in every run. */
const SECONDS = Number(process.env.ONCO_RESPONSE_FUZZ_SECONDS ?? 0.6);
/** No file of a few kB may take longer, on a busy machine. */
const MILLISECONDS_A_FILE = 1500;

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`./__fixtures__/${name}`, import.meta.url)));
const torch = JSON.parse(Buffer.from(fixture('torch-checkpoints.json')).toString()) as {
  honest: Record<string, { file: string }>;
};
const honest = (pattern: RegExp) =>
  Object.entries(torch.honest)
    .filter(([name]) => pattern.test(name))
    .map(([, { file }]) => fromBase64(file));

const text = (...words: string[]) => words.map((word) => new TextEncoder().encode(word));
const integers = [0, 1, 127, 255, 65535, 2 ** 31, 2 ** 32 - 1].map((value) => packed([4, value]));
const JSON_WORDS = [
  ...text('-1', '0', '1e99', '[]', '{}', '"', '[', ']', ',', 'null', '"F64"', '4294967296'),
  ...integers,
];
const PICKLE_WORDS = [
  ...integers,
  ...text(
    '(',
    't',
    'R',
    'Q',
    '}',
    ']',
    'b',
    's',
    'u',
    'a',
    'e',
    '0',
    '1',
    'h\0',
    'h\u0007',
    'q\0',
    ')',
    '\x85',
    '\x86',
    '.',
  ),
  ...text(
    'ctorch\nFloatStorage\n',
    'ccollections\nOrderedDict\n',
    'c_codecs\nencode\n',
    'c__builtin__\nset\n',
    'cos\nsystem\n',
  ),
];

const checkTensors = (tensors: ReadonlyMap<string, WeightTensor>) => {
  for (const [name, { shape, data }] of tensors) expect(elementCount(shape, name), name).toBe(data.length);
};
const readTorch = (bytes: Uint8Array) => checkTensors(readTorchCheckpoint(bytes).tensors);

/** The pickle of a zip checkpoint behind a right checksum, so that mutations reach the unpickler. */
function rezipped(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const entries: Record<string, Uint8Array> = {};
  for (const [name, entry] of readNow(readZipDirectory(bytes.length), bytes)) {
    const content = readNow(readZipEntry(entry), bytes);
    entries[name] = name.endsWith('data.pkl') ? mutated(content, random, PICKLE_WORDS) : content;
  }
  return zipOf(entries);
}

test.each<
  [string, Uint8Array[], readonly Uint8Array[], (bytes: Uint8Array) => void, string[], typeof rezipped?]
>([
  [
    'safetensors',
    [fixture('every-dtype.safetensors')],
    JSON_WORDS,
    (bytes) => checkTensors(readSafetensors(bytes).tensors),
    ['MALFORMED', 'TRUNCATED', 'TOO_LARGE', 'UNSUPPORTED'],
  ],
  [
    'index of shards',
    text(
      '{"metadata":{"total_size":12},"weight_map":{"a.weight":"model-1.safetensors","b":"model-2.safetensors"}}',
    ),
    JSON_WORDS,
    readShardIndex,
    ['', 'MALFORMED'],
  ],
  [
    'torch zip',
    honest(/^[^,]*(, protocol 5)?$/),
    integers,
    readTorch,
    ['', 'MALFORMED', 'TRUNCATED', 'CHECKSUM'],
  ],
  [
    'torch zip with a right checksum',
    honest(/^[^,]*(, protocol 5)?$/),
    PICKLE_WORDS,
    readTorch,
    ['', 'MALFORMED', 'TRUNCATED', 'UNSAFE_PICKLE', 'UNSUPPORTED'],
    rezipped,
  ],
  [
    'torch legacy',
    honest(/legacy/),
    PICKLE_WORDS,
    readTorch,
    ['MALFORMED', 'TRUNCATED', 'UNSAFE_PICKLE', 'UNSUPPORTED'],
  ],
  [
    'onnx',
    [fixture('initialisers.onnx')],
    integers,
    (bytes) => {
      checkTensors(readOnnxInitialisers(bytes));
      readOnnxNodes(bytes);
    },
    ['', 'MALFORMED', 'TRUNCATED', 'UNSUPPORTED'],
  ],
])(
  '%s: a mutated file is read or refused with a WeightsError, and soon',
  async (_, files, words, read, expected, change) => {
    const random = randomNumbers(5);
    const codes = new Set<string>();
    const end = performance.now() + 1000 * SECONDS;
    for (let round = 0; round < 200 || performance.now() < end; round++) {
      const file = files[random(files.length)]!;
      const bytes = change ? change(file, random) : mutated(file, random, words);
      const start = performance.now();
      codes.add(await codeOf(() => read(bytes)));
      const taken = performance.now() - start;
      if (taken > MILLISECONDS_A_FILE) throw new Error(`round ${round} took ${taken} ms`);
    }
    // the mutations reach further than the first check
    expect([...codes]).toEqual(expect.arrayContaining(expected));
  },
  60_000 + 2000 * SECONDS,
);
