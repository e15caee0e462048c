import { WeightsError } from './weights-error.js';

/** Bytes that are read by range: a file, a Blob, an HTTP address that answers range requests. */
export interface ByteSource {
  /** Bytes in all. */
  readonly size: number;
  /** `length` bytes from `offset`. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * A parser that asks for the ranges it needs, so that one parser serves bytes in memory and bytes behind a source:
 * `const bytes = yield* bytesAt(0, 8)`.
 */
export type Reading<Result> = Generator<{ offset: number; length: number }, Result, Uint8Array>;

export function* bytesAt(offset: number, length: number): Reading<Uint8Array> {
  const bytes = yield { offset, length };
  if (bytes.length === length) return bytes;
  throw new WeightsError({
    code: 'TRUNCATED',
    message: `${length} bytes at ${offset} were asked for, ${bytes.length} came. Fetch the file again.`,
  });
}

/** Runs a parser over bytes in memory; what it gets are views of them. */
export function readNow<Result>(reading: Reading<Result>, bytes: Uint8Array): Result {
  let step = reading.next();
  while (!step.done) {
    const { offset, length } = step.value;
    step = reading.next(bytes.subarray(offset, offset + length));
  }
  return step.value;
}

export async function readFrom<Result>(reading: Reading<Result>, source: ByteSource): Promise<Result> {
  let step = reading.next();
  while (!step.done) step = reading.next(await source.read(step.value.offset, step.value.length));
  return step.value;
}
