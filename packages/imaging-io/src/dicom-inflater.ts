import type { Expander } from './byte-source.js';
import { readPart10Header } from './dicom-dataset.js';
import { isDicom } from './dicom-start.js';
import { ImagingError } from './imaging-error.js';
import { MAX_LARGE_RATIO, MAX_UNQUESTIONED_BYTES, MAX_UNQUESTIONED_DEFLATED_BYTES } from './limits.js';
import { DEFLATED } from './transfer-syntax.js';

/** Where the deflated part of an object begins; undefined where it is not deflated. */
export function deflatedFrom(object: Uint8Array): number | undefined {
  if (!isDicom(object)) return undefined;
  try {
    const { meta, position } = readPart10Header(object);
    return meta.string('x00020010')?.trim() === DEFLATED ? position : undefined;
  } catch {
    return undefined; // whoever parses it next says what is wrong
  }
}

/**
 * The parser cannot wait for an inflater: what it will ask for is inflated beforehand.
 * @throws ImagingError TRUNCATED, CORRUPT, TOO_LARGE
 */
export async function preparedInflate(
  object: Uint8Array,
  name: string,
  expander: Expander,
): Promise<(() => Uint8Array) | undefined> {
  const from = deflatedFrom(object);
  if (from === undefined) return undefined;
  const deflated = object.subarray(from);
  const limit = Math.min(
    MAX_UNQUESTIONED_BYTES,
    Math.max(MAX_UNQUESTIONED_DEFLATED_BYTES, MAX_LARGE_RATIO * deflated.length),
  );
  const inflated = await expander.raw(deflated, limit, name);
  return () => inflated;
}

/**
 * The parser's `inflater` for deflated objects: what precedes `position` as it is, the rest through `inflate`.
 * @throws ImagingError UNSUPPORTED, when called, where there is no `inflate`
 */
export function inflaterOf(
  file: string,
  inflate: ((deflated: Uint8Array) => Uint8Array) | undefined,
): (whole: Uint8Array, position: number) => Uint8Array {
  return (whole, position) => {
    if (inflate === undefined) {
      throw new ImagingError({ code: 'UNSUPPORTED', message: `${file} is deflated` });
    }
    const rest = inflate(whole.subarray(position));
    const inflated = new Uint8Array(position + rest.length);
    inflated.set(whole.subarray(0, position));
    inflated.set(rest, position);
    return inflated;
  };
}
