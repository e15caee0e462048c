import { ImagingError } from './imaging-error.js';

/** A file opened for reading, wherever it lies. */
export interface ByteSource {
  /** What messages call it. */
  readonly name: string;
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`, in memory that the caller may keep and change.
   * @param into memory of at least that length which may be used for it
   * @throws ImagingError TRUNCATED where the file has become shorter, NOT_READABLE
   */
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array> | Uint8Array;
  close(): void;
}

/** A file that can be opened. */
export interface SourceFile {
  readonly name: string;
  open(): Promise<ByteSource> | ByteSource;
}

/** What the caller gave: one file, or a folder or list of files. */
export interface ImageInput {
  readonly name: string;
  /** Undefined for a folder or a list. */
  readonly file: SourceFile | undefined;
  /** Every file, however deep it lies, in an order that does not depend on the file system. */
  files(): readonly SourceFile[];
  /** The file that this input's header names as holding its voxels; `path` is relative to the header. */
  dataFile(path: string): SourceFile;
}

/** How many bytes compressed ones should expand to, and from where on they are too many. */
export interface Expansion {
  readonly expected: number;
  readonly limit: number;
}

/** What expands compressed bytes: zlib in Node, DecompressionStream in browsers. */
export interface Expander {
  /** The first `count` expanded bytes of a gzip or zlib stream, fewer where it is shorter. */
  start(source: ByteSource, range: ByteRange, count: number): Promise<Uint8Array>;
  /**
   * All expanded bytes of a gzip (several members are one stream) or zlib stream.
   * @param taken called with the number of compressed bytes done
   * @returns undefined where they are more than `limit`
   * @throws ImagingError TRUNCATED, CORRUPT
   */
  all(
    source: ByteSource,
    range: ByteRange,
    expansion: Expansion,
    taken: (bytes: number) => void,
  ): Promise<Uint8Array | undefined>;
  /**
   * All expanded bytes of a deflate stream without a wrapper.
   * @throws ImagingError TRUNCATED, CORRUPT, TOO_LARGE
   */
  raw(deflated: Uint8Array, limit: number, name: string): Promise<Uint8Array>;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** The error for a stream that is damaged (`cut`: that ends too early). */
export function streamError(name: string, cut: boolean): ImagingError {
  return new ImagingError({
    code: cut ? 'TRUNCATED' : 'CORRUPT',
    message: `${name} is ${cut ? 'cut off' : 'damaged'}: its compressed stream ${cut ? 'ends too early' : 'does not decode'}; copy or download it again`,
  });
}

/** The error for a file that has changed since it was opened. */
export function becameShorter(name: string): ImagingError {
  return new ImagingError({ code: 'TRUNCATED', message: `${name} became shorter while it was read` });
}

/** Opens a file, and closes it whatever happens. */
export async function withSource<Result>(
  file: SourceFile,
  use: (source: ByteSource) => Promise<Result>,
): Promise<Result> {
  const source = await file.open();
  try {
    return await use(source);
  } finally {
    source.close();
  }
}
