// biome-ignore lint/correctness/noNodejsModules: for tests only, not built
import { sep } from 'node:path';
import type { VoxelArray } from '@onco-response/volume';
import { expect, vi } from 'vitest';
import type { ImageInput } from './byte-source.js';
import { bytesFile } from './bytes-source.js';
import { ImagingError } from './imaging-error.js';
import { zlibExpander } from './node/zlib-expander.js';
import { type Reading, startReading } from './reading.js';

/** Attributes of the seeds that identify a patient. */
const PERSONAL = /SECRET|19010203|19990807|\bDoe\b/;
const MAX_SECONDS = 2;
const MAX_GROWTH_BYTES = 200 * 2 ** 20;
/** Mutations are drawn anew from this on, so that a finding can be repeated. */
const SEED = 4;

/** A parser, and inputs from which damaged ones are made. */
export interface FuzzTarget {
  readonly seeds: readonly Uint8Array[];
  /** Bytes of `seed` that are the most interesting: the header. */
  readonly header?: number;
  /** Reads; what comes back, if it has voxels, has to hold as many as its size says. */
  readonly read: (bytes: Uint8Array, seed: number) => unknown;
}

export interface FuzzReport {
  readonly inputs: number;
  readonly codes: Readonly<Record<string, number>>;
}

/** Runs on this thread, where damage shows at once. */
export function testReading(): Reading {
  return startReading(zlibExpander, {});
}

/** Files in memory as an input; `open` is the one to read, '' all of them as a folder. */
export function memoryInput(files: ReadonlyMap<string, Uint8Array>, open: string): ImageInput {
  const sources = [...files].map(([path, bytes]) => bytesFile(bytes, path));
  const named = (path: string) => sources.find(({ name }) => name === path);
  return {
    name: open || 'folder',
    file: open ? named(open) : undefined,
    files: () => sources,
    dataFile: (path) => {
      const found = named(path.split(sep).join('/'));
      if (found) return found;
      throw new ImagingError({ code: 'NOT_FOUND', message: `${open} names a data file that is not there` });
    },
  };
}

/** mulberry32: whole numbers below a bound, the same in every run. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Numbers at which sizes and offsets go wrong. */
const NUMBERS = [
  0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
];
const WORDS = [
  '-1',
  '0',
  '4294967296',
  '99999999999999999999',
  '1e308',
  'nan',
  'inf',
  '(',
  ')',
  '\n',
  '\n\n',
  ': ',
  ' = ',
  '\\',
];

/** One to four small damages. */
function mutate(
  original: Uint8Array,
  random: (below: number) => number,
  header = original.length,
): Uint8Array {
  let bytes = Uint8Array.from(original);
  for (let change = random(4); change >= 0; change--) {
    const at = random(random(3) === 0 ? bytes.length + 1 : Math.min(header, bytes.length) + 1);
    const view = new DataView(bytes.buffer);
    switch (random(8)) {
      case 0:
      case 1:
        if (at < bytes.length) bytes[at] = random(256);
        break;
      case 2:
        if (at < bytes.length) bytes[at]! ^= 1 << random(8);
        break;
      case 3: {
        const number = NUMBERS[random(NUMBERS.length)]!;
        if (at + 4 <= bytes.length && random(2)) view.setUint32(at, number, random(2) === 0);
        else if (at + 2 <= bytes.length) view.setUint16(at, number, random(2) === 0);
        break;
      }
      case 4:
        bytes = joined(bytes.subarray(0, at), bytes.subarray(at + random(12)));
        break;
      case 5:
        bytes = joined(bytes.subarray(0, at), bytes.subarray(at, at + random(64)), bytes.subarray(at));
        break;
      case 6: {
        const word = new TextEncoder().encode(WORDS[random(WORDS.length)]!);
        bytes = joined(bytes.subarray(0, at), word, bytes.subarray(at + (random(2) ? word.length : 0)));
        break;
      }
      default:
        if (random(3) === 0) bytes = bytes.slice(0, at);
    }
  }
  return bytes;
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * Reads damaged inputs: `count` of them, or for ONCO_RESPONSE_FUZZ_SECONDS. Each has to give a sound result or an
 * ImagingError within 2 s and 200 MB, without a word on stdout or stderr and without a patient in the message.
 */
export async function fuzz({ seeds, header, read }: FuzzTarget, count: number): Promise<FuzzReport> {
  // biome-ignore lint/style/noProcessEnv: tests have no other options
  const seconds = Number(process.env.ONCO_RESPONSE_FUZZ_SECONDS ?? 0);
  const print = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
  const codes: Record<string, number> = {};
  const end = performance.now() + 1000 * seconds;
  let inputs = 0;
  for (; seconds > 0 ? performance.now() < end : inputs < count; inputs++) {
    const random = randomNumbers(SEED + 7919 * inputs);
    const seed = random(seeds.length);
    const code = await readOnce(() => read(mutate(seeds[seed]!, random, header), seed), inputs);
    codes[code] = (codes[code] ?? 0) + 1;
  }
  for (const spy of print) {
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  }
  if (seconds > 0) console.log(`${inputs} inputs: ${JSON.stringify(codes)}`);
  return { inputs, codes };
}

/** The error's code, or `read`. */
async function readOnce(read: () => unknown, input: number): Promise<string> {
  const [start, before] = [performance.now(), process.memoryUsage().rss];
  const code = await outcome(read, input);
  const took = (performance.now() - start) / 1000;
  if (took > MAX_SECONDS) throw new Error(`input ${input} took ${took.toFixed(1)} s`);
  const grown = process.memoryUsage().rss - before;
  if (grown > MAX_GROWTH_BYTES) throw new Error(`input ${input} took ${Math.round(grown / 2 ** 20)} MB`);
  return code;
}

async function outcome(read: () => unknown, input: number): Promise<string> {
  try {
    const result = (await read()) as { size?: readonly number[]; data?: VoxelArray } | undefined;
    const { size, data } = result ?? {};
    if (size && data && data.length !== size.reduce((product, n) => product * n, 1)) {
      throw new Error(`input ${input} gave ${data.length} voxels for ${size.join(' x ')}`);
    }
    return 'read';
  } catch (error) {
    if (!ImagingError.isInstance(error))
      throw new Error(`input ${input} threw ${String(error)}`, { cause: error });
    const told = `${error.message} ${error.stack} ${error.cause}`;
    if (PERSONAL.test(told)) throw new Error(`input ${input}: a patient in "${error.message}"`);
    return error.code;
  }
}
