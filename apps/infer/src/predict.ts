import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type EngineInfo, startEngine } from '@onco-response/engine';
import { readMask, readVolume } from '@onco-response/imaging-io/node';
import { nameMask } from '@onco-response/lesion-mask';
import { slicesToPng } from '@onco-response/report';
import { type BundleMetadata, type ClinicalValues, clinicalInOrder } from '@onco-response/response-model';
import { loadBundle } from '@onco-response/response-model/node';
import { createVolume, type Volume } from '@onco-response/volume';
import writeFileAtomic from 'write-file-atomic';
import { caseReport } from './case-report.js';
import { deriveLesionMask, type MaskOrigin, type MaskOutcome } from './derived-mask.js';
import { InferError } from './infer-error.js';
import { type Strangeness, strangeness } from './strangeness.js';
import { MASK_FILES, writeContactSheet, writeMask } from './write-mask.js';

export interface PredictOptions {
  /** Bundle folder. */
  model: string;
  /** Image file or DICOM folder. */
  image: string;
  /** Mask file on the image's grid; without one, `segmentation` derives it. */
  mask?: string;
  /** Model folder of nnU-Net v2 that derives a missing mask. */
  segmentation?: string;
  /** Labels of that model that count as lesion; else those the bundle was trained with, or the model's only one. */
  lesionLabels?: readonly number[];
  /** Values of the clinical columns that the model was trained with, by name; a number may be text, null is not known. */
  clinical?: Record<string, number | string | null>;
  /** Folder for prediction.json, case-report.html, attention.png and a derived mask. */
  out: string;
  threads?: number;
  /** Run on a card, through @tensorflow/tfjs-node-gpu; without one the prediction is refused. */
  gpu?: boolean;
}

/** What prediction.json says whatever the outcome. */
interface PredictionBase {
  researchUseOnly: true;
  /** The model was trained on synthetic cases: its predictions mean nothing for a patient. */
  syntheticModel: boolean;
  model: string;
  positiveClass: string;
  target: string;
  /** sha256 of the recipe (as JSON) and of every file of the bundle. */
  recipeSha256: string;
  bundleFiles: Record<string, string>;
  engine: EngineInfo;
  warnings: string[];
}

/** The content of prediction.json where no lesion was found: there is nothing to predict from. */
export interface NoLesion extends PredictionBase {
  outcome: 'NO_LESION';
  message: string;
  mask: MaskOrigin;
}

/** The content of prediction.json. */
export interface Prediction extends PredictionBase {
  outcome: 'PREDICTED';
  /** Where the lesion mask came from. */
  mask: { source: 'given' } | (MaskOrigin & { files: string[] });
  /** Calibrated probability of the positive class. */
  probability: number;
  /** Before calibration. */
  logit: number;
  /** A probability at or above it counts as positive. */
  threshold: number;
  thresholdRule: string;
  /** 1 = the positive class. */
  class: 0 | 1;
  lesionVolumeMm3: number;
  /** How unlike the training cases the case is; null where the bundle cannot say. */
  strangeness: Strangeness | null;
  /** Weight of each slice (they sum to 1); slice indices count along the image's slice axis from 0. */
  attention: { slice: number; locationMm: number; weight: number }[];
}

const PREDICTION = 'prediction.json';
const ATTENTION = 'attention.png';
const CASE_REPORT = 'case-report.html';
const SHOWN_SLICES = 6;
/** About how wide a slice is drawn, in pixels. */
const SHOWN_SIDE = 256;

/**
 * Predicts one case and writes `prediction.json`, `case-report.html` and `attention.png` (the most attended slices, the lesion outlined). A mask
 * that was not given is derived, and written beside them with a contact sheet to check it by; where no lesion is found,
 * that is the outcome, and nothing is predicted.
 * Errors are those of imaging-io, lesion-mask, segmentation, response-model and engine.
 * @throws InferError NO_MASK where neither a mask nor a segmentation model is given
 */
export async function predict(options: PredictOptions): Promise<(Prediction | NoLesion) & { out: string }> {
  const { mask: given, lesionLabels } = options;
  const segmentation = given === undefined ? requireSegmentation(options) : undefined;
  const engine = await startEngine({
    backend: 'tensorflow',
    threads: options.threads ?? availableParallelism(),
    gpu: options.gpu ?? false,
  });
  const { model, embeddings, metadata, probability: calibrate } = await loadBundle(options.model);
  const clinical = clinicalInOrder(metadata.recipe.clinical, options.clinical);
  const volume = await readVolume(options.image);
  const derived =
    segmentation === undefined
      ? undefined
      : await deriveLesionMask(volume, { segmentation, lesionLabels }, metadata);
  const base: PredictionBase = {
    researchUseOnly: true,
    syntheticModel: metadata.synthetic,
    model: metadata.name,
    positiveClass: metadata.positiveClass,
    target: metadata.target,
    recipeSha256: createHash('sha256').update(JSON.stringify(metadata.recipe)).digest('hex'),
    bundleFiles: metadata.files,
    engine,
    warnings: [
      ...(metadata.synthetic ? ['the model was trained on synthetic cases only'] : []),
      ...missingClinical(metadata.clinical, clinical),
      ...(derived?.warnings ?? givenUnlikeTraining(metadata)),
    ],
  };
  const { window } = metadata.recipe.input;
  if (derived && !derived.found) {
    model.dispose();
    return writeNoLesion(volume, derived, base, { out: options.out, window });
  }
  const lesion = derived?.found.mask ?? (await readMask(given as string, { like: volume }));
  const { logit, attention, embedding, slices } = await nameMask(
    given ?? `the mask derived from ${options.image}`,
    () => model.predict(volume, lesion, clinical),
  );
  model.dispose();

  await mkdir(options.out, { recursive: true });
  await removeEarlier(options.out);
  const written =
    segmentation === undefined
      ? undefined
      : await writeMask(volume, lesion, { out: options.out, image: options.image, segmentation, window });
  const probability = calibrate(logit);
  const strange = strangeness(embedding, embeddings);
  const prediction: Prediction = {
    outcome: 'PREDICTED',
    ...base,
    mask: derived ? { ...derived.origin, files: written?.files ?? [] } : { source: 'given' },
    probability,
    logit,
    threshold: metadata.threshold.value,
    thresholdRule: metadata.threshold.rule,
    class: probability >= metadata.threshold.value ? 1 : 0,
    lesionVolumeMm3: slices.lesionVolumeMm3,
    strangeness: strange,
    attention: slices.sliceIndices.map((slice, i) => ({
      slice,
      locationMm: slices.sliceLocationsMm[i] as number,
      weight: attention[i] as number,
    })),
    warnings: [
      ...base.warnings,
      ...(written?.warnings ?? []),
      ...slices.warnings,
      ...(strange && strange.distance > strange.limit
        ? [
            'the case is unlike the training cases: its embedding lies farther from them than 95 % of the validation cases',
          ]
        : []),
    ],
  };
  const size = slices.imageSize;
  const most = slices.sliceIndices
    .map((index, i) => ({
      index,
      weight: attention[i] as number,
      size,
      pixels: slices.windowed.subarray(i * size * size, (i + 1) * size * size),
      lesion: slices.lesion.subarray(i * size * size, (i + 1) * size * size),
    }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, SHOWN_SLICES);
  await writeFileAtomic(
    join(options.out, ATTENTION),
    Buffer.from(slicesToPng(most, { zoom: Math.max(1, Math.round(SHOWN_SIDE / size)) })),
  );
  await writeFileAtomic(join(options.out, CASE_REPORT), caseReport(prediction, most, metadata.reference));
  return writePrediction(options.out, prediction);
}

async function writePrediction<P extends Prediction | NoLesion>(
  out: string,
  prediction: P,
): Promise<P & { out: string }> {
  await writeFileAtomic(join(out, PREDICTION), `${JSON.stringify(prediction, null, 2)}\n`);
  return { ...prediction, out };
}

/** The outcome that no lesion was found, and whole slices to check that by. */
async function writeNoLesion(
  volume: Volume,
  { message, origin }: MaskOutcome & { found: null },
  base: PredictionBase,
  { out, window }: { out: string; window: { level: number; width: number } },
): Promise<NoLesion & { out: string }> {
  await mkdir(out, { recursive: true });
  await removeEarlier(out);
  const empty = createVolume({ ...volume, data: new Uint8Array(volume.data.length) });
  await writeContactSheet(volume, empty, { out, window });
  return writePrediction(out, { outcome: 'NO_LESION', message, ...base, mask: origin });
}

/** What an earlier prediction left in the folder is not taken for this one's. */
async function removeEarlier(out: string): Promise<void> {
  for (const name of [PREDICTION, ATTENTION, CASE_REPORT, ...Object.values(MASK_FILES)]) {
    await rm(join(out, name), { force: true });
  }
}

function requireSegmentation({ segmentation }: PredictOptions): string {
  if (segmentation !== undefined) return segmentation;
  throw new InferError({
    code: 'NO_MASK',
    message:
      'there is no lesion mask: give one with --mask, or a model folder of nnU-Net v2 that derives it with --segmentation',
  });
}

function givenUnlikeTraining({ masks }: BundleMetadata): string[] {
  if (!masks || masks.derived === 0) return [];
  return [
    `${masks.given === 0 ? 'the' : `${masks.derived} of the ${masks.given + masks.derived}`} masks of the training cases were derived by ${masks.segmentation?.model}; this one was given and may differ from them in kind`,
  ];
}

/** What was taken for clinical values that are not known. */
function missingClinical(fitted: BundleMetadata['clinical'], values: ClinicalValues | undefined): string[] {
  return (fitted?.columns ?? []).flatMap((column, at) => {
    if (values?.[at] !== null) return [];
    const taken =
      column.kind === 'number'
        ? `the median of the training cases, ${column.median}, stands in`
        : 'none of its categories is taken';
    const unseen = column.indicator ? '' : '; no training case lacked it';
    return [`the clinical value ${column.name} is not known: ${taken}${unseen}`];
  });
}
