import { expect, test } from 'vitest';
import { preprocessingOf } from './preprocessing.js';
import { parseVitConfig } from './vit-config.js';

const recipe = (config: Record<string, unknown>, preprocessor?: unknown) =>
  preprocessingOf(parseVitConfig(config), preprocessor);

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

test.each([
  ['dinov2', { image_size: 518, patch_size: 14 }, { shortestEdge: 256 }, 224, 'bicubic', 0.485],
  [
    'dinov2_with_registers',
    { image_size: 518, patch_size: 14 },
    { shortestEdge: 256 },
    224,
    'bicubic',
    0.485,
  ],
  ['dinov3_vit', {}, { height: 224, width: 224 }, null, 'bilinear', 0.485],
  ['vit', {}, { height: 224, width: 224 }, null, 'bilinear', 0.5],
  ['deit', {}, { height: 256, width: 256 }, 224, 'bicubic', 0.485],
  ['clip_vision_model', { image_size: 336 }, { shortestEdge: 336 }, 336, 'bicubic', 0.48145466],
  ['siglip_vision_model', { image_size: 384 }, { height: 384, width: 384 }, null, 'bicubic', 0.5],
])(
  '%s without a preprocessor_config.json: as the published one',
  (model_type, more, resize, crop, resample, mean) => {
    const found = recipe({ model_type, ...more });
    expect(found).toMatchObject({ resize, resample, rescaleFactor: 1 / 255, channels: 3 });
    expect(found.crop).toEqual(crop && { height: crop, width: crop });
    expect(found.mean[0]).toBe(mean);
    expect(found.imageSize).toBe(crop ?? (resize as { height: number }).height);
  },
);

test('the published files, field by field', () => {
  // facebook/dinov2-base
  const dinov2 = {
    crop_size: { height: 224, width: 224 },
    do_center_crop: true,
    do_convert_rgb: true,
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    image_mean: IMAGENET.mean,
    image_processor_type: 'BitImageProcessor',
    image_std: IMAGENET.std,
    resample: 3,
    rescale_factor: 0.00392156862745098,
    size: { shortest_edge: 256 },
  };
  expect(recipe({ model_type: 'dinov2', image_size: 518, patch_size: 14 }, dinov2)).toEqual({
    imageSize: 224,
    ...IMAGENET,
    resize: { shortestEdge: 256 },
    crop: { height: 224, width: 224 },
    resample: 'bicubic',
    rescaleFactor: 0.00392156862745098,
    channels: 3,
  });
  // google/vit-base-patch16-224, written by an early transformers: sizes are numbers.
  const vit = {
    do_normalize: true,
    do_resize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
    size: 224,
  };
  expect(recipe({ model_type: 'vit' }, vit)).toMatchObject({
    resize: { height: 224, width: 224 },
    crop: null,
  });
  // openai/clip-vit-base-patch32: the number is the shorter side.
  const clip = {
    crop_size: 224,
    do_center_crop: true,
    feature_extractor_type: 'CLIPFeatureExtractor',
    resample: 3,
    size: 224,
  };
  expect(recipe({ model_type: 'clip' }, clip)).toMatchObject({
    imageSize: 224,
    resize: { shortestEdge: 224 },
    crop: { height: 224, width: 224 },
    mean: [0.48145466, 0.4578275, 0.40821073],
  });
});

test('missing fields are those of the processor that is named; what is switched off is off', () => {
  const bit = { image_processor_type: 'BitImageProcessorFast', size: { shortest_edge: 512 } };
  expect(recipe({ model_type: 'dinov2' }, bit)).toMatchObject({
    resize: { shortestEdge: 512 },
    crop: { height: 224, width: 224 },
    mean: [0.48145466, 0.4578275, 0.40821073], // Bit's own default, not DINOv2's
  });
  const off = {
    do_resize: false,
    do_center_crop: false,
    do_normalize: false,
    do_rescale: false,
    resample: 2,
  };
  expect(recipe({ model_type: 'dinov2', image_size: 140 }, off)).toEqual({
    imageSize: 140,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    resize: null,
    crop: null,
    resample: 'bilinear',
    rescaleFactor: 1,
    channels: 3,
  });
});

test.each([
  ['image_mean', [0.5, 0.5]],
  ['image_mean', 0.5],
  ['image_std', [0.2, 0, 0.2]],
  ['image_std', ['0.2', 0.2, 0.2]],
  ['size', { longest_edge: 1024 }],
  ['size', { shortest_edge: -1 }],
  ['size', 'large'],
  ['crop_size', { height: 224 }],
  ['resample', 9],
  ['resample', 'cubic'],
  ['rescale_factor', 0],
])('%s %j is refused, never replaced in silence', (name, value) => {
  const bad = () => recipe({ model_type: 'dinov2' }, { do_center_crop: true, [name]: value });
  expect(bad).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  expect(bad).toThrow(`preprocessor_config.json: ${name}`);
});
