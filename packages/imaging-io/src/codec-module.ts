/// <reference path="./codec-packages.d.ts" />
import { ImagingError } from './imaging-error.js';

/** The decoder class of @cornerstonejs/codec-openjpeg. */
interface Decoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): { width: number; height: number };
  delete(): void;
}

interface OpenJpeg {
  readonly J2KDecoder: new () => Decoder;
}

/** Imports the codec's factory. */
export type CodecImport = () => Promise<{ default: unknown }>;

/** Plain JavaScript, which needs no file beside it and so runs in every browser and bundle. */
let importCodec: CodecImport = () => import('@cornerstonejs/codec-openjpeg/decode');
let module: Promise<OpenJpeg> | undefined;
/** Complaints since the last decoding began: OpenJPEG goes on after missing data with nothing but a warning. */
const printed: string[] = [];

/** Another build of the codec: in Node the WebAssembly one, 5x faster, which loads a file from its folder. */
export function useOpenJpeg(other: CodecImport): void {
  if (importCodec === other) return;
  importCodec = other;
  module = undefined;
}

/** What a decoder made: samples of 1 or 2 bytes. */
export interface CodecOutput {
  readonly width: number;
  readonly height: number;
  readonly samples: Uint8Array;
}

/**
 * Runs OpenJPEG, loaded on first use. It may throw anything, and prints; neither gets out of here.
 * @throws ImagingError CORRUPT; UNSUPPORTED where it does not start
 */
export async function runOpenJpeg(encoded: Uint8Array, name: string): Promise<CodecOutput> {
  module ??= start();
  const { J2KDecoder } = await module.catch(() => {
    module = undefined;
    throw new ImagingError({
      code: 'UNSUPPORTED',
      message: `${name} cannot be decoded: the JPEG 2000 codec does not start here`,
    });
  });
  printed.length = 0;
  try {
    const decoder = new J2KDecoder();
    decoder.getEncodedBuffer(encoded.length).set(encoded);
    decoder.decode();
    const { width, height } = decoder.getFrameInfo();
    const samples = decoder.getDecodedBuffer().slice(); // the decoder's memory is used again
    decoder.delete();
    if (!printed.some((line) => /error|warning/i.test(line))) return { width, height, samples };
  } catch {
    module = undefined; // after an abort it is of no more use, and whether it was one cannot be told
  }
  throw new ImagingError({
    code: 'CORRUPT',
    message: `${name} has compressed pixels that do not decode: copy or export it again`,
  });
}

async function start(): Promise<OpenJpeg> {
  const { default: factory } = await importCodec();
  const print = (line: unknown): void => {
    if (printed.length < 100) printed.push(String(line));
  };
  return (factory as (options: object) => Promise<OpenJpeg>)({ print, printErr: print });
}
