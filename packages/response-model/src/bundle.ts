import { readStandardiser, standardiserParametersSchema } from '@onco-response/cohort';
import { adapterFromFiles, adapterToFiles, loadVit } from '@onco-response/encoder';
import { readSafetensors, toFloat32, type WeightTensor, writeSafetensors } from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { isAdapted, vitOptions } from './adapted-encoder.js';
import { recipeSchema } from './recipe.js';
import { ResponseModel } from './response-model.js';
import { ResponseModelError } from './response-model-error.js';

export const BUNDLE_FORMAT = 1;
const HEAD = 'head.safetensors';
const REFERENCE = 'reference.safetensors';
const ADAPTER = 'adapter/';
const ENCODER = 'encoder/';

/** Given masks and those that a segmentation model derived. */
const bundleMasksSchema = z.strictObject({
  given: z.int(),
  derived: z.int(),
  /** Cases left out because no lesion was found in them. */
  noLesion: z.int(),
  /** What derived them; null where every mask was given. */
  segmentation: z
    .strictObject({
      /** Name of the model's folder. */
      model: z.string(),
      /** Of the list of its files' hashes. */
      sha256: z.string(),
      /** Labels of the model that count as lesion. */
      labels: z.array(z.int()),
      cleaning: z.strictObject({
        closingMm: z.number().nullable(),
        fillHoles: z.boolean(),
        minimumVolumeMm3: z.number(),
        largest: z.number().nullable(),
      }),
    })
    .nullable(),
});

const count = z.int().min(0);

/** Counts and quantiles of the cases behind a model: what a single prediction is held against. */
export const bundleReferenceSchema = z.strictObject({
  training: z.strictObject({
    cases: count,
    positives: count,
    /** 0 %, 1 %, ... 100 % of the lesion volumes. */
    lesionVolumeQuantilesMm3: z.array(z.number()).length(101),
  }),
  /** Cases that neither weights nor calibration nor threshold were fitted on; null where there are none. */
  test: z
    .strictObject({
      /** Probabilities from 0 to 1 in bins of equal width. */
      bins: z.array(z.strictObject({ cases: count, positives: count })),
      /** At the model's threshold. */
      truePositives: count,
      falsePositives: count,
      trueNegatives: count,
      falseNegatives: count,
    })
    .nullable(),
});

export type BundleReference = z.infer<typeof bundleReferenceSchema>;

/** `bundle.json`: all that is known of a trained model but its weights. */
export const bundleMetadataSchema = z.strictObject({
  format: z.literal(BUNDLE_FORMAT),
  name: z.string(),
  /** True when the model was trained on synthetic cases. */
  synthetic: z.boolean(),
  /** What label 1 means. */
  positiveClass: z.string(),
  /** One sentence: what is predicted, for whom, from what. */
  target: z.string(),
  recipe: recipeSchema,
  /** What the training cases' clinical columns were found to be; null where the recipe names none. */
  clinical: standardiserParametersSchema.nullable().default(null),
  /** Platt scaling fitted on validation cases: probability = 1 / (1 + exp(a logit + b)). */
  calibration: z.strictObject({ a: z.number(), b: z.number() }),
  /** A probability at or above it counts as positive; chosen on validation cases. */
  threshold: z.strictObject({ value: z.number(), rule: z.string() }),
  /** sha256 of every other file of the bundle. */
  files: z.record(z.string(), z.string()),
  /** Where the lesion masks of the training study's cases came from; an earlier version did not say. */
  masks: bundleMasksSchema.optional(),
  /** Which cases stand behind the model, in summary; an earlier version did not say. */
  reference: bundleReferenceSchema.optional(),
  /** What trained it: versions, seed, device, hashes of study and splits. */
  provenance: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type BundleMetadata = z.infer<typeof bundleMetadataSchema>;

/** What of `bundle.json` does not follow from the model. */
export type BundleDescription = Omit<BundleMetadata, 'format' | 'recipe' | 'clinical' | 'files'>;

/** Files by their path inside the bundle. */
export type BundleFiles = Map<string, Uint8Array>;

/** Volumetric embeddings, [D] each, of the cases behind a model: what a new case's embedding is held against. */
export interface ReferenceEmbeddings {
  training: readonly Float32Array[];
  validation: readonly Float32Array[];
}

export interface LoadedBundle {
  model: ResponseModel;
  /** Undefined in the bundle of an earlier version. */
  embeddings: ReferenceEmbeddings | undefined;
  metadata: BundleMetadata;
  /** Calibrated probability of the positive class from a logit. */
  probability(logit: number): number;
}

/**
 * The bundle's files but the encoder's own: adapter in peft's format, aggregation and head as one safetensors file,
 * `bundle.json` with the hashes of all files.
 * @param encoderFiles the encoder's directory (`config.json`, `model.safetensors`, …), stored unchanged
 */
export async function bundleToFiles(
  model: ResponseModel,
  metadata: BundleDescription,
  encoderFiles: BundleFiles,
  embeddings?: ReferenceEmbeddings,
): Promise<BundleFiles> {
  const files: BundleFiles = new Map();
  for (const [name, bytes] of encoderFiles) files.set(ENCODER + name, bytes);
  if (isAdapted(model.recipe.encoder)) {
    const { config, weights } = adapterToFiles(model.vit);
    files.set(`${ADAPTER}adapter_config.json`, encodeJson(config));
    files.set(`${ADAPTER}adapter_model.safetensors`, weights);
  }
  const head = new Map<string, WeightTensor>();
  for (const [name, variable] of Object.entries(headTensors(model))) {
    head.set(name, { dtype: 'F32', shape: variable.shape, data: (await variable.data()) as Float32Array });
  }
  files.set(HEAD, writeSafetensors(head));
  if (embeddings) files.set(REFERENCE, writeSafetensors(new Map(Object.entries(embeddings).map(stacked))));
  const hashes: Record<string, string> = {};
  for (const name of [...files.keys()].sort()) hashes[name] = await sha256(files.get(name) as Uint8Array);
  const complete: BundleMetadata = {
    format: BUNDLE_FORMAT,
    ...metadata,
    recipe: model.recipe,
    clinical: model.clinical?.parameters ?? null,
    files: hashes,
  };
  files.set('bundle.json', encodeJson(complete));
  return files;
}

/**
 * A model ready to predict, from a bundle's files. Every file is checked against its sha256 first.
 * @throws ResponseModelError INVALID_BUNDLE, MISSING_FILE, HASH_MISMATCH, MISSING_KEYS, UNEXPECTED_KEYS, SHAPE_MISMATCH
 */
export async function bundleFromFiles(files: BundleFiles): Promise<LoadedBundle> {
  const metadata = parseMetadata(requireFile(files, 'bundle.json'));
  for (const [name, expected] of Object.entries(metadata.files)) {
    const found = await sha256(requireFile(files, name));
    if (found !== expected) {
      throw new ResponseModelError({
        code: 'HASH_MISMATCH',
        message: `${name} of the bundle has sha256 ${found}, bundle.json says ${expected}: copy the bundle again`,
      });
    }
  }
  const { recipe, clinical } = metadata;
  if (recipe.clinical.length > 0 && clinical === null) {
    throw new ResponseModelError({
      code: 'INVALID_BUNDLE',
      message: `bundle.json does not say what the clinical columns ${recipe.clinical.join(', ')} were at training: an earlier version wrote it; train again`,
    });
  }
  const preprocessor = files.has(`${ENCODER}preprocessor_config.json`)
    ? 'preprocessor_config.json'
    : undefined;
  const vit = await loadVit(
    {
      config: parseJson(files, `${ENCODER}config.json`),
      weights: requireFile(files, `${ENCODER}model.safetensors`),
      ...(preprocessor && { preprocessor: parseJson(files, ENCODER + preprocessor) }),
    },
    vitOptions(recipe),
  );
  if (isAdapted(recipe.encoder)) {
    adapterFromFiles(vit, {
      config: parseJson(files, `${ADAPTER}adapter_config.json`),
      weights: requireFile(files, `${ADAPTER}adapter_model.safetensors`),
    });
  }
  const model = new ResponseModel({
    recipe,
    vit,
    seed: 0,
    ...(clinical && { clinical: readStandardiser(clinical) }),
  });
  assignStrictly(headTensors(model), readSafetensors(requireFile(files, HEAD)).tensors, HEAD);
  const { a, b } = metadata.calibration;
  const embeddings = files.has(REFERENCE) ? referenceOf(requireFile(files, REFERENCE)) : undefined;
  return { model, embeddings, metadata, probability: (logit) => 1 / (1 + Math.exp(a * logit + b)) };
}

function stacked([name, rows]: [string, readonly Float32Array[]]): [string, WeightTensor] {
  const width = rows[0]?.length ?? 0;
  const data = new Float32Array(rows.length * width);
  for (const [at, row] of rows.entries()) data.set(row, at * width);
  return [name, { dtype: 'F32', shape: [rows.length, width], data }];
}

function referenceOf(bytes: Uint8Array): ReferenceEmbeddings {
  const { tensors } = readSafetensors(bytes);
  const rows = (name: string): Float32Array[] => {
    const tensor = tensors.get(name);
    const [count, width] = tensor?.shape ?? [];
    if (tensor === undefined || count === undefined || width === undefined) {
      throw new ResponseModelError({
        code: 'MISSING_KEYS',
        message: `${REFERENCE} lacks ${name} [cases, D]`,
      });
    }
    const data = toFloat32(tensor);
    return Array.from({ length: count }, (_, at) => data.slice(at * width, (at + 1) * width));
  };
  return { training: rows('training'), validation: rows('validation') };
}

function headTensors(model: ResponseModel): Record<string, tf.Variable> {
  return Object.fromEntries(
    Object.entries(model.namedTensors()).filter(([name]) => !name.startsWith('adapter.')),
  );
}

/** Copies tensors into variables of the same names and shapes; anything missing, left over or of another shape is named. */
function assignStrictly(
  variables: Record<string, tf.Variable>,
  tensors: Map<string, WeightTensor>,
  file: string,
): void {
  const missing = Object.keys(variables).filter((name) => !tensors.has(name));
  const unexpected = [...tensors.keys()].filter((name) => !(name in variables));
  if (missing.length > 0) {
    throw new ResponseModelError({ code: 'MISSING_KEYS', message: `${file} lacks ${missing.join(', ')}` });
  }
  if (unexpected.length > 0) {
    throw new ResponseModelError({
      code: 'UNEXPECTED_KEYS',
      message: `${file} has ${unexpected.join(', ')}, which the recipe knows nothing of`,
    });
  }
  for (const [name, variable] of Object.entries(variables)) {
    const tensor = tensors.get(name) as WeightTensor;
    if (tensor.shape.join() !== variable.shape.join()) {
      throw new ResponseModelError({
        code: 'SHAPE_MISMATCH',
        message: `${file}: ${name} has shape [${tensor.shape}], the recipe expects [${variable.shape}]`,
      });
    }
    tf.tidy(() => variable.assign(tf.tensor(toFloat32(tensor), variable.shape)));
  }
}

function parseMetadata(bytes: Uint8Array): BundleMetadata {
  try {
    return bundleMetadataSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    const detail = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new ResponseModelError({
      code: 'INVALID_BUNDLE',
      message: `bundle.json cannot be used: ${detail}`,
      cause,
    });
  }
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}

function parseJson(files: BundleFiles, name: string): unknown {
  return JSON.parse(new TextDecoder().decode(requireFile(files, name)));
}

function requireFile(files: BundleFiles, name: string): Uint8Array {
  const bytes = files.get(name);
  if (!bytes)
    throw new ResponseModelError({
      code: 'MISSING_FILE',
      message: `the bundle has no ${name}: copy it again`,
    });
  return bytes;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
