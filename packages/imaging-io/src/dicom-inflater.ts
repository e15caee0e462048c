import { ImagingError } from './imaging-error.js';

/**
 * dicom-parser's `inflater` for deflated objects: what precedes `position` as it is, the rest through `inflate`.
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
