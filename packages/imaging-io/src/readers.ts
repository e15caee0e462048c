import type { ImageInput } from './byte-source.js';
import { listedSeries, phasesOf, seriesOf } from './dicom-series.js';
import { ImagingError } from './imaging-error.js';
import { imageOf } from './read-image.js';
import { labelsOf } from './read-labels.js';
import type { Reading } from './reading.js';

/** What can be asked for, in Node and in browsers alike. */
const READERS = {
  readVolume: imageOf,
  readMask: labelsOf,
  readDicomSeries: seriesOf,
  readDicomPhases: phasesOf,
  listDicomSeries: listedSeries,
} as const;

export type ReaderName = keyof typeof READERS;

/** What one reader takes, and gives. */
export type OptionsOf<Name extends ReaderName> = Parameters<(typeof READERS)[Name]>[1];
export type ResultOf<Name extends ReaderName> = Awaited<ReturnType<(typeof READERS)[Name]>>;

type Reader = (input: ImageInput, options: object, reading: Reading) => Promise<unknown>;

/** Runs a reader. */
export async function runReader<Name extends ReaderName>(
  reader: Name,
  input: ImageInput,
  options: OptionsOf<Name>,
  reading: Reading,
): Promise<ResultOf<Name>> {
  try {
    return (await (READERS[reader] as Reader)(input, options, reading)) as ResultOf<Name>;
  } catch (error) {
    // what JavaScript throws where an array does not fit into memory
    if (!(error instanceof RangeError && /allocation|length/i.test(error.message))) throw error;
    throw new ImagingError({ code: 'TOO_LARGE', message: `${input.name} needs more memory than there is` });
  }
}
