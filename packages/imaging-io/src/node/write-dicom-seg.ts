import type { Mask } from '@onco-response/volume';
import type { ReferencedGrid } from '../dicom-seg-reference.js';
import type { DicomSeries } from '../dicom-series.js';
import { startReading } from '../reading.js';
import { type DicomSegOptions, dicomSegBytes } from '../write-dicom-seg.js';
import { segSourcesOf } from '../write-dicom-seg-source.js';
import { pathInput } from './path-input.js';
import { writeAtomically } from './write-volume.js';
import { zlibExpander } from './zlib-expander.js';

export interface WriteDicomSegOptions extends DicomSegOptions {
  /** The images the mask was drawn on: a folder, files, or what `readDicomSeries` says of the series it read. */
  readonly source: string | readonly string[] | Pick<DicomSeries, 'files' | 'seriesUid'>;
}

/**
 * Writes a mask as a DICOM segmentation object: label n becomes segment n, each frame refers to the slice it was drawn
 * on, patient and study are the image's. The file appears complete or not at all. The same mask, images, options and
 * `now` give the same bytes.
 * @throws ImagingError GRID_MISMATCH (not on the image's grid), EMPTY_MASK, INVALID_MASK (a label that no segment
 * describes), MISSING_ATTRIBUTE (an image without UIDs), NOT_WRITABLE, TOO_LARGE, UNSUPPORTED, and those of
 * `readDicomSeries`
 * @example
 * const { volume, series } = await readDicomSeries('case-1/dicom');
 * const mask = await readMask('case-1/lesions.nii.gz', { like: volume });
 * await writeDicomSeg('case-1/lesions.dcm', mask, { source: series, segments: [{ label: 1, name: 'Tumour' }] });
 */
export async function writeDicomSeg(
  path: string,
  mask: Mask & ReferencedGrid,
  { source, ...options }: WriteDicomSegOptions,
): Promise<void> {
  const series = typeof source === 'string' || !('files' in source) ? undefined : source;
  const seriesUid = options.seriesUid ?? series?.seriesUid;
  // of an enhanced series each plane names the same file
  const files = series === undefined ? (source as string | readonly string[]) : [...new Set(series.files)];
  const rules = seriesUid === undefined ? {} : { seriesUid };
  const sources = await segSourcesOf(pathInput(files), rules, startReading(zlibExpander, {}));
  await writeAtomically(path, [dicomSegBytes(mask, sources, options, path)]);
}
