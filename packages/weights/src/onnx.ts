import { type ProtobufField, packedVarints, protobufFields } from './protobuf.js';
import {
  bytesPerElement,
  type Dtype,
  elementCount,
  MAX_DIMENSIONS,
  viewAs,
  type WeightTensor,
} from './weight-tensor.js';
import { WeightsError, type WeightsErrorCode } from './weights-error.js';

/** Above any published graph; each entry costs memory even where its tensor is empty. */
const MAX_INITIALISERS = 100_000;
const MAX_NODES = 1_000_000;

/** TensorProto.DataType -> the same type under its safetensors name. */
const DTYPES: Readonly<Record<number, Dtype>> = {
  1: 'F32',
  2: 'U8',
  3: 'I8',
  4: 'U16',
  5: 'I16',
  6: 'I32',
  7: 'I64',
  9: 'BOOL',
  10: 'F16',
  11: 'F64',
  12: 'U32',
  13: 'U64',
  16: 'BF16',
};

/** One operation of the graph, in the order of the file. */
export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

function fail(code: WeightsErrorCode, message: string): never {
  throw new WeightsError({ code, message: `onnx: ${message}` });
}

/**
 * The stored constants (`ModelProto.graph.initializer`) of an ONNX model, by name. Nothing is executed and nothing else
 * of the model is read. Tensors are views of `bytes` where alignment allows.
 *
 * Format: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 *
 * @throws WeightsError TRUNCATED, MALFORMED, TOO_LARGE, DUPLICATE_KEY, or UNSUPPORTED (external data, float8, strings).
 * @example
 * readOnnxInitialisers(bytes).get('backbone.layernorm.weight'); // { dtype: 'F32', shape: [384], data: Float32Array }
 */
export function readOnnxInitialisers(bytes: Uint8Array): Map<string, WeightTensor> {
  const tensors = new Map<string, WeightTensor>();
  for (const field of protobufFields(graphOf(bytes))) {
    if (field.number !== 5) continue;
    if (tensors.size === MAX_INITIALISERS) fail('TOO_LARGE', `more than ${MAX_INITIALISERS} initialisers.`);
    const { name, tensor } = readTensor(bytesOf(field));
    if (tensors.has(name)) fail('DUPLICATE_KEY', `two initialisers are called "${name}".`);
    tensors.set(name, tensor);
  }
  return tensors;
}

/**
 * The operations of an ONNX graph with the names of what they read and write. Exporters fold and transpose weights into
 * anonymous constants (`onnx::MatMul_1966`): which layer such a constant belongs to is only said by the node using it.
 *
 * @throws WeightsError as `readOnnxInitialisers`
 * @example
 * readOnnxNodes(bytes).filter((node) => node.opType === 'MatMul').map((node) => node.inputs[1]);
 */
export function readOnnxNodes(bytes: Uint8Array): OnnxNode[] {
  const nodes: OnnxNode[] = [];
  for (const field of protobufFields(graphOf(bytes))) {
    if (field.number !== 1) continue;
    if (nodes.length === MAX_NODES) fail('TOO_LARGE', `more than ${MAX_NODES} nodes.`);
    const inputs: string[] = [];
    const outputs: string[] = [];
    let name = '';
    let opType = '';
    for (const part of protobufFields(bytesOf(field))) {
      if (part.number === 1) inputs.push(text(part));
      else if (part.number === 2) outputs.push(text(part));
      else if (part.number === 3) name = text(part);
      else if (part.number === 4) opType = text(part);
    }
    nodes.push({ name, opType, inputs, outputs });
  }
  return nodes;
}

function graphOf(bytes: Uint8Array): Uint8Array {
  let graph: Uint8Array | undefined;
  for (const field of protobufFields(bytes)) {
    if (field.number !== 7) continue;
    if (graph) fail('MALFORMED', 'the model has two graphs.');
    graph = bytesOf(field);
  }
  return graph ?? fail('MALFORMED', 'the file holds no graph. Is it an ONNX model?');
}

function bytesOf(field: ProtobufField): Uint8Array {
  if (field.kind !== 'bytes') fail('MALFORMED', `field ${field.number} is a ${field.kind}, not bytes.`);
  return field.bytes;
}

function text(field: ProtobufField): string {
  return new TextDecoder().decode(bytesOf(field));
}

/** The values of a repeated integer field, which writers store packed or one by one. */
function integers(field: ProtobufField): bigint[] {
  return field.kind === 'varint' ? [field.value] : packedVarints(bytesOf(field));
}

function readTensor(bytes: Uint8Array): { name: string; tensor: WeightTensor } {
  let name = '';
  let type = 0;
  const shape: number[] = [];
  let raw: Uint8Array | undefined;
  const fixed: Uint8Array[] = []; // float_data or double_data
  const varints: bigint[] = []; // int32_data, int64_data or uint64_data
  for (const field of protobufFields(bytes)) {
    if (field.number === 8) name = text(field);
    else if (field.number === 2) type = Number(integers(field)[0]);
    else if (field.number === 1)
      shape.push(
        ...integers(field)
          .slice(0, MAX_DIMENSIONS + 1)
          .map(Number),
      );
    else if (field.number === 9) raw = bytesOf(field);
    else if ((field.number === 4 || field.number === 10) && field.kind !== 'varint') fixed.push(field.bytes);
    else if (field.number === 5 || field.number === 7 || field.number === 11) {
      for (const value of integers(field)) varints.push(value);
    } else if (field.number === 3) fail('UNSUPPORTED', 'an initialiser is split into segments.');
    else if (field.number === 14 && integers(field)[0] === 1n) {
      fail('UNSUPPORTED', `"${name}" is stored in another file. Export the model as one file.`);
    }
  }
  const dtype = DTYPES[type] ?? fail('UNSUPPORTED', `"${name}" has the data type ${type}.`);
  if (shape.length > MAX_DIMENSIONS)
    fail('TOO_LARGE', `"${name}" has more than ${MAX_DIMENSIONS} dimensions.`);
  const expected = elementCount(shape, `onnx: "${name}"`) * bytesPerElement(dtype);
  const stored = raw ?? (varints.length > 0 ? narrow(varints, dtype) : joined(fixed));
  if (stored.length !== expected) {
    const code = stored.length < expected ? 'TRUNCATED' : 'MALFORMED';
    fail(code, `"${name}" is ${dtype} [${shape}], ${expected} bytes, but ${stored.length} are stored.`);
  }
  return { name, tensor: { dtype, shape, data: viewAs(dtype, stored) } };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** int32_data also carries bool, 8- and 16-bit values: each varint is cut to the width of the type. */
function narrow(varints: readonly bigint[], dtype: Dtype): Uint8Array {
  const width = bytesPerElement(dtype);
  const bytes = new Uint8Array(varints.length * 8);
  const view = new DataView(bytes.buffer);
  varints.forEach((value, index) => {
    view.setBigUint64(index * width, value, true); // the next value overwrites what is beyond the width
  });
  return bytes.subarray(0, varints.length * width);
}
