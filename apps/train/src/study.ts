import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { recipeSchema } from '@onco-response/response-model';
import { LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { z } from 'zod';
import { segmentationSchema } from './segmentation-settings.js';
import { isShared, type RawVariant, rawVariants } from './study-variants.js';
import { subgroupsSchema } from './subgroups.js';
import { TrainError } from './train-error.js';

const positive = z.number().positive();
const count = z.int().positive();
const fraction = z.number().gt(0).lt(1);

/** Share of the patients outside the test fold whose cases choose the epoch, the calibration and the threshold. */
const validation = fraction.default(0.1);
const folds = z.int().min(2).default(5);
/** Also keep each site's share of the patients in every split. */
const stratifyBySite = z.boolean().optional();

const splitsSchema = z.discriminatedUnion(
  'scheme',
  [
    z
      .strictObject({
        scheme: z.literal('holdOut').optional(),
        train: fraction,
        validation: fraction,
        test: fraction,
        stratifyBySite,
      })
      .refine(
        (shares) => Math.abs(shares.train + shares.validation + shares.test - 1) < 1e-9,
        'the fractions have to sum to 1',
      ),
    /** Every patient is tested once. */
    z.strictObject({ scheme: z.literal('kFold'), folds, validation, stratifyBySite }),
    /** k-fold again and again with other folds; a case's probability is the mean over repetitions. */
    z.strictObject({
      scheme: z.literal('repeatedKFold'),
      folds,
      repetitions: z.int().min(2).default(3),
      validation,
      stratifyBySite,
    }),
    /** k-fold; for each test fold, a k-fold of the other cases chooses the variant of `vary` that is tested there. */
    z.strictObject({
      scheme: z.literal('nested'),
      folds,
      innerFolds: z.int().min(2).default(3),
      validation,
      stratifyBySite,
    }),
    /** Each site of the manifest's `site` column is the test fold once. */
    z.strictObject({ scheme: z.literal('leaveOneSiteOut'), validation }),
  ],
  { error: 'scheme has to be holdOut, kFold, repeatedKFold, nested or leaveOneSiteOut' },
);

/** From `from` at `startEpoch` (counted from 0) to the term's weight, over `epochs`. */
const weightCourse = z
  .strictObject({
    kind: z.enum(['constant', 'linear', 'cosine']).default('linear'),
    from: z.number().min(0).default(0),
    startEpoch: z.number().min(0).default(0),
    epochs: positive.default(1),
  })
  .nullable()
  .default(null);

/** What the choices of `augmentation.beforePrefix` cost; `--print-config` prints it. */
export const AUGMENTATION_COSTS = [
  "Of training cases only, image and mask together. It changes pixels, so it comes before the encoder's frozen blocks.",
  'beforePrefix: none      off.',
  'beforePrefix: { copies: N }   N fixed variants of each case, each through the frozen blocks once and cached by content:',
  '  N x the disk and the time before the first epoch that the training cases take; later epochs cost nothing more.',
  '  Whenever a case comes up, it is itself or one of its copies, with equal chance.',
  'beforePrefix: fresh     a new variant whenever a case comes up; nothing is cached, so reading the image, changing it',
  '  and the whole encoder cost their full time in every step.',
  'After the frozen blocks, at no cost: training.slicesPerStep draws a part of the slices.',
];

/** A study file. Every default is ours, not a paper's, except where the comment names a source. */
export const studySchema = z
  .strictObject({
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
    /** Train on a card, through @tensorflow/tfjs-node-gpu; without one the run is refused, never moved to the CPU. */
    gpu: z.boolean().default(false),
    /** On a card: TensorFloat-32 products, faster with 10 bits of mantissa instead of 23. */
    tf32: z.boolean().default(false),
    /** Which patients train, validate and test; never the same patient twice. */
    splits: splitsSchema.default({ train: 0.7, validation: 0.1, test: 0.2 }),
    /** Cases of another cohort.csv, relative to the study file, that only the finished models see. */
    external: z.string().min(1).optional(),
    segmentation: segmentationSchema,
    /** Cases in whose derived mask no lesion was found: the study is refused, or they are listed and left out. */
    noLesion: z.enum(['refuse', 'leaveOut']).default('refuse'),
    /** Use only so many patients, drawn by the seed; null = all. */
    patients: count.nullable().default(null),
    /**
     * A run that has to find nothing. permutedLabels: training and validation labels are dealt out again among their
     * patients, by the seed. lesionMaskedOut: each lesion is replaced by what lies around it.
     */
    control: z.enum(['none', 'permutedLabels', 'lesionMaskedOut']).default('none'),
    model: recipeSchema.prefault({}),
    /** Drawn uniformly up to the sizes below, either way; off unless `beforePrefix` says how. */
    augmentation: z
      .strictObject({
        /**
         * `{ copies: N }`: N fixed variants of each training case, each through the frozen blocks once and cached by content,
         * for N x the disk and N x the time before the first epoch; later epochs cost nothing more. Whenever a case comes up
         * it is itself or one of its copies, with equal chance. The copies follow from the study's seed and are shared by
         * its folds and `seeds`.
         * `fresh`: a new variant whenever a case comes up. Nothing is cached: each step reads the images and runs the whole
         * encoder.
         */
        beforePrefix: z
          .union([z.enum(['none', 'fresh']), z.strictObject({ copies: count })], {
            error: 'beforePrefix has to be none, fresh or { copies: N }',
          })
          .default('none'),
        /** Mirrors left and right in half of the draws. */
        flip: z.boolean().default(true),
        /** Within the axial plane, about the lesion. */
        rotateDegrees: z.number().min(0).max(180).default(15),
        /** 0.1: from 0.9 to 1.1 times. */
        scale: z.number().min(0).lt(1).default(0.1),
        /** Shows with input.field: full only; a lesion box follows the lesion. */
        shiftMm: z.number().min(0).default(0),
        /** One number added to all voxels. */
        intensityShiftHu: z.number().min(0).default(10),
        /** Largest standard deviation of normal noise. */
        noiseHu: z.number().min(0).default(5),
      })
      .refine(
        ({ beforePrefix, ...changes }) =>
          beforePrefix === 'none' || Object.values(changes).some((change) => Number(change) > 0),
        'beforePrefix is set, but no change is: give one of flip, rotateDegrees, scale, shiftMm, intensityShiftHu, noiseHu',
      )
      .prefault({}),
    loss: z
      .strictObject({
        /**
         * weightedBce: positives weigh n_negative / n_positive of the training cases. weightedCe: so too, but the batch's
         * terms are divided by the sum of their weights, as torch's CrossEntropyLoss does.
         */
        classification: z.enum(['weightedBce', 'bce', 'weightedCe', 'focal']).default('weightedBce'),
        focalGamma: z.number().min(0).default(2),
        /** Weight of the supervised contrastive loss; 0 leaves it out. */
        contrastive: z.number().min(0).default(0.5),
        /** 0.07 as in the group's code. */
        temperature: positive.default(0.07),
        /** The contrastive loss is multiplied by temperature / baseTemperature, as in SupContrast's code; null = it is not. */
        baseTemperature: positive.nullable().default(null),
        /** How the weight gets to `contrastive`; null = it is there from the start. */
        contrastiveSchedule: weightCourse,
        /** Weight of the hard-negative loss; 0 leaves it out. */
        hardNegatives: z.number().min(0).default(0.1),
        /** The paper's mining formula is unknown. */
        hardNegativeMode: z.enum(['reweight', 'topk', 'batchHardTriplet']).default('topk'),
        /** reweight: how strongly similar negatives are preferred. */
        hardNegativeBeta: z.number().min(0).default(1),
        /** topk, batchHardTriplet: the margin of similarity. */
        hardNegativeMargin: z.number().default(0.2),
        /** topk: how many negatives a case is compared with. */
        hardNegativeCount: count.default(3),
        /** Each case's hard-negative term is weighted by how undecided its prediction is, 1 - |2p - 1|. */
        ambiguityWeights: z.boolean().default(false),
        hardNegativesSchedule: weightCourse,
        /** Earlier projections that serve as further keys of both contrastive losses. */
        memory: z.int().min(0).default(64),
        /** false: two embeddings of one patient are neither a positive nor a negative pair. */
        pairsWithinPatient: z.boolean().default(true),
      })
      .prefault({}),
    training: z
      .strictObject({
        epochs: count.default(20),
        /** Cases a step. */
        batchSize: count.default(8),
        /** A random part of a case's slices a step; null = all of them. */
        slicesPerStep: count.nullable().default(null),
        /**
         * shuffle: each case once an epoch, both classes in each batch in the cohort's proportion. balancedPatients: each
         * batch one case each of batchSize / 2 patients of each class, those of the rarer class drawn more often.
         */
        sampler: z.enum(['shuffle', 'balancedPatients']).default('shuffle'),
        /** The batch passes in chunks of `chunkSize` cases, twice: a large contrastive batch in the memory of a chunk. */
        gradientCache: z.boolean().default(false),
        chunkSize: count.default(4),
        /** Batches whose mean gradient one optimiser step takes; the contrastive losses compare within a batch. */
        accumulate: count.default(1),
        learningRate: positive.default(5e-4),
        weightDecay: z.number().min(0).default(1e-2),
        /** Of what is trained of the encoder (LoRA, whole blocks); null = as the rest. */
        adapter: z
          .strictObject({
            learningRate: positive.nullable().default(null),
            weightDecay: z.number().min(0).nullable().default(null),
          })
          .prefault({}),
        /** false: biases and the scales of norms are left out of weight decay. */
        decayBiasesAndNorms: z.boolean().default(true),
        /** After the warm-up: half a cosine down to 0, by the monitored figure, or as it is. */
        schedule: z.enum(['cosine', 'plateau', 'constant']).default('cosine'),
        /** schedule: plateau multiplies the rate by `factor` after more than `patience` epochs without a better figure. */
        plateau: z
          .strictObject({ factor: fraction.default(0.5), patience: z.int().min(0).default(3) })
          .prefault({}),
        warmUpEpochs: z.number().min(0).default(1),
        clipNorm: positive.default(1),
        /** Evaluate and save an exponential moving average of what is trained, with this decay; null = what is trained. */
        averageDecay: fraction.nullable().default(null),
        /**
         * Whose weights the model ends with: those of the epoch with the best validation figure, or those of the last, with
         * no early stopping. A few dozen validation cases rank epochs by chance, and often favour one that has learnt little.
         */
        keep: z.enum(['bestEpoch', 'lastEpoch']).default('bestEpoch'),
        /** keep: bestEpoch: which validation figure picks it and stops early; balancedAccuracy is that at logit 0. */
        monitor: z.enum(['loss', 'auc', 'prAuc', 'balancedAccuracy']).default('loss'),
        minimumEpochs: count.default(5),
        /** Epochs without a better validation figure before training stops. */
        patience: count.default(8),
        /** Checkpoints kept of the last so many epochs, and of the best; 1 keeps the newest, which holds the best weights. */
        keepCheckpoints: count.default(1),
      })
      .prefault({}),
    evaluation: z
      .strictObject({
        resamples: count.default(2000),
        level: fraction.default(0.95),
        /** Test cases whose slices and attention the report shows. */
        attentionCases: z.int().min(0).default(6),
        /** Columns of the cohort's table (or `site`) by which the report breaks the results down. */
        subgroups: subgroupsSchema,
      })
      .prefault({}),
    /** Precision of cached prefix tokens on disk. */
    cachePrecision: z.enum(['float16', 'float32']).default('float16'),
    /** Train each variant once with each of these seeds, on the same folds; their probabilities are averaged. */
    seeds: z
      .array(z.int().min(0))
      .min(1)
      .refine((seeds) => new Set(seeds).size === seeds.length, 'a seed is listed twice')
      .optional(),
    /** Ablations: dotted keys with lists of values (the full grid), or a list of named overrides; the first is compared against. */
    vary: z
      .union(
        [
          z.array(z.looseObject({ name: z.string().min(1) })).min(1),
          z.record(z.string(), z.array(z.unknown()).min(1)),
        ],
        {
          error:
            'vary has to be a map of dotted keys to lists of values, or a list of overrides that each have a name',
        },
      )
      .optional(),
  })
  .refine(
    ({ control, model: { input }, augmentation }) =>
      control !== 'lesionMaskedOut' ||
      (input.mode === 'ct' && input.field === 'full' && augmentation.beforePrefix === 'none'),
    {
      path: ['control'],
      message:
        'lesionMaskedOut needs model.input.mode: ct and model.input.field: full (anything else shows the outline or the size of the mask), and no augmentation',
    },
  );
export type Study = z.infer<typeof studySchema>;

/** One row of a study's table: the study with the keys of that row set. */
export interface Variant {
  name: string;
  study: Study;
}

export interface LoadedStudy {
  study: Study;
  /** At least one; the first is what the others are compared against. */
  variants: Variant[];
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
  return { ...parseVariants(text, path), folder: dirname(resolve(path)) };
}

/** sha256 of a study with every default filled in. */
export function studyHash(study: Study): string {
  return createHash('sha256').update(JSON.stringify(study)).digest('hex');
}

/** Checks a study's text; `path` is only named in errors. */
export function parseStudy(text: string, path: string): Study {
  return parseVariants(text, path).study;
}

/** Checks a study's text and every variant of it. */
export function parseVariants(text: string, path: string): { study: Study; variants: Variant[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken) refuse([`${path}:${broken.linePos?.[0].line ?? '?'}: ${broken.message}`]);
  const lineOf = (node: unknown) => {
    const range = (node as { range?: [number, number, number] | null } | undefined)?.range;
    return range ? lines.linePos(range[0]).line : 1;
  };
  /** The line of a key of the file, or of the entry of `vary` that set it. */
  const lineOfKey = (where: readonly string[], key: string | undefined, changed: Changed) => {
    const dotted = key === undefined ? where.join('.') : [...where, key].join('.');
    const set = [...changed].find(
      ([name]) => `${dotted}.`.startsWith(`${name}.`) || name.startsWith(`${dotted}.`),
    );
    if (set) return lineOf(set[1]);
    const place = where.length > 0 ? document.getIn(where, true) : document.contents;
    if (key === undefined) return lineOf(place);
    return lineOf((place as YAMLMap).items.find((item) => String(item.key) === key)?.key);
  };
  const check = (value: unknown, changed: Changed = new Map(), of = ''): Study => {
    const result = studySchema.safeParse(value);
    if (result.success) return result.data;
    return refuse(
      result.error.issues.flatMap((issue) => {
        const where = issue.path.map(String);
        if (issue.code === 'unrecognized_keys') {
          return issue.keys.map(
            (key) =>
              `${path}:${lineOfKey(where, key, changed)}: ${of}unknown key "${[...where, key].join('.')}"${suggestion(key, where, value)}`,
          );
        }
        const line = lineOfKey(where, undefined, changed);
        return [`${path}:${line}: ${of}${where.join('.') || 'the study'}: ${issue.message}`];
      }),
    );
  };
  const value = document.toJS();
  const study = check(value);
  const found = rawVariants(document, value);
  const shared = new Map(found.flatMap(({ changed }) => [...changed].filter(([key]) => isShared(key))));
  if (shared.size > 0) {
    refuse(
      [...shared].map(
        ([key, node]) =>
          `${path}:${lineOf(node)}: vary: "${key}" is the same for all variants, which are compared on the same cases; make it a study of its own`,
      ),
    );
  }
  const variants = found.map(({ name, value: raw, changed }) => ({
    name,
    study: check(raw, changed, `variant "${name}": `),
  }));
  const line = lineOf(document.get('vary', true));
  for (const [i, variant] of variants.entries()) {
    for (const earlier of variants.slice(0, i)) {
      if (earlier.name === variant.name)
        refuse([`${path}:${line}: vary: two variants are named "${variant.name}"`]);
      if (studyHash(earlier.study) === studyHash(variant.study)) {
        refuse([
          `${path}:${line}: vary: "${earlier.name}" and "${variant.name}" are the same study; remove one`,
        ]);
      }
    }
  }
  return { study, variants };
}

type Changed = RawVariant['changed'];

function refuse(findings: readonly string[]): never {
  throw new TrainError({ code: 'INVALID_STUDY', message: findings.join('\n') });
}

/** The keys that exist at that place, so that a typo can be mended without opening the manual. */
function suggestion(key: string, where: readonly string[], value: unknown): string {
  const known = Object.keys(knownAt(where, value)).filter((name) => name !== key);
  return known.length ? ` (known here: ${known.join(', ')})` : '';
}

function knownAt(where: readonly string[], value: unknown): object {
  const least = { name: 'x', positiveClass: 'x', target: 'x', cohort: 'x' };
  if (where[0] === 'splits') {
    const scheme = (value as { splits?: { scheme?: string } }).splits?.scheme;
    const option = splitsSchema.options.find(({ shape }) => shape.scheme.safeParse(scheme).success);
    return option?.shape ?? {};
  }
  const place = where.reduce<unknown>(
    (defaults, name) => (defaults as Record<string, unknown> | undefined)?.[name],
    studySchema.parse(least),
  );
  return (where.length === 0 ? studySchema.shape : (place as object | undefined)) ?? {};
}
