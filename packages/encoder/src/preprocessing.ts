import type { VitConfig } from './vit-config.js';

/** How an image becomes the encoder's input: resized to `imageSize`, scaled to [0, 1], then (x - mean) / std. */
export interface Preprocessing {
  readonly imageSize: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** What the published checkpoints of each family were trained with; used where no preprocessor_config.json is given. */
const FAMILY: Record<VitConfig['model_type'], Pick<Preprocessing, 'mean' | 'std'>> = {
  dinov2: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  vit: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
};

/** DINOv2 is trained at 518 but used at 224 (16 x 16 patches), as its published preprocessor says. */
const DINOV2_CROP = 16;

/** Reads a Hugging Face preprocessor_config.json (`crop_size` or `size`, `image_mean`, `image_std`). */
export function preprocessingOf(config: VitConfig, preprocessor: unknown): Preprocessing {
  const fields = (preprocessor ?? {}) as Record<string, unknown>;
  const cropped = fields.do_center_crop === false ? undefined : sideOf(fields.crop_size);
  const fallback =
    config.model_type === 'dinov2'
      ? Math.min(config.image_size, DINOV2_CROP * config.patch_size)
      : config.image_size;
  return {
    imageSize: cropped ?? sideOf(fields.size) ?? fallback,
    mean: tripleOf(fields.image_mean) ?? FAMILY[config.model_type].mean,
    std: tripleOf(fields.image_std) ?? FAMILY[config.model_type].std,
  };
}

function sideOf(size: unknown): number | undefined {
  if (typeof size === 'number') return size;
  const height = (size as { height?: unknown } | undefined)?.height;
  return typeof height === 'number' ? height : undefined;
}

function tripleOf(values: unknown): [number, number, number] | undefined {
  const isTriple =
    Array.isArray(values) && values.length === 3 && values.every((value) => typeof value === 'number');
  return isTriple ? (values as [number, number, number]) : undefined;
}
