import { failPickle } from './pickle-bytes.js';
import {
  bytesPerElement,
  type Dtype,
  elementCount,
  MAX_DIMENSIONS,
  viewAs,
  type WeightTensor,
} from './weight-tensor.js';

/** A run of elements in the file that tensors are views of. */
export class TorchStorage {
  readonly key: string;
  readonly dtype: Dtype;
  /** Elements. */
  readonly count: number;

  constructor(key: string, dtype: Dtype, count: number) {
    this.key = key;
    this.dtype = dtype;
    this.count = count;
  }

  get byteLength(): number {
    return this.count * bytesPerElement(this.dtype);
  }
}

/** A tensor as torch pickles it: a strided view of a storage. All numbers count elements of `dtype`. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;

  constructor(storage: TorchStorage, dtype: Dtype, offset: unknown, shape: unknown, strides: unknown) {
    if (!isCounts(shape) || !isCounts(strides) || !isCount(offset) || shape.length !== strides.length) {
      failPickle(
        'MALFORMED',
        `a tensor of storage "${storage.key}" has no proper shape, strides and offset.`,
      );
    }
    if (shape.length > MAX_DIMENSIONS) {
      failPickle('TOO_LARGE', `a tensor has ${shape.length} dimensions, the limit is ${MAX_DIMENSIONS}.`);
    }
    const where = `torch: storage "${storage.key}"`;
    const count = elementCount(shape, where);
    const last = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, offset);
    const held = Math.floor(storage.byteLength / bytesPerElement(dtype));
    if (count > 0 && !(last < held)) {
      failPickle(
        'MALFORMED',
        `a tensor [${shape}] with strides [${strides}] from ${offset} reaches element ${last} of storage "${storage.key}", which has ${held}.`,
      );
    }
    this.storage = storage;
    this.dtype = dtype;
    this.shape = [...shape];
    this.strides = [...strides];
    this.offset = offset;
  }
}

/** Limits what may be copied: strides of 0 turn one stored number into any number of them. */
export class CopyBudget {
  #left: number;

  /** Views that are copied are as large as what they view, save for a few small expanded ones. */
  constructor(storedBytes: number) {
    this.#left = 4 * storedBytes + 2 ** 24;
  }

  charge(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) failPickle('TOO_LARGE', 'its tensors repeat their stored numbers many times over.');
  }
}

/** The tensor's elements in row-major order: a view of the storage's bytes where it lies so and is aligned. */
export function tensorOf(tensor: TorchTensor, storage: Uint8Array, budget: CopyBudget): WeightTensor {
  const { dtype, shape, offset } = tensor;
  const width = bytesPerElement(dtype);
  const count = elementCount(shape, 'torch');
  if (count === 0) return { dtype, shape, data: viewAs(dtype, new Uint8Array(0)) };
  if (isContiguous(tensor)) {
    const bytes = storage.subarray(offset * width, (offset + count) * width);
    if (bytes.byteOffset % width !== 0) budget.charge(bytes.length);
    return { dtype, shape, data: viewAs(dtype, bytes) };
  }
  budget.charge(count * width);
  const whole = storage.subarray(0, storage.length - (storage.length % width));
  if (whole.byteOffset % width !== 0) budget.charge(whole.length);
  return { dtype, shape, data: gathered(tensor, viewAs(dtype, whole), count) };
}

function isContiguous({ shape, strides }: TorchTensor): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue; // torch gives such an axis any stride
    if (strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

function gathered<Data extends WeightTensor['data']>(
  { shape, strides, offset }: TorchTensor,
  from: Data,
  count: number,
): Data {
  const to = new (from.constructor as new (length: number) => Data)(count);
  const index = new Array<number>(shape.length).fill(0);
  const last = shape.length - 1;
  const run = shape[last]!;
  const stride = strides[last]!;
  for (let row = offset, at = 0; at < count; ) {
    for (let step = 0, source = row; step < run; step++, source += stride) to[at++] = from[source]!;
    for (let axis = last - 1; axis >= 0; axis--) {
      row += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      row -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return to;
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}
