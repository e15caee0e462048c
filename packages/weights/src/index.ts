export type { ByteSource } from './byte-source.js';
export { dinov2FromOnnx, type HuggingFaceModel } from './dinov2-from-onnx.js';
export { fromFloat32, toFloat32 } from './float32.js';
export { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './half-floats.js';
export { type LazyCheckpoint, readAllTensors, type TensorInfo } from './lazy-checkpoint.js';
export { type OnnxNode, readOnnxInitialisers, readOnnxNodes } from './onnx.js';
export { openSafetensors } from './open-safetensors.js';
export { InertObject, type PickleValue } from './pickle-values.js';
export { readSafetensors, type SafetensorsFile, writeSafetensors } from './safetensors.js';
export { openShards } from './sharded-checkpoint.js';
export {
  openTorchCheckpoint,
  readTorchCheckpoint,
  type TorchCheckpoint,
  type TorchOptions,
} from './torch-checkpoint.js';
export type { Dtype, WeightData, WeightTensor } from './weight-tensor.js';
export { WeightsError, type WeightsErrorCode } from './weights-error.js';
