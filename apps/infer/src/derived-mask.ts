import { open, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import {
  DEFAULT_CLEANING,
  type DerivedMask,
  deriveMask,
  LesionMaskError,
  type MaskCleaning,
  type MaskFlag,
  type MaskStep,
} from '@onco-response/lesion-mask';
import type { BundleMetadata } from '@onco-response/response-model';
import { hashNnUnet, loadNnUnet } from '@onco-response/segmentation/node';
import type { Volume } from '@onco-response/volume';

/** How a lesion mask came about, for prediction.json. */
export interface MaskOrigin {
  source: 'derived';
  /** The segmentation model's own description: folder, configuration, trainer, folds. */
  model: Readonly<Record<string, unknown>>;
  /** sha256 of each of its files, and of that list. */
  modelFiles: Readonly<Record<string, string>>;
  modelSha256: string;
  /** Labels of the model that count as lesion; null where it has only one. */
  labels: readonly number[] | null;
  cleaning: MaskCleaning;
  /** What was done to the network's mask, with voxels before and after. */
  steps: readonly MaskStep[];
  /** What a person should look at. */
  flags: readonly MaskFlag[];
  lesionVolumeMm3: number;
  components: number;
  /** The network's mean probability inside the lesion; null where it was not kept. */
  confidence: number | null;
}

export type MaskOutcome =
  | { found: DerivedMask; origin: MaskOrigin; warnings: string[] }
  | { found: null; message: string; origin: MaskOrigin; warnings: string[] };

/**
 * Derives the lesion mask of an image with an nnU-Net v2 model, cleaned as the bundle says of its training masks. That no
 * lesion is found is an outcome, not an error.
 * @throws what `loadNnUnet` and `deriveMask` throw, but NO_LESION
 */
export async function deriveLesionMask(
  volume: Volume,
  { segmentation, lesionLabels }: { segmentation: string; lesionLabels?: readonly number[] | undefined },
  { masks }: Pick<BundleMetadata, 'masks'>,
): Promise<MaskOutcome> {
  const hashed = await hashNnUnet(segmentation);
  const trained = masks?.segmentation ?? undefined;
  const sameModel = trained?.sha256 === hashed.sha256;
  const labels = lesionLabels ?? (sameModel ? trained?.labels : undefined) ?? null;
  const cleaning = trained?.cleaning ?? DEFAULT_CLEANING;
  const segmenter = await loadNnUnet(segmentation);
  const origin: MaskOrigin = {
    source: 'derived',
    model: segmenter.description,
    modelFiles: hashed.files,
    modelSha256: hashed.sha256,
    labels,
    cleaning,
    steps: [],
    flags: [],
    lesionVolumeMm3: 0,
    components: 0,
    confidence: null,
  };
  const warnings = unlikeTraining(masks, { sameModel, labels, name: basename(resolve(segmentation)) });
  try {
    const found = await deriveMask([volume], segmenter, { labels, cleaning });
    const { flags, volumeMm3, components, confidence } = found.quality;
    return {
      found,
      origin: {
        ...origin,
        labels: found.labels,
        steps: found.steps,
        flags,
        lesionVolumeMm3: volumeMm3,
        components,
        confidence,
      },
      warnings: [
        ...warnings,
        ...found.warnings.map((text) => `derived mask: ${text}`),
        ...flags.map(({ code, message }) => `derived mask, ${code}: ${message}`),
      ],
    };
  } catch (error) {
    if (!LesionMaskError.isInstance(error) || error.code !== 'NO_LESION') throw error;
    return { found: null, message: error.message, origin: { ...origin, steps: error.steps }, warnings };
  } finally {
    segmenter.dispose();
  }
}

/** Masks that are made otherwise than those of the training cases may shift the prediction. */
function unlikeTraining(
  masks: BundleMetadata['masks'],
  { sameModel, labels, name }: { sameModel: boolean; labels: readonly number[] | null; name: string },
): string[] {
  if (!masks) return [];
  const { segmentation, derived } = masks;
  if (!segmentation || derived === 0) {
    return [
      'the model was trained on given masks only; this one was derived and may differ from them in kind',
    ];
  }
  if (!sameModel) {
    return [
      `the masks of the training cases were derived by another segmentation model (${segmentation.model}) than this one (${name})`,
    ];
  }
  if (labels?.join() === segmentation.labels.join()) return [];
  return [
    `the masks of the training cases are the labels ${segmentation.labels.join(', ')} of the segmentation model, not ${labels?.join(', ')}`,
  ];
}

/** True for a folder, which only DICOM series are, and for a file that starts as DICOM does. */
export async function isDicom(path: string): Promise<boolean> {
  if ((await stat(path)).isDirectory()) return true;
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 128);
    return buffer.toString('latin1') === 'DICM';
  } finally {
    await file.close();
  }
}
