import { DEFAULT_CLEANING } from '@onco-response/lesion-mask';
import { z } from 'zod';

/** How an empty `mask` of the cohort is filled in; null refuses it. */
export const segmentationSchema = z
  .strictObject({
    /** Model folder of nnU-Net v2, relative to the study file. It must not have been trained on this study's patients. */
    model: z.string().min(1),
    /** Labels of the model that count as lesion; null where it has only one. */
    labels: z.array(z.int().min(1).max(255)).min(1).nullable().default(null),
    /** In this order; null leaves a step out. */
    cleaning: z
      .strictObject({
        /** Gaps narrower than about twice this close. */
        closingMm: z.number().positive().nullable().default(DEFAULT_CLEANING.closingMm),
        fillHoles: z.boolean().default(DEFAULT_CLEANING.fillHoles),
        /** Smaller connected parts go. */
        minimumVolumeMm3: z.number().min(0).default(DEFAULT_CLEANING.minimumVolumeMm3),
        /** Only so many largest parts stay. */
        largest: z.int().positive().nullable().default(DEFAULT_CLEANING.largest),
      })
      .prefault({}),
  })
  .nullable()
  .default(null);

export type SegmentationSettings = NonNullable<z.infer<typeof segmentationSchema>>;
