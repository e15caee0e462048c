import { z } from 'zod';

const positive = z.number().positive();
const count = z.int().positive();
const fraction = z.number().min(0).lt(1);
const vec3 = z.tuple([positive, positive, positive]);

/** From a volume and its lesion mask to the slices that the encoder sees. Millimetres and HU. */
export const inputRecipeSchema = z.strictObject({
  /** What the encoder sees: the CT, the CT with everything but the lesion at the window's minimum, the mask, or all three as channels. */
  mode: z.enum(['ct', 'maskedCt', 'mask', 'ctMaskChannels']).default('ct'),
  /** The whole axial field, or a square box around the lesion. */
  field: z.enum(['full', 'lesionBox']).default('lesionBox'),
  /** Added around the lesion box on every side. */
  marginMm: z.number().min(0).default(10),
  /** HU window scaled to 0..1; level 40, width 400 is the abdominal window [-160, 240]. */
  window: z.strictObject({ level: z.number(), width: positive }).default({ level: 40, width: 400 }),
  /** Voxel size to resample to first (CT linear, mask nearest), or null for the voxels as they are. */
  spacing: vec3.nullable().default(null),
  /** Which axial slices: all of them, uniform over the lesion's extent, or those with the largest lesion area. */
  slices: z
    .strictObject({ choice: z.enum(['all', 'lesionUniform', 'largestArea']), count })
    .default({ choice: 'lesionUniform', count: 16 }),
  /** Side of the square slice that the encoder gets, in pixels: a multiple of its patch size. */
  imageSize: count.default(224),
});

/** LoRA in the last blocks of a frozen encoder; field names as in peft. */
export const encoderRecipeSchema = z.strictObject({
  /** LoRA goes into the last `adaptedBlocks` blocks; 0 leaves the encoder frozen. A default of ours: the paper's is unknown. */
  adaptedBlocks: z.int().min(0).default(4),
  r: count.default(8),
  lora_alpha: positive.default(16),
  lora_dropout: fraction.default(0.05),
  target_modules: z.array(z.string()).min(1).default(['query', 'value']),
});

/** Slice embeddings [S, E] to one volumetric embedding. */
export const aggregationRecipeSchema = z.strictObject({
  kind: z.enum(['contextual', 'gated', 'attention', 'mean', 'max']).default('contextual'),
  /** Size of the queries, keys and values (contextual), or of the attention's hidden layer (gated, attention). */
  hiddenSize: count.default(192),
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
});

export type InputRecipe = z.infer<typeof inputRecipeSchema>;
export type Recipe = z.infer<typeof recipeSchema>;
