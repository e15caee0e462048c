import { describe, expect, test } from 'vitest';
import { bytesFile, bytesSource } from '../bytes-source.js';
import { decodeFrame } from '../decode-frame.js';
import { describeDicomFile } from '../dicom-file.js';
import { readDicomHeader } from '../dicom-header.js';
import { readDicomSeg } from '../dicom-seg.js';
import type { PixelFormat } from '../dicom-slice.js';
import { encapsulatedFrames } from '../encapsulated-frames.js';
import { imageOf } from '../read-image.js';
import { readRtstruct } from '../rtstruct.js';
import { type FuzzTarget, fuzz, memoryInput, testReading } from '../test-fuzz.js';
import { filesOf, type InputKind, inputKinds } from '../test-input-kinds.js';
import { useNativeCodecs } from './native-codecs.js';
import { goldenBytes, maskGolden } from './test-dicom-masks.js';
import { zlibExpander } from './zlib-expander.js';

useNativeCodecs();

const LIMIT_MS = 20_000 + 1500 * Number(process.env.ONCO_RESPONSE_FUZZ_SECONDS ?? 0);

/** Inputs of a kind, of which one file is damaged: the one opened, or the second of a series. */
function imageTarget(choose: (kind: InputKind) => boolean, header?: number): FuzzTarget {
  const kinds = inputKinds.filter(choose).map((kind) => {
    const files = filesOf(kind);
    return { open: kind.open, files, damaged: kind.open || [...files.keys()][1]! };
  });
  expect(kinds.length).toBeGreaterThan(0);
  return {
    seeds: kinds.map(({ files, damaged }) => files.get(damaged)!),
    ...(header === undefined ? {} : { header }),
    read: (bytes, seed) => {
      const { files, open, damaged } = kinds[seed]!;
      return imageOf(memoryInput(new Map(files).set(damaged, bytes), open), {}, testReading());
    },
  };
}

const zipped = ({ files }: InputKind): boolean => Object.keys(files).some((path) => /gz$/.test(path));

describe('damaged images', () => {
  test.each([
    ['NIfTI', imageTarget((kind) => kind.kind === 'NIfTI' && !zipped(kind), 352), 400],
    ['gzip and zlib', imageTarget((kind) => zipped(kind) || /gzip|zlib/.test(kind.name)), 300],
    ['NRRD', imageTarget(({ kind }) => kind === 'NRRD', 400), 400],
    ['MetaImage', imageTarget(({ kind }) => kind === 'MetaImage', 300), 400],
    [
      'DICOM series',
      imageTarget(({ kind, open, name }) => kind === 'DICOM' && !open && !/JPEG|HTJ2K/.test(name), 1400),
      200,
    ],
    [
      'DICOM multi-frame',
      imageTarget(
        ({ kind, open, name }) => kind === 'DICOM' && open !== '' && !/JPEG|HTJ2K/.test(name),
        2800,
      ),
      150,
    ],
    [
      'DICOM JPEG',
      imageTarget(
        ({ kind, name }) => kind === 'DICOM' && /JPEG (lossless|baseline|extended)/.test(name),
        1400,
      ),
      100,
    ],
  ] as const)(
    '%s',
    async (_, target, count) => {
      const { codes } = await fuzz(target, count);
      // mutations reach behind the first check, and not every one matters
      expect(Object.keys(codes).length).toBeGreaterThan(2);
      expect(codes.read).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );
});

describe('damaged masks', () => {
  const { segmentations, structures } = maskGolden;
  test(
    'DICOM SEG',
    async () => {
      const seeds = segmentations.cases.map(({ file }) => goldenBytes(file));
      const read = (bytes: Uint8Array, seed: number) =>
        readDicomSeg(bytes, 'seg.dcm', seed % 2 ? { like: segmentations.grid } : {});
      const { codes } = await fuzz({ seeds, read, header: 4000 }, 200);
      expect(Object.keys(codes).length).toBeGreaterThan(2);
    },
    LIMIT_MS,
  );

  test(
    'RTSTRUCT',
    async () => {
      const seeds = [structures.file, structures.single].map(goldenBytes);
      const read = (bytes: Uint8Array) =>
        readRtstruct(bytes, 'rs.dcm', { like: structures.grid, segment: 1 });
      const { codes } = await fuzz({ seeds, read }, 125);
      expect(Object.keys(codes).length).toBeGreaterThan(2);
    },
    LIMIT_MS,
  );
});

/** Compressed frames of the kinds, by the name of the transfer syntax's codec. */
async function frameTarget(pattern: RegExp): Promise<FuzzTarget> {
  const frames: { encoded: Uint8Array; syntax: string; format: PixelFormat }[] = [];
  for (const kind of inputKinds.filter(({ name }) => pattern.test(name) && !name.includes('enhanced'))) {
    const bytes = [...filesOf(kind).values()][0]!;
    const header = (await readDicomHeader(bytesSource(bytes, 'a.dcm'), zlibExpander))!;
    const { pixels, slices, transferSyntax } = describeDicomFile(header, bytesFile(bytes, 'a.dcm'))!;
    const [encoded] = encapsulatedFrames(bytes, pixels.offset, 1, 'a.dcm');
    frames.push({ encoded: encoded!, syntax: transferSyntax, format: slices[0]!.format });
  }
  return {
    seeds: frames.map(({ encoded }) => encoded),
    async read(bytes, seed) {
      const { syntax, format } = frames[seed]!;
      const pixels = await decodeFrame(bytes, syntax, format, 'a.dcm');
      return { size: [format.columns, format.rows, format.bitsAllocated / 8], data: pixels };
    },
  };
}

describe('damaged frames', () => {
  test.each([
    ['RLE', /RLE/, 500],
    ['JPEG lossless', /JPEG lossless/, 300],
    ['JPEG baseline and extended', /JPEG (baseline|extended)/, 300],
    ['JPEG-LS', /JPEG-LS/, 75],
    ['JPEG 2000', /JPEG 2000/, 50],
    ['HTJ2K', /HTJ2K/, 50],
  ] as const)(
    '%s',
    async (_, pattern, count) => {
      const { codes } = await fuzz(await frameTarget(pattern), count);
      expect(Object.keys(codes).length).toBeGreaterThan(1);
    },
    LIMIT_MS,
  );
});
