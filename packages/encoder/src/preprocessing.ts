import { EncoderError } from './encoder-error.js';
import type { ModelType } from './families.js';
import type { VitConfig } from './vit-config.js';

/** Pillow's resampling filters in the order of the codes that preprocessor_config.json holds. */
const FILTERS = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;

/**
 * How an image becomes the encoder's input, in this order: to RGB, `resize` with `resample`, `crop` from the centre, times
 * `rescaleFactor`, then (x - mean) / std.
 */
export interface Preprocessing {
  /** Side of the pixels that result, where they are square: that of the crop, else of the resized image. */
  readonly imageSize: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** To these sides, or with the shorter side of this length; null for as it is. */
  readonly resize: Sides | { readonly shortestEdge: number } | null;
  readonly crop: Sides | null;
  readonly resample: (typeof FILTERS)[number];
  /** 1/255 where the encoder expects [0, 1] of 8-bit images. */
  readonly rescaleFactor: number;
  readonly channels: number;
}

export interface Sides {
  readonly height: number;
  readonly width: number;
}

type Recipe = Pick<Preprocessing, 'mean' | 'std' | 'resize' | 'crop' | 'resample'>;

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
const HALF = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
const CLIP = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const;

const square = (side: number): Sides => ({ height: side, width: side });
const whole = (side: number) => ({ resize: square(side), crop: null });
const cropped = (edge: number, side: number) => ({ resize: { shortestEdge: edge }, crop: square(side) });

/** DINOv2 is trained at 518 but used at 224 (16 x 16 patches), as its published preprocessor says. */
const DINOV2_CROP = 16;

/** The preprocessor_config.json published with each family, at the sizes of a configuration. */
function published({ model_type, image_size: side, patch_size }: VitConfig): Recipe {
  const dinov2 = Math.min(side, DINOV2_CROP * patch_size);
  const wider = (crop: number) => Math.round((crop * 256) / 224);
  const recipes: Record<ModelType, () => Recipe> = {
    dinov2: () => ({ ...IMAGENET, ...cropped(wider(dinov2), dinov2), resample: 'bicubic' }),
    dinov2_with_registers: () => recipes.dinov2(),
    dinov3_vit: () => ({ ...IMAGENET, ...whole(side), resample: 'bilinear' }),
    vit: () => ({ ...HALF, ...whole(side), resample: 'bilinear' }),
    deit: () => ({ ...IMAGENET, resize: square(wider(side)), crop: square(side), resample: 'bicubic' }),
    clip_vision_model: () => ({ ...CLIP, ...cropped(side, side), resample: 'bicubic' }),
    siglip_vision_model: () => ({ ...HALF, ...whole(side), resample: 'bicubic' }),
  };
  return recipes[model_type]();
}

/** What transformers' processors fill in for fields that are left out (5.23, `image_processing_*.py`). */
const PROCESSORS: Readonly<Record<string, Recipe>> = {
  ViT: { ...HALF, ...whole(224), resample: 'bilinear' },
  DeiT: { ...HALF, resize: square(256), crop: square(224), resample: 'bicubic' },
  Bit: { ...CLIP, ...cropped(224, 224), resample: 'bicubic' },
  CLIP: { ...CLIP, ...cropped(224, 224), resample: 'bicubic' },
  Siglip: { ...HALF, ...whole(224), resample: 'bicubic' },
  DINOv3ViT: { ...IMAGENET, ...whole(224), resample: 'bilinear' },
};

/**
 * Reads a Hugging Face preprocessor_config.json. What it leaves out is as the processor that it names has it, or, where it
 * names none or is not there itself, as the family's published one.
 * @throws EncoderError MALFORMED for a field that is there and cannot be meant
 */
export function preprocessingOf(config: VitConfig, preprocessor: unknown): Preprocessing {
  const fields = (preprocessor ?? {}) as Record<string, unknown>;
  const type = String(fields.image_processor_type ?? fields.feature_extractor_type ?? '');
  const processor = type.replace(/(ImageProcessor|FeatureExtractor)(Fast|Pil)?$/, '');
  const base = PROCESSORS[processor] ?? published(config);
  const isOff = (name: string) => fields[name] === false;
  const crops =
    fields.do_center_crop === true || (!isOff('do_center_crop') && (base.crop || fields.crop_size));
  const crop = crops
    ? (sidesOf('crop_size', fields.crop_size) ?? base.crop ?? square(config.image_size))
    : null;
  const byEdge = base.resize !== null && 'shortestEdge' in base.resize;
  const resize = isOff('do_resize') ? null : (resizeOf(fields.size, byEdge) ?? base.resize);
  return {
    imageSize:
      crop?.height ??
      (resize === null ? config.image_size : 'height' in resize ? resize.height : resize.shortestEdge),
    mean: isOff('do_normalize') ? [0, 0, 0] : (tripleOf('image_mean', fields) ?? base.mean),
    std: isOff('do_normalize') ? [1, 1, 1] : (stdOf(fields) ?? base.std),
    resize,
    crop,
    resample: filterOf(fields.resample) ?? base.resample,
    rescaleFactor: isOff('do_rescale') ? 1 : factorOf(fields.rescale_factor),
    channels: config.num_channels,
  };
}

/** A number means, by the processor, both sides or the shorter one. */
function resizeOf(size: unknown, byEdge: boolean): Preprocessing['resize'] | undefined {
  if (typeof size === 'number' && byEdge) return { shortestEdge: sideOf('size', size) };
  const edge = (size as { shortest_edge?: unknown } | null | undefined)?.shortest_edge;
  return edge === undefined ? sidesOf('size', size) : { shortestEdge: sideOf('size.shortest_edge', edge) };
}

function sidesOf(name: string, size: unknown): Sides | undefined {
  if (size === undefined || size === null) return undefined;
  if (typeof size === 'number') return square(sideOf(name, size));
  const { height, width } = size as { height?: unknown; width?: unknown };
  if (height === undefined || width === undefined)
    throw refusal(name, size, 'a number, {"shortest_edge"} or {"height", "width"}');
  return { height: sideOf(`${name}.height`, height), width: sideOf(`${name}.width`, width) };
}

function sideOf(name: string, value: unknown): number {
  if (Number.isInteger(value) && (value as number) > 0) return value as number;
  throw refusal(name, value, 'a whole number of pixels above 0');
}

function tripleOf(name: string, fields: Record<string, unknown>): [number, number, number] | undefined {
  const values = fields[name];
  if (values === undefined || values === null) return undefined;
  if (Array.isArray(values) && values.length === 3 && values.every(Number.isFinite))
    return values as [number, number, number];
  throw refusal(name, values, 'three numbers');
}

function stdOf(fields: Record<string, unknown>): [number, number, number] | undefined {
  const std = tripleOf('image_std', fields);
  if (std?.some((value) => value <= 0)) throw refusal('image_std', std, 'three numbers above 0');
  return std;
}

function filterOf(code: unknown): (typeof FILTERS)[number] | undefined {
  if (code === undefined || code === null) return undefined;
  const filter = FILTERS[code as number];
  if (filter === undefined) throw refusal('resample', code, 'a code from 0 to 5');
  return filter;
}

function factorOf(factor: unknown): number {
  if (factor === undefined || factor === null) return 1 / 255;
  if (Number.isFinite(factor) && (factor as number) > 0) return factor as number;
  throw refusal('rescale_factor', factor, 'a number above 0');
}

function refusal(name: string, found: unknown, wanted: string): EncoderError {
  return new EncoderError({
    code: 'MALFORMED',
    message: `preprocessor_config.json: ${name} has to be ${wanted}, found ${JSON.stringify(found)}; take the file that was published with the weights`,
  });
}
