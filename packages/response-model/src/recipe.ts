import { z } from 'zod';

const positive = z.number().positive();
const count = z.int().positive();
const fraction = z.number().min(0).lt(1);
const vec3 = z.tuple([positive, positive, positive]);

/** From a volume and its lesion mask to the slices that the encoder sees. Millimetres and HU. */
export const inputRecipeSchema = z.strictObject({
  /** What the encoder sees: the CT, the CT with everything but the lesion at the window's minimum, the mask, or all three as channels. */
  mode: z.enum(['ct', 'maskedCt', 'mask', 'ctMaskChannels']).default('ct'),
  /** The same slice in all three channels, or the slices below, at and above it ("2.5D"; not with ctMaskChannels). */
  channels: z.enum(['repeat', 'neighbours']).default('repeat'),
  /** The whole axial field, or a square box around the lesion. */
  field: z.enum(['full', 'lesionBox']).default('lesionBox'),
  /**
   * A case of several lesions: one box around all of them, or `together`, each lesion's slices in a box of its own (so
   * `slices.count` of each), in one bag.
   */
  lesions: z.enum(['joint', 'together']).default('joint'),
  /** Added around the lesion box on every side. */
  marginMm: z.number().min(0).default(10),
  /** HU window scaled to 0..1; level 40, width 400 is the abdominal window [-160, 240]. */
  window: z.strictObject({ level: z.number(), width: positive }).default({ level: 40, width: 400 }),
  /** Voxel size to resample to first (CT linear, mask nearest), or null for the voxels as they are. */
  spacing: vec3.nullable().default(null),
  /** Slices across the patient, or across the axis of acquisition: the one with the thickest voxels. */
  axis: z.enum(['axial', 'acquisition']).default('axial'),
  /** Which slices: all of them, all or some uniformly of those with lesion in them, or those with the largest lesion area. */
  slices: z
    .strictObject({ choice: z.enum(['all', 'lesionBearing', 'lesionUniform', 'largestArea']), count })
    .default({ choice: 'lesionUniform', count: 16 }),
  /** Side of the square slice that the encoder gets, in pixels: a multiple of its patch size. */
  imageSize: count.default(224),
});

/** What of a pretrained encoder is adapted, and how its tokens become one embedding; field names as in peft. */
export const encoderRecipeSchema = z.strictObject({
  /** The class token, or the mean of the patches; null = as `loadVit` chooses: the class token where there is one. */
  pooling: z.enum(['cls', 'mean']).nullable().default(null),
  /** LoRA goes into the last `adaptedBlocks` blocks; 0 leaves the encoder frozen. A default of ours: the paper's is unknown. */
  adaptedBlocks: z.int().min(0).default(4),
  r: count.default(8),
  lora_alpha: positive.default(16),
  lora_dropout: fraction.default(0.05),
  target_modules: z.array(z.string()).min(1).default(['query', 'value']),
  /** The last so many blocks are trained in full, in place of a LoRA in them. */
  trainedBlocks: z.int().min(0).default(0),
  /** lora_only: the biases of the layers with LoRA are trained too. */
  bias: z.enum(['none', 'lora_only']).default('none'),
  /** Layers that are trained in full and saved with the adapter, for example `layernorm`, the encoder's last. */
  modules_to_save: z.array(z.string().min(1)).default([]),
});

/** Slice embeddings [S, E] to one volumetric embedding. */
export const aggregationRecipeSchema = z.strictObject({
  kind: z.enum(['contextual', 'gated', 'attention', 'transformer', 'mean', 'max']).default('contextual'),
  /** Size of the queries, keys and values (contextual), of the attention's hidden layer (gated, attention), of a token (transformer). */
  hiddenSize: count.default(192),
  /** transformer: attention heads, a divisor of hiddenSize. */
  heads: count.default(4),
  /** transformer: layers. */
  layers: count.default(2),
  dropout: fraction.default(0.25),
});

/** Volumetric embedding to one logit, and to the projection that the contrastive losses compare. */
export const headRecipeSchema = z.strictObject({
  hiddenSizes: z.array(count).default([96]),
  dropout: fraction.default(0.25),
  projectionSize: count.default(128),
});

/** Everything that decides what a trained model computes, its weights apart. It travels with the bundle. */
export const recipeSchema = z.strictObject({
  input: inputRecipeSchema.prefault({}),
  encoder: encoderRecipeSchema.prefault({}),
  aggregation: aggregationRecipeSchema.prefault({}),
  head: headRecipeSchema.prefault({}),
  /**
   * Columns of the cohort's table that join the volumetric embedding: numbers are standardised, words become one feature a
   * category. All of it is learnt from training cases; a missing number is their median, with a feature that says so where
   * they lack values too; a category that none of them has is refused.
   */
  clinical: z.array(z.string().min(1)).default([]),
});

export type InputRecipe = z.infer<typeof inputRecipeSchema>;
export type Recipe = z.infer<typeof recipeSchema>;
