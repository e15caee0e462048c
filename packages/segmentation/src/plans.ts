import { z } from 'zod';
import { SegmentationError } from './segmentation-error.js';
import type { NetworkConfiguration } from './unet-architecture.js';

const spatial = z.array(z.number().int().positive()).min(2).max(3);
const resamplingOptions = z.looseObject({
  is_seg: z.boolean().optional(),
  order: z.number().int().default(3),
  order_z: z.number().int().default(0),
  force_separate_z: z.boolean().nullable().optional(),
});

/** What is read here of a configuration of plans.json once its `inherits_from` is resolved. */
const configurationSchema = z.object({
  patch_size: spatial,
  spacing: z.array(z.number().positive()).min(2).max(3),
  normalization_schemes: z.array(z.string()),
  use_mask_for_norm: z.array(z.boolean()),
  preprocessor_name: z.string().default('DefaultPreprocessor'),
  resampling_fn_data: z.string().default('resample_data_or_seg_to_shape'),
  resampling_fn_data_kwargs: resamplingOptions.default({ order: 3, order_z: 0, force_separate_z: null }),
  resampling_fn_seg: z.string().default('resample_data_or_seg_to_shape'),
  resampling_fn_seg_kwargs: resamplingOptions.default({ order: 1, order_z: 0, force_separate_z: null }),
  resampling_fn_probabilities: z.string().default('resample_data_or_seg_to_shape'),
  resampling_fn_probabilities_kwargs: resamplingOptions.default({
    order: 1,
    order_z: 0,
    force_separate_z: null,
  }),
});

const intensitiesSchema = z.record(
  z.string(),
  z.looseObject({
    mean: z.number(),
    std: z.number(),
    percentile_00_5: z.number(),
    percentile_99_5: z.number(),
  }),
);

const permutation = z
  .array(z.number().int().min(0).max(2))
  .length(3)
  .refine((axes) => new Set(axes).size === 3, 'the three axes 0, 1 and 2 in some order');

const plansSchema = z.looseObject({
  plans_name: z.string().default('nnUNetPlans'),
  image_reader_writer: z.string().default('SimpleITKIO'),
  label_manager: z.string().default('LabelManager'),
  transpose_forward: permutation,
  transpose_backward: permutation,
  configurations: z.record(z.string(), z.record(z.string(), z.unknown())),
  foreground_intensity_properties_per_channel: intensitiesSchema.optional(),
  /** The name that nnU-Net 2.0 gave to it. */
  foreground_intensity_properties_by_modality: intensitiesSchema.optional(),
});

export type NnUnetPlans = z.infer<typeof plansSchema>;
/** With what the network is built from, which `buildNetwork` checks. */
export type NnUnetConfiguration = z.infer<typeof configurationSchema> & NetworkConfiguration;
export type IntensityProperties = z.infer<typeof intensitiesSchema>;
export type ResamplingOptions = z.infer<typeof resamplingOptions>;

/**
 * Checks a plans.json of nnU-Net v2.
 * @throws SegmentationError INVALID_PLANS naming each key that does not fit
 */
export function parsePlans(value: unknown): NnUnetPlans {
  return parsed(plansSchema, value, 'plans.json');
}

/**
 * One configuration of the plans with everything that it inherits.
 * @throws SegmentationError INVALID_PLANS where it does not exist, inherits from itself or lacks something
 */
export function resolveConfiguration(plans: NnUnetPlans, name: string): NnUnetConfiguration {
  const merged: Record<string, unknown> = {};
  const seen = new Set<string>();
  for (let next: unknown = name; next !== undefined; ) {
    const own: Record<string, unknown> | undefined =
      typeof next === 'string' && Object.hasOwn(plans.configurations, next)
        ? plans.configurations[next]
        : undefined;
    if (!own || seen.has(String(next))) {
      throw new SegmentationError({
        code: 'INVALID_PLANS',
        message: own
          ? `plans.json: the configuration "${name}" inherits from itself by way of "${next}".`
          : `plans.json has no configuration "${next}" but ${Object.keys(plans.configurations).join(', ')}.`,
      });
    }
    seen.add(String(next));
    for (const [key, value] of Object.entries(own)) if (!Object.hasOwn(merged, key)) merged[key] = value;
    next = own.inherits_from;
  }
  return { ...merged, ...parsed(configurationSchema, merged, `plans.json, configuration "${name}"`) };
}

function parsed<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new SegmentationError({
    code: 'INVALID_PLANS',
    message: `${where} is not what nnU-Net v2 writes: ${z.prettifyError(result.error).replaceAll('\n', ' ')}`,
    cause: result.error,
  });
}
