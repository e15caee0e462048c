import { type OnnxNode, readOnnxInitialisers, readOnnxNodes } from './onnx.js';
import type { WeightTensor } from './weight-tensor.js';
import { WeightsError } from './weights-error.js';

/** DINOv2 has heads of 64 channels in every size. */
const HEAD_SIZE = 64;

export interface HuggingFaceModel {
  /** The state dict under the key names of the hub's checkpoints; write it as model.safetensors. */
  tensors: Map<string, WeightTensor>;
  /** config.json */
  config: Record<string, unknown>;
  /** preprocessor_config.json */
  preprocessor: Record<string, unknown>;
}

function fail(code: 'MISSING_KEYS' | 'SHAPE_MISMATCH' | 'UNSUPPORTED', message: string): never {
  throw new WeightsError({ code, message: `DINOv2 from ONNX: ${message}` });
}

/**
 * The DINOv2 backbone of an ONNX export of a Hugging Face model, as a Hugging Face Dinov2 checkpoint.
 *
 * The exporter keeps the names of biases and norms under `prefix`, but turns the linear weights into anonymous
 * transposed constants and cuts the position embeddings in two. Each weight is named here after the bias that is added
 * to its product, never by its place in the file (within a layer the order is k, v, q). Everything outside `prefix`, such
 * as a decoder, is dropped. There is no mask token: exporters drop it, and inference does not use it.
 *
 * @throws WeightsError MISSING_KEYS, SHAPE_MISMATCH or UNSUPPORTED, and the errors of `readOnnxInitialisers`.
 * @example
 * const { tensors, config } = dinov2FromOnnx(bytes);
 * tensors.get('encoder.layer.0.attention.attention.query.weight'); // { dtype: 'F32', shape: [384, 384], ... }
 */
export function dinov2FromOnnx(bytes: Uint8Array, { prefix = 'backbone.' } = {}): HuggingFaceModel {
  const stored = readOnnxInitialisers(bytes);
  const nodes = readOnnxNodes(bytes);
  const tensors = new Map<string, WeightTensor>();
  for (const [name, tensor] of stored) {
    if (name.startsWith(prefix)) tensors.set(name.slice(prefix.length), tensor);
  }
  for (const [name, tensor] of linearWeights(nodes, stored)) {
    if (name.startsWith(prefix)) tensors.set(name.slice(prefix.length), tensor);
  }
  const classToken = float32Of(tensors, 'embeddings.cls_token');
  const width = classToken.shape[2] ?? 0;
  if (!tensors.has('embeddings.position_embeddings')) {
    tensors.set('embeddings.position_embeddings', positionEmbeddings(nodes, stored, width));
  }
  return { tensors, config: configOf(tensors, width), preprocessor: PREPROCESSOR };
}

/** `y = x W; z = y + b`: W, transposed back to [out, in], is named after b. */
function linearWeights(
  nodes: readonly OnnxNode[],
  stored: ReadonlyMap<string, WeightTensor>,
): Map<string, WeightTensor> {
  const biasAddedTo = new Map<string, string>();
  for (const { opType, inputs } of nodes) {
    if (opType !== 'Add' || inputs.length !== 2) continue;
    for (const [bias, product] of [inputs, [...inputs].reverse()] as [string, string][]) {
      if (stored.has(bias) && bias.endsWith('.bias')) biasAddedTo.set(product, bias);
    }
  }
  const weights = new Map<string, WeightTensor>();
  for (const { opType, inputs, outputs } of nodes) {
    const weight = stored.get(inputs[1] ?? '');
    const bias = biasAddedTo.get(outputs[0] ?? '');
    if (opType === 'MatMul' && weight && bias)
      weights.set(`${bias.slice(0, -'bias'.length)}weight`, transposed(weight));
  }
  return weights;
}

function transposed({ dtype, shape, data }: WeightTensor): WeightTensor {
  const [rows, columns] = shape;
  if (shape.length !== 2 || !(data instanceof Float32Array)) {
    fail('UNSUPPORTED', `a linear weight is ${dtype} [${shape}], a float32 matrix was expected.`);
  }
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows!; row++) {
    for (let column = 0; column < columns!; column++)
      turned[column * rows! + row] = data[row * columns! + column]!;
  }
  return { dtype, shape: [columns!, rows!], data: turned };
}

/**
 * Interpolation at export time leaves a Concat of the class token's position [1, 1, E] with the resized patch positions,
 * whose source is a Reshape of [1, side * side, E].
 */
function positionEmbeddings(
  nodes: readonly OnnxNode[],
  stored: ReadonlyMap<string, WeightTensor>,
  width: number,
): WeightTensor {
  const find = (opType: string, fits: (positions: number) => boolean) =>
    nodes
      .filter((node) => node.opType === opType)
      .map((node) => stored.get(node.inputs[0] ?? ''))
      .find((tensor) => {
        const [one, positions = 0, channels] = tensor?.shape ?? [];
        return one === 1 && channels === width && fits(positions);
      });
  const ofClass = find('Concat', (positions) => positions === 1)?.data;
  const ofPatches = find('Reshape', (positions) => positions > 1)?.data;
  if (!(ofClass instanceof Float32Array && ofPatches instanceof Float32Array)) {
    fail(
      'MISSING_KEYS',
      'no position embeddings: neither under their name nor as a Concat and a Reshape constant.',
    );
  }
  const data = new Float32Array(ofClass.length + ofPatches.length);
  data.set(ofClass);
  data.set(ofPatches, ofClass.length);
  return { dtype: 'F32', shape: [1, data.length / width, width], data };
}

function float32Of(tensors: ReadonlyMap<string, WeightTensor>, name: string): WeightTensor {
  const tensor = tensors.get(name) ?? fail('MISSING_KEYS', `there is no ${name}.`);
  return tensor.dtype === 'F32'
    ? tensor
    : fail('UNSUPPORTED', `${name} is ${tensor.dtype}, float32 was expected.`);
}

function configOf(tensors: ReadonlyMap<string, WeightTensor>, width: number): Record<string, unknown> {
  let layers = 0;
  while (tensors.has(`encoder.layer.${layers}.norm1.weight`)) layers++;
  const missing = Array.from({ length: layers }, (_, layer) =>
    LINEAR.map((name) => `encoder.layer.${layer}.${name}.weight`).filter((name) => !tensors.has(name)),
  ).flat();
  if (layers === 0) fail('MISSING_KEYS', 'there is no encoder.layer.0.norm1.weight.');
  if (missing.length > 0)
    fail('MISSING_KEYS', `no product with the bias was found for ${missing.join(', ')}.`);
  const projection = float32Of(tensors, 'embeddings.patch_embeddings.projection.weight').shape;
  const hidden = float32Of(tensors, 'encoder.layer.0.mlp.fc1.weight').shape[0]!;
  const side = Math.sqrt(float32Of(tensors, 'embeddings.position_embeddings').shape[1]! - 1);
  if (!Number.isInteger(side) || width % HEAD_SIZE !== 0 || hidden % width !== 0 || projection.length !== 4) {
    fail(
      'SHAPE_MISMATCH',
      `width ${width}, MLP ${hidden}, ${side ** 2} positions, patch projection [${projection}].`,
    );
  }
  // No layerscale_value: transformers refuses a float field that JSON prints as 1, and only a new model uses it.
  return {
    architectures: ['Dinov2Model'],
    model_type: 'dinov2',
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: width / HEAD_SIZE,
    mlp_ratio: hidden / width,
    hidden_act: 'gelu',
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    drop_path_rate: 0,
    initializer_range: 0.02,
    layer_norm_eps: 1e-6,
    image_size: side * projection[3]!,
    patch_size: projection[3],
    num_channels: projection[1],
    qkv_bias: true,
    use_swiglu_ffn: false,
    use_mask_token: false,
    dtype: 'float32',
  };
}

const LINEAR = [
  'attention.attention.query',
  'attention.attention.key',
  'attention.attention.value',
  'attention.output.dense',
  'mlp.fc1',
  'mlp.fc2',
];

/** As published beside facebook/dinov2-small. */
const PREPROCESSOR = {
  image_processor_type: 'BitImageProcessor',
  do_resize: true,
  size: { shortest_edge: 256 },
  resample: 3,
  do_center_crop: true,
  crop_size: { height: 224, width: 224 },
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: [0.485, 0.456, 0.406],
  image_std: [0.229, 0.224, 0.225],
  do_convert_rgb: true,
};
