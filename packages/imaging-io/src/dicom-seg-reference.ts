import type { Grid } from '@onco-response/volume';
import { fail } from './dicom-seg-object.js';

/**
 * A grid that may know its frame of reference: the coordinate system (of one patient on one table) that its millimetres
 * count in. DICOM says it, other formats do not; the same numbers in another frame are another place.
 */
export interface ReferencedGrid extends Grid {
  /** FrameOfReferenceUID. Copies that are resampled or cropped do not carry it on. */
  readonly frameOfReferenceUid?: string | undefined;
}

export interface ReferenceOptions {
  readonly like?: ReferencedGrid | undefined;
  /** FrameOfReferenceUID of the image, where `like` does not know it. */
  readonly frameOfReferenceUid?: string | undefined;
}

/**
 * The frame of reference of a mask put on an image; undefined where nobody says it. Each of those who do counts: what the
 * mask's file says, the image `like` and the option.
 * @throws ImagingError GRID_MISMATCH where two of them differ
 */
export function agreedReference(
  own: string | undefined,
  { like, frameOfReferenceUid }: ReferenceOptions,
  file: string,
): string | undefined {
  const said = [own, like?.frameOfReferenceUid, frameOfReferenceUid].filter((uid) => uid);
  if (new Set(said).size > 1) {
    fail(
      'GRID_MISMATCH',
      `${file} was drawn in another frame of reference than its image's: give the image that it was drawn on, or register the two`,
    );
  }
  return said[0];
}

/** A grid or volume that knows its frame of reference, where there is one. */
export function referenced<Place extends Grid>(
  place: Place,
  frameOfReferenceUid: string | undefined,
): Place & ReferencedGrid {
  return frameOfReferenceUid ? { ...place, frameOfReferenceUid } : place;
}
