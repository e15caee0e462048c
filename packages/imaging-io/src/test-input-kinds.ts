// biome-ignore lint/correctness/noNodejsModules: for tests only, not built
import { createHash } from 'node:crypto';
// biome-ignore lint/correctness/noNodejsModules: for tests only, not built
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
// biome-ignore lint/correctness/noNodejsModules: for tests only, not built
import { tmpdir } from 'node:os';
// biome-ignore lint/correctness/noNodejsModules: for tests only, not built
import { dirname, join } from 'node:path';
// biome-ignore lint/correctness/noNodejsModules: for tests only, not built
import { inflateSync } from 'node:zlib';
import type { VoxelArray } from '@onco-response/volume';

/** What a reference tool reads. */
export interface ReferenceImage {
  readonly size: number[];
  readonly spacing: number[];
  readonly origin: number[];
  readonly direction: number[];
  /** sha256 of the voxels as float64. */
  readonly voxels: string;
}

/** Files of one kind of input and what the reference reads in them (tooling/reference/imaging_input_kinds.py). */
export interface InputKind extends ReferenceImage {
  readonly name: string;
  readonly kind: 'DICOM' | 'NIfTI' | 'NRRD' | 'MetaImage';
  /** The file to open, '' for the folder. */
  readonly open: string;
  /** Lengths by path, in the order of `bytes`. */
  readonly files: Record<string, number>;
  /** All files' bytes, one after the other: zlib, base64. */
  readonly bytes: string;
  readonly reference: string;
}

export const { kinds: inputKinds, real: realInputs } = JSON.parse(
  readFileSync(new URL('./__fixtures__/input-kinds.json', import.meta.url), 'utf8'),
) as { kinds: InputKind[]; real: (ReferenceImage & { path: string })[] };

/** The bytes of an input's files, by path. */
export function filesOf({ files, bytes }: InputKind): Map<string, Uint8Array> {
  const all = inflateSync(Buffer.from(bytes, 'base64'));
  let start = 0;
  return new Map(
    Object.entries(files).map(([path, length]) => {
      const part = new Uint8Array(all.subarray(start, start + length));
      start += length;
      return [path, part];
    }),
  );
}

/** Hands out folders of files that go when `remove` is called. */
export function temporaryFolders(): {
  write(files: Iterable<readonly [string, Uint8Array]>): string;
  remove(): void;
} {
  const root = mkdtempSync(join(tmpdir(), 'imaging-io-input-'));
  let count = 0;
  return {
    write(files) {
      const folder = join(root, String(count++));
      mkdirSync(folder);
      for (const [path, bytes] of files) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), bytes);
      }
      return folder;
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** As the reference script computes it. */
export function voxelDigest(data: VoxelArray): string {
  return createHash('sha256')
    .update(new Uint8Array(Float64Array.from(data).buffer))
    .digest('hex');
}
