import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { parseCheckedYaml } from './checked-yaml.js';
import { TrainError } from './train-error.js';

const count = z.int().positive();
const text = z.string().min(1);
const share = z.number().gt(0).lt(1);
const sides = z.tuple([count, count, count]);

/** The file of `onco-train segment`. */
export const segmentStudySchema = z.strictObject({
  name: text,
  /** A CSV file with `patient_id`, the image columns and `mask`; relative to this file. Other columns are left alone. */
  cohort: text,
  /** true where the images were made by a computer: the results say so. */
  synthetic: z.boolean().default(false),
  /** Images of a case, each a column of the cohort. The name decides the normalisation: CT, or else z-scores. */
  channels: z
    .array(z.strictObject({ column: text, name: text }))
    .min(1)
    .default([{ column: 'image', name: 'CT' }]),
  /** Values of the masks, from 1 on. */
  labels: z.record(text, count).default({ lesion: 1 }),
  seed: z.int().min(0).default(0),
  /** CPU threads; the same seed and threads give the same bytes. */
  threads: count.optional(),
  /** Compute on a graphics card, with @tensorflow/tfjs-node-gpu. */
  gpu: z.boolean().default(false),
  /** Only so many patients, drawn by the seed. */
  patients: count.optional(),
  /** Shares of the patients; a `split` column (train, validation, test) goes before. */
  splits: z
    .strictObject({ train: share, validation: share, test: share })
    .default({ train: 0.6, validation: 0.1, test: 0.3 }),
  /** nnU-Net's rules, with limits of ours for networks that a CPU trains. */
  plan: z
    .strictObject({
      configuration: z.enum(['2d', '3d_fullres', '3d_lowres']).default('3d_fullres'),
      /** On the planned stages: nnU-Net's own (plainUnet, the default), or system 4's other two. */
      architecture: z.enum(['plainUnet', 'attentionUnet', 'vectorQuantisedUnet']).optional(),
      /** Of vectorQuantisedUnet; else 1024 vectors of 256 features and a commitment loss of weight 0.25. */
      codebook: z
        .strictObject({
          size: count.optional(),
          features: count.optional(),
          commitment: z.number().min(0).optional(),
        })
        .optional(),
      /** Features of the first stage; nnU-Net: 32. */
      featuresBase: count.default(32),
      /** nnU-Net: 320 in 3D, 512 in 2D. */
      maxFeatures: count.optional(),
      /** As nnU-Net counts GPU memory. */
      memoryGb: z.number().positive().default(8),
      /** Sides of a patch [thick axis, ...] are no larger, before they are made divisible. */
      maxPatch: sides.optional(),
      batchSize: count.optional(),
      /** mm [z, y, x]; else the median's rule. */
      spacing: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]).optional(),
    })
    .prefault({}),
  training: z
    .strictObject({
      /** nnU-Net: 1000 of 250 steps. */
      epochs: count.default(1000),
      stepsPerEpoch: count.default(250),
      learningRate: z.number().positive().default(0.01),
      momentum: z.number().min(0).lt(1).default(0.99),
      weightDecay: z.number().min(0).default(3e-5),
      /** Of the patches, around a voxel of the lesion. */
      foregroundShare: z.number().min(0).max(1).default(0.33),
      augment: z.boolean().default(true),
      /** Of vectorQuantisedUnet: the codebook begins as features of the first batch (default), or as the reference's. */
      codebookStart: z.enum(['firstBatch', 'uniform']).optional(),
      /** Validation cases are segmented whole after so many epochs, and after the last. */
      validateEvery: count.default(10),
      /** At most so many of them, drawn by the seed. */
      validationCases: count.default(20),
      /** Bytes of prepared cases that are kept in memory; the others are read again. */
      cacheBytes: count.default(2e9),
    })
    .prefault({}),
  evaluation: z
    .strictObject({
      /** The network after the last epoch, as nnU-Net, or the one of the best validation Dice. */
      checkpoint: z.enum(['final', 'best']).default('final'),
      /** Average over mirrored patches: up to 8 times as long. */
      mirror: z.boolean().default(true),
      /** Contact sheets of the worst, the middle and the best test cases, so many in all. */
      sheets: z.int().min(0).default(12),
      window: z
        .strictObject({ level: z.number(), width: z.number().positive() })
        .default({ level: 40, width: 400 }),
    })
    .prefault({}),
});
export type SegmentStudy = z.infer<typeof segmentStudySchema>;

/**
 * Reads and checks the file of `onco-train segment`; its cohort becomes an absolute path.
 * @throws TrainError MISSING_FILE, INVALID_STUDY naming each wrong key with its line
 */
export async function loadSegmentStudy(path: string): Promise<SegmentStudy> {
  const content = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new TrainError({ code: 'MISSING_FILE', message: `there is no study file at ${path}`, cause });
  });
  const study = parseSegmentStudy(content, path);
  return { ...study, cohort: resolve(dirname(path), study.cohort) };
}

/** Checks a study's text; `path` is only named in errors. */
export function parseSegmentStudy(content: string, path: string): SegmentStudy {
  const study = parseCheckedYaml(segmentStudySchema, content, path);
  const values = Object.values(study.labels).sort((a, b) => a - b);
  if (values.some((value, index) => value !== index + 1)) {
    throw new TrainError({
      code: 'INVALID_STUDY',
      message: `${path}: labels: the values have to be 1, 2, 3 ... without a gap, not ${values.join(', ')}`,
    });
  }
  if (study.plan.codebook && study.plan.architecture !== 'vectorQuantisedUnet') {
    throw new TrainError({
      code: 'INVALID_STUDY',
      message: `${path}: plan.codebook is of architecture: vectorQuantisedUnet, not of ${study.plan.architecture ?? 'plainUnet'}`,
    });
  }
  return study;
}
