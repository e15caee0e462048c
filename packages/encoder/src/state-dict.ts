import type { WeightTensor } from '@onco-response/weights';
import { hubName, isUnused } from './checkpoint-names.js';
import { EncoderError } from './encoder-error.js';
import type { VitConfig } from './vit-config.js';

/** Every tensor that a model of this configuration has, by its name in the hub's checkpoints. */
function expectedShapes(config: VitConfig): Map<string, readonly number[]> {
  const { model_type, hidden_size: width, intermediate_size: hidden, patch_size: patch } = config;
  const positions = 1 + Math.floor(config.image_size / patch) ** 2;
  const shapes = new Map<string, readonly number[]>([
    ['embeddings.cls_token', [1, 1, width]],
    ['embeddings.position_embeddings', [1, positions, width]],
    ['embeddings.patch_embeddings.projection.weight', [width, config.num_channels, patch, patch]],
    ['embeddings.patch_embeddings.projection.bias', [width]],
  ]);
  for (let index = 0; index < config.num_hidden_layers; index++) {
    const names = blockNames(model_type, index);
    for (const name of [names.query, names.key, names.value]) {
      shapes.set(`${name}.weight`, [width, width]);
      if (config.qkv_bias) shapes.set(`${name}.bias`, [width]);
    }
    shapes.set(`${names.output}.weight`, [width, width]).set(`${names.output}.bias`, [width]);
    shapes.set(`${names.fc1}.weight`, [hidden, width]).set(`${names.fc1}.bias`, [hidden]);
    shapes.set(`${names.fc2}.weight`, [width, hidden]).set(`${names.fc2}.bias`, [width]);
    for (const name of [names.norm1, names.norm2])
      shapes.set(`${name}.weight`, [width]).set(`${name}.bias`, [width]);
    if (names.scale1 && names.scale2) shapes.set(names.scale1, [width]).set(names.scale2, [width]);
  }
  return shapes.set('layernorm.weight', [width]).set('layernorm.bias', [width]);
}

export interface BlockNames {
  readonly norm1: string;
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly output: string;
  readonly scale1?: string;
  readonly norm2: string;
  readonly fc1: string;
  readonly fc2: string;
  readonly scale2?: string;
}

/** What the parts of block `index` are called in the hub's checkpoints. */
export function blockNames(modelType: VitConfig['model_type'], index: number): BlockNames {
  const block = `encoder.layer.${index}`;
  const attention = {
    query: `${block}.attention.attention.query`,
    key: `${block}.attention.attention.key`,
    value: `${block}.attention.attention.value`,
    output: `${block}.attention.output.dense`,
  };
  return modelType === 'dinov2'
    ? {
        ...attention,
        norm1: `${block}.norm1`,
        norm2: `${block}.norm2`,
        fc1: `${block}.mlp.fc1`,
        fc2: `${block}.mlp.fc2`,
        scale1: `${block}.layer_scale1.lambda1`,
        scale2: `${block}.layer_scale2.lambda1`,
      }
    : {
        ...attention,
        norm1: `${block}.layernorm_before`,
        norm2: `${block}.layernorm_after`,
        fc1: `${block}.intermediate.dense`,
        fc2: `${block}.output.dense`,
      };
}

/**
 * The checkpoint under the hub's names, holding exactly what the configuration asks for.
 *
 * @throws EncoderError MISSING_KEYS, UNEXPECTED_KEYS or SHAPE_MISMATCH, each naming the keys
 */
export function strictStateDict(
  config: VitConfig,
  tensors: ReadonlyMap<string, WeightTensor>,
): Map<string, WeightTensor> {
  const expected = expectedShapes(config);
  const stateDict = new Map<string, WeightTensor>();
  const unexpected: string[] = [];
  for (const [name, tensor] of tensors) {
    const known = hubName(config.model_type, name);
    if (isUnused(known)) continue;
    if (!expected.has(known) || stateDict.has(known)) unexpected.push(name);
    else stateDict.set(known, tensor);
  }
  const missing = [...expected.keys()].filter((name) => !stateDict.has(name));
  const list = (names: readonly string[]) => names.slice(0, 8).join(', ') + (names.length > 8 ? ', ...' : '');
  if (missing.length > 0) {
    const also = unexpected.length > 0 ? ` Not known: ${list(unexpected)}.` : '';
    const message = `Weights: ${missing.length} of ${expected.size} tensors are missing: ${list(missing)}.${also} Do weights and config.json belong together?`;
    throw new EncoderError({ code: 'MISSING_KEYS', message });
  }
  if (unexpected.length > 0) {
    const message = `Weights: ${unexpected.length} tensors that the configuration does not know (or knows twice): ${list(unexpected)}.`;
    throw new EncoderError({ code: 'UNEXPECTED_KEYS', message });
  }
  for (const [name, shape] of expected) {
    const found = stateDict.get(name)!.shape;
    if (found.length === shape.length && found.every((size, axis) => size === shape[axis])) continue;
    const message = `Weights: ${name} has the shape [${found.join(', ')}], config.json asks for [${shape.join(', ')}].`;
    throw new EncoderError({ code: 'SHAPE_MISMATCH', message });
  }
  return stateDict;
}
