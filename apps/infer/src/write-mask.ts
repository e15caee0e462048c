import { basename, join, resolve } from 'node:path';
import { ImagingError, writeDicomSeg, writeVolume } from '@onco-response/imaging-io/node';
import { lesionContactSheet, type MaskFlag } from '@onco-response/lesion-mask';
import { encodePng } from '@onco-response/report';
import type { Mask, Volume } from '@onco-response/volume';
import writeFileAtomic from 'write-file-atomic';
import { isDicom } from './derived-mask.js';

/** Files that a derived mask leaves in the output folder. */
export const MASK_FILES = {
  nifti: 'lesion-mask.nii.gz',
  dicomSeg: 'lesion-mask.dcm',
  contactSheet: 'lesion-mask.png',
} as const;

export interface WriteMaskOptions {
  out: string;
  /** The image as it was given: of a DICOM series, the mask is written as DICOM SEG too. */
  image: string;
  /** Folder of the segmentation model. */
  segmentation: string;
  window: { level: number; width: number };
}

/**
 * Writes a derived mask as NIfTI, for a DICOM series as DICOM SEG, and the contact sheet to check it by.
 * @returns the names of the files, and why there is no DICOM SEG where the series does not allow one
 */
export async function writeMask(
  volume: Volume,
  mask: Mask,
  { out, image, segmentation, window }: WriteMaskOptions,
): Promise<{ files: string[]; warnings: string[] }> {
  await writeVolume(join(out, MASK_FILES.nifti), mask);
  const files: string[] = [MASK_FILES.nifti];
  const warnings: string[] = [];
  if (await isDicom(image)) {
    try {
      await writeDicomSeg(join(out, MASK_FILES.dicomSeg), mask, {
        source: image,
        segments: [
          {
            label: 1,
            name: 'Lesion',
            algorithm: 'AUTOMATIC',
            algorithmName: basename(resolve(segmentation)).slice(0, 64),
          },
        ],
        seriesDescription: 'Lesion, derived automatically',
      });
      files.push(MASK_FILES.dicomSeg);
    } catch (error) {
      if (!ImagingError.isInstance(error)) throw error;
      warnings.push(`no DICOM SEG was written: [${error.code}] ${error.message}`);
    }
  }
  await writeContactSheet(volume, mask, { out, window });
  return { files: [...files, MASK_FILES.contactSheet], warnings };
}

/** The picture to check a mask by; of an empty mask it shows whole slices. */
export async function writeContactSheet(
  volume: Volume,
  mask: Mask,
  { out, window, flags }: Pick<WriteMaskOptions, 'out' | 'window'> & { flags?: readonly MaskFlag[] },
): Promise<void> {
  const sheet = lesionContactSheet(volume, mask, {
    window,
    title: 'derived lesion mask',
    ...(flags && { flags }),
  });
  await writeFileAtomic(join(out, MASK_FILES.contactSheet), Buffer.from(encodePng(sheet)));
}
