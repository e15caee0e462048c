import type { Expander } from './byte-source.js';
import type { OtherFormats } from './other-formats.js';

/** How far a read has come. */
export interface ReadProgress {
  readonly done: number;
  readonly total: number;
  /** `files`: headers looked at, of a DICOM folder; `bytes`: of a file, or of the voxels of a DICOM series. */
  readonly unit: 'files' | 'bytes';
}

/** What every reader takes. */
export interface ReadingOptions {
  /** Ends the read: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called about twenty times a second, and at the end of each unit. */
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
}

/** One read under way. */
export interface Reading {
  readonly expander: Expander;
  readonly otherFormats: OtherFormats | undefined;
  readonly signal: AbortSignal | undefined;
  /** Says how far it is, and ends the read where the caller wants it to end. */
  step(progress: ReadProgress): void;
}

/** Progress is told this often, ms. */
const PROGRESS_INTERVAL = 50;

/** A read on this thread. */
export function startReading(
  expander: Expander,
  { signal, onProgress }: ReadingOptions,
  otherFormats?: OtherFormats,
): Reading {
  let told = -Infinity;
  return {
    expander,
    otherFormats,
    signal,
    step(progress) {
      signal?.throwIfAborted();
      const now = performance.now();
      if (onProgress === undefined || (progress.done < progress.total && now - told < PROGRESS_INTERVAL))
        return;
      told = now;
      onProgress(progress);
    },
  };
}
