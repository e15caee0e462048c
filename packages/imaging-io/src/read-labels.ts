import { type Grid, sameGrid } from '@onco-response/volume';
import { type ByteSource, type ImageInput, type SourceFile, withSource } from './byte-source.js';
import { maskOf } from './check-voxels.js';
import { readObject } from './dicom-header.js';
import { preparedInflate } from './dicom-inflater.js';
import { type ReadMask, readDicomSeg } from './dicom-seg.js';
import { maskModality } from './dicom-seg-object.js';
import type { ReferencedGrid } from './dicom-seg-reference.js';
import { DICOM_START_BYTES, dicomStart } from './dicom-start.js';
import { ImagingError } from './imaging-error.js';
import { IMAGE_FILE, imageOf } from './read-image.js';
import type { Reading } from './reading.js';
import { readRtstruct } from './rtstruct.js';

export interface MaskOptions {
  /** The image's grid: the mask has to lie on it, or (DICOM) is put on it, and carries exactly its geometry. */
  readonly like?: ReferencedGrid | undefined;
  /**
   * The one label to read as 1. In DICOM a number is the SegmentNumber or ROINumber and a string the SegmentLabel or
   * ROIName.
   */
  readonly segment?: string | number | undefined;
  /** FrameOfReferenceUID of the image, where `like` does not know it: a DICOM mask of another one is refused. */
  readonly frameOfReferenceUid?: string | undefined;
}

/** A label mask, whatever its format. */
export async function labelsOf(input: ImageInput, options: MaskOptions, reading: Reading): Promise<ReadMask> {
  const candidate = dicomCandidate(input);
  const dicom = candidate && (await withSource(candidate, (source) => dicomLabels(source, options, reading)));
  if (dicom !== undefined) return dicom;
  const { like, segment } = options;
  const { name } = input;
  const volume = await imageOf(input, { allowNaN: true }, reading);
  const mask = { ...maskOf(volume, name, segment), warnings: volume.warnings };
  if (like === undefined) return mask;
  if (!sameGrid(mask, like)) {
    throw new ImagingError({
      code: 'GRID_MISMATCH',
      message: `${name} lies on another grid than its image: ${describe(mask)}, image ${describe(like)}; resample the mask onto the image (nearest) and save it again`,
    });
  }
  const { size, spacing, origin, direction } = like;
  return { data: mask.data, size, spacing, origin, direction, warnings: mask.warnings };
}

/** The file that may be a DICOM mask: the input itself, or the only file of a folder. */
function dicomCandidate(input: ImageInput): SourceFile | undefined {
  const files = input.file === undefined ? input.files() : [input.file];
  return files.length === 1 && !IMAGE_FILE.test(files[0]!.name) ? files[0] : undefined;
}

async function dicomLabels(
  source: ByteSource,
  options: MaskOptions,
  { expander }: Reading,
): Promise<ReadMask | undefined> {
  const { name } = source;
  const start = await source.read(0, Math.min(source.size, DICOM_START_BYTES));
  if (dicomStart(start) === undefined) return undefined;
  const bytes = await readObject(source);
  const inflate = await preparedInflate(bytes, name, expander);
  const modality = maskModality(bytes, name, inflate);
  if (modality === 'SEG') return readDicomSeg(bytes, name, { ...options, inflate });
  return modality === 'RTSTRUCT' ? readRtstruct(bytes, name, { ...options, inflate }) : undefined;
}

function describe({ size, spacing, origin, direction }: Grid): string {
  const round = (values: readonly number[]): string => values.map((v) => Number(v.toFixed(4))).join(' ');
  return `size ${size.join(' ')}, spacing ${round(spacing)}, origin ${round(origin)}, direction ${round(direction)}`;
}
