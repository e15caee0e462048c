import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { recipeSchema } from '@onco-response/response-model';
import { LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { z } from 'zod';
import { TrainError } from './train-error.js';

const positive = z.number().positive();
const count = z.int().positive();
const fraction = z.number().gt(0).lt(1);

/** A study file. Every default is ours, not a paper's, except where the comment names a source. */
export const studySchema = z.strictObject({
  name: z.string().min(1),
  /** What label 1 means, for example "responder". */
  positiveClass: z.string().min(1),
  /** One sentence: what is predicted, for whom, from what. */
  target: z.string().min(1),
  /** cohort.csv, relative to the study file. */
  cohort: z.string().min(1),
  /** A name that `onco-train pull` knows, or a Hugging Face directory, relative to the study file. */
  encoder: z.string().min(1).default('dinov2-small'),
  /** One seed for the splits, initial weights, order of cases, dropout and bootstrap: separate streams of it. */
  seed: z.int().min(0).default(0),
  /** CPU threads; the same seed and thread count give the same bytes. null = all cores. */
  threads: count.nullable().default(null),
  splits: z
    .strictObject({ train: fraction, validation: fraction, test: fraction })
    .refine(
      ({ train, validation, test }) => Math.abs(train + validation + test - 1) < 1e-9,
      'the fractions have to sum to 1',
    )
    .default({ train: 0.7, validation: 0.1, test: 0.2 }),
  /** Use only so many patients, drawn by the seed; null = all. */
  patients: count.nullable().default(null),
  model: recipeSchema.prefault({}),
  loss: z
    .strictObject({
      /** weightedBce: positives weigh n_negative / n_positive of the training cases. */
      classification: z.enum(['weightedBce', 'bce', 'focal']).default('weightedBce'),
      focalGamma: z.number().min(0).default(2),
      /** Weight of the supervised contrastive loss; 0 leaves it out. */
      contrastive: z.number().min(0).default(0.5),
      /** 0.07 as in the group's code. */
      temperature: positive.default(0.07),
      /** Weight of the hard-negative loss; 0 leaves it out. */
      hardNegatives: z.number().min(0).default(0.1),
      /** The paper's mining formula is unknown. */
      hardNegativeMode: z.enum(['reweight', 'topk', 'batchHardTriplet']).default('topk'),
      /** Earlier projections that serve as further keys of both contrastive losses. */
      memory: z.int().min(0).default(64),
    })
    .prefault({}),
  training: z
    .strictObject({
      epochs: count.default(20),
      /** Cases a step. */
      batchSize: count.default(8),
      /** A random part of a case's slices a step; null = all of them. */
      slicesPerStep: count.nullable().default(null),
      learningRate: positive.default(5e-4),
      weightDecay: z.number().min(0).default(1e-2),
      warmUpEpochs: z.number().min(0).default(1),
      clipNorm: positive.default(1),
      /** Which validation figure picks the best epoch and stops early. */
      monitor: z.enum(['loss', 'auc']).default('loss'),
      minimumEpochs: count.default(5),
      /** Epochs without a better validation figure before training stops. */
      patience: count.default(8),
    })
    .prefault({}),
  evaluation: z
    .strictObject({
      resamples: count.default(2000),
      level: fraction.default(0.95),
      /** Test cases whose slices and attention the report shows. */
      attentionCases: z.int().min(0).default(6),
    })
    .prefault({}),
  /** Precision of cached prefix tokens on disk. */
  cachePrecision: z.enum(['float16', 'float32']).default('float16'),
});
export type Study = z.infer<typeof studySchema>;

export interface LoadedStudy {
  study: Study;
  /** sha256 of the study with every default filled in. */
  hash: string;
  /** Paths inside the study are relative to this folder. */
  folder: string;
}

/**
 * Reads and checks a study file.
 * @throws TrainError MISSING_FILE, INVALID_STUDY naming each wrong key with its line
 */
export async function loadStudy(path: string): Promise<LoadedStudy> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new TrainError({ code: 'MISSING_FILE', message: `there is no study file at ${path}`, cause });
  }
  const study = parseStudy(text, path);
  const hash = createHash('sha256').update(JSON.stringify(study)).digest('hex');
  return { study, hash, folder: dirname(resolve(path)) };
}

/** Checks a study's text; `path` is only named in errors. */
export function parseStudy(text: string, path: string): Study {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken) {
    throw new TrainError({
      code: 'INVALID_STUDY',
      message: `${path}:${broken.linePos?.[0].line ?? '?'}: ${broken.message}`,
    });
  }
  const result = studySchema.safeParse(document.toJS());
  if (result.success) return result.data;
  const lineOf = (node: unknown) => {
    const range = (node as { range?: [number, number, number] | null } | undefined)?.range;
    return range ? lines.linePos(range[0]).line : 1;
  };
  const findings = result.error.issues.flatMap((issue) => {
    const where = issue.path as string[];
    const parent = document.getIn(where, true);
    if (issue.code === 'unrecognized_keys') {
      const pairs = (where.length ? parent : document.contents) as YAMLMap;
      return issue.keys.map((key) => {
        const pair = pairs.items.find((item) => String(item.key) === key);
        return `${path}:${lineOf(pair?.key)}: unknown key "${[...where, key].join('.')}"${suggestion(key, where)}`;
      });
    }
    return [`${path}:${lineOf(parent)}: ${where.join('.') || 'the study'}: ${issue.message}`];
  });
  throw new TrainError({ code: 'INVALID_STUDY', message: findings.join('\n') });
}

/** The keys that exist at that place, so that a typo can be mended without opening the manual. */
function suggestion(key: string, where: readonly string[]): string {
  const defaults = studySchema.parse({ name: 'x', positiveClass: 'x', target: 'x', cohort: 'x' });
  const place = where.reduce<unknown>(
    (value, name) => (value as Record<string, unknown> | undefined)?.[name],
    defaults,
  );
  const known = Object.keys((place as object | undefined) ?? {}).filter((name) => name !== key);
  return known.length ? ` (known here: ${known.join(', ')})` : '';
}
