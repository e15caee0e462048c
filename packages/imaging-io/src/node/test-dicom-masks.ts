import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import type { Grid } from '@onco-response/volume';

interface Golden {
  readonly segmentations: {
    readonly grid: Grid;
    readonly cases: readonly {
      readonly name: string;
      readonly file: string;
      readonly labels: string | null;
      readonly segments: Readonly<Record<string, string>>;
      readonly warnings: number;
    }[];
    readonly compressed: string;
    readonly rounded: { readonly grid: Grid; readonly file: string; readonly labels: string };
  };
  readonly structures: {
    readonly grid: Grid;
    readonly frameOfReferenceUid: string;
    readonly file: string;
    readonly single: string;
    readonly rois: readonly {
      readonly name: string;
      readonly area: number;
      readonly plane: string;
      readonly voxels: number;
    }[];
    readonly square: number;
  };
  readonly truths: readonly {
    readonly file: string;
    readonly segment: number | null;
    readonly sha256: string;
    readonly voxels: number;
    readonly size: readonly number[];
    readonly spacing: readonly number[];
    readonly origin: readonly number[];
  }[];
}

/** Masks written by highdicom and pydicom: tooling/reference/imaging_mask_goldens.py. */
export const maskGolden = JSON.parse(
  readFileSync(new URL('../__fixtures__/dicom-masks.json', import.meta.url), 'utf8'),
) as Golden;

/** A file of the golden values. */
export function goldenBytes(file: string): Uint8Array {
  return new Uint8Array(inflateSync(Buffer.from(file, 'base64')));
}

/** What reading damaged bytes gives: a code, or undefined where they are still read. Anything else is thrown. */
export function codeOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    const { name, code, message } = error as { name?: string; code?: string; message?: string };
    if (name !== 'ImagingError' || code === undefined) throw error;
    if (/Doe|SECRET|1970|A1\b/.test(message ?? '')) throw new Error(`a patient in: ${message}`);
    return code;
  }
}

/** A header whose sequences are nested `depth` deep and never end. */
export function nestedSequences(depth: number): Uint8Array {
  const level = Uint8Array.from([
    0x08, 0x00, 0x40, 0x11, 0x53, 0x51, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff,
    0xff, 0xff,
  ]);
  const bytes = new Uint8Array(depth * level.length);
  for (let at = 0; at < depth; at++) bytes.set(level, at * level.length);
  return bytes;
}

/** Replaces text by other text of the same length, everywhere. */
export function patched(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return Uint8Array.from(Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll(from, to), 'latin1'));
}
