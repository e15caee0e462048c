import type { ImagingErrorCode } from '../imaging-error.js';
import type { OptionsOf, ReaderName, ResultOf } from '../readers.js';
import type { ReadProgress } from '../reading.js';

/** What the reading thread is asked for. */
export interface ReadingRequest<Name extends ReaderName = ReaderName> {
  readonly reader: Name;
  readonly path: string | readonly string[];
  readonly options: OptionsOf<Name>;
  readonly wantsProgress: boolean;
}

/** What it answers: how far it is, and at last a result or an error. */
export type ReadingReply =
  | { readonly progress: ReadProgress }
  | { readonly result: ResultOf<ReaderName> }
  | { readonly error: { readonly code: ImagingErrorCode; readonly message: string } }
  | { readonly defect: string };
