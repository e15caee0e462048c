import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type EngineInfo, startEngine } from '@onco-response/engine';
import { readMask, readVolume } from '@onco-response/imaging-io/node';
import { nameMask } from '@onco-response/lesion-mask';
import { slicesToPng } from '@onco-response/report';
import { clinicalInOrder } from '@onco-response/response-model';
import { loadBundle } from '@onco-response/response-model/node';
import writeFileAtomic from 'write-file-atomic';

export interface PredictOptions {
  /** Bundle folder. */
  model: string;
  /** Image file or DICOM folder. */
  image: string;
  /** Mask file on the image's grid. */
  mask: string;
  /** Values of the clinical columns that the model was trained with, by name; null for one that is not known. */
  clinical?: Record<string, number | null>;
  /** Folder for prediction.json and attention.png. */
  out: string;
  threads?: number;
  /** Run on a card, through @tensorflow/tfjs-node-gpu; without one the prediction is refused. */
  gpu?: boolean;
}

/** The content of prediction.json. */
export interface Prediction {
  researchUseOnly: true;
  /** The model was trained on synthetic cases: its predictions mean nothing for a patient. */
  syntheticModel: boolean;
  model: string;
  positiveClass: string;
  target: string;
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
  /** Weight of each slice (they sum to 1); slice indices count along the image's slice axis from 0. */
  attention: { slice: number; locationMm: number; weight: number }[];
  /** sha256 of the recipe (as JSON) and of every file of the bundle. */
  recipeSha256: string;
  bundleFiles: Record<string, string>;
  engine: EngineInfo;
  warnings: string[];
}

const SHOWN_SLICES = 6;
/** About how wide a slice is drawn, in pixels. */
const SHOWN_SIDE = 256;

/**
 * Predicts one case and writes `prediction.json` and `attention.png` (the most attended slices, the lesion outlined).
 * Errors are those of imaging-io, lesion-mask, response-model and engine.
 */
export async function predict(options: PredictOptions): Promise<Prediction & { out: string }> {
  const engine = await startEngine({
    backend: 'tensorflow',
    threads: options.threads ?? availableParallelism(),
    gpu: options.gpu ?? false,
  });
  const { model, metadata, probability: calibrate } = await loadBundle(options.model);
  const clinical = clinicalInOrder(metadata.recipe.clinical, options.clinical);
  const volume = await readVolume(options.image);
  const mask = await readMask(options.mask, { like: volume });
  const { logit, attention, slices } = await nameMask(options.mask, () =>
    model.predict(volume, mask, clinical),
  );
  model.dispose();

  const probability = calibrate(logit);
  const prediction: Prediction = {
    researchUseOnly: true,
    syntheticModel: metadata.synthetic,
    model: metadata.name,
    positiveClass: metadata.positiveClass,
    target: metadata.target,
    probability,
    logit,
    threshold: metadata.threshold.value,
    thresholdRule: metadata.threshold.rule,
    class: probability >= metadata.threshold.value ? 1 : 0,
    lesionVolumeMm3: slices.lesionVolumeMm3,
    attention: slices.sliceIndices.map((slice, i) => ({
      slice,
      locationMm: slices.sliceLocationsMm[i] as number,
      weight: attention[i] as number,
    })),
    recipeSha256: createHash('sha256').update(JSON.stringify(metadata.recipe)).digest('hex'),
    bundleFiles: metadata.files,
    engine,
    warnings: [
      ...(metadata.synthetic ? ['the model was trained on synthetic cases only'] : []),
      ...slices.warnings,
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
  await mkdir(options.out, { recursive: true });
  await writeFileAtomic(
    join(options.out, 'attention.png'),
    Buffer.from(slicesToPng(most, { zoom: Math.max(1, Math.round(SHOWN_SIDE / size)) })),
  );
  await writeFileAtomic(join(options.out, 'prediction.json'), `${JSON.stringify(prediction, null, 2)}\n`);
  return { ...prediction, out: options.out };
}
