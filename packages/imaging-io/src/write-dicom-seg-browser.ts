import type { Mask } from '@onco-response/volume';
import { blobInput } from './blob-source.js';
import type { ReferencedGrid } from './dicom-seg-reference.js';
import { type ReadingOptions, startReading } from './reading.js';
import { streamExpander } from './stream-expander.js';
import { type DicomSegOptions, dicomSegBytes } from './write-dicom-seg.js';
import { segSourcesOf } from './write-dicom-seg-source.js';

export interface EncodeDicomSegOptions extends DicomSegOptions, ReadingOptions {
  /** The images the mask was drawn on: what was dropped or chosen, other files among it. */
  readonly source: File | readonly File[];
}

/**
 * A mask as the bytes of a DICOM segmentation object: label n becomes segment n, each frame refers to the slice it was
 * drawn on, patient and study are the image's. The same mask, images, options and `now` give the same bytes.
 * @throws ImagingError as `writeDicomSeg` of `@onco-response/imaging-io/node`; the reason of `signal`
 * @example
 * const bytes = await encodeDicomSeg(mask, { source: [...input.files], segments: [{ label: 1, name: 'Tumour' }] });
 * link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/dicom' }));
 */
export async function encodeDicomSeg(
  mask: Mask & ReferencedGrid,
  { source, signal, onProgress, ...options }: EncodeDicomSegOptions,
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const reading = startReading(streamExpander, { signal, onProgress });
  const { seriesUid } = options;
  const sources = await segSourcesOf(
    blobInput(source),
    seriesUid === undefined ? {} : { seriesUid },
    reading,
  );
  return dicomSegBytes(mask, sources, options, 'the mask');
}
