import { float16ToFloat32 } from './half-floats.js';
import { failPickle, numberIfExact } from './pickle-bytes.js';
import type { PickleValue } from './pickle-values.js';
import { shown } from './shown.js';
import { CopyBudget, isCounts, TorchStorage, TorchTensor, tensorOf } from './torch-tensor.js';
import { bytesPerElement, type Dtype, MAX_DIMENSIONS, viewAs, type WeightTensor } from './weight-tensor.js';

const DTYPES: ReadonlyMap<string, Dtype> = new Map([
  ['b1', 'BOOL'],
  ['u1', 'U8'],
  ['i1', 'I8'],
  ['u2', 'U16'],
  ['i2', 'I16'],
  ['f2', 'F16'],
  ['u4', 'U32'],
  ['i4', 'I32'],
  ['f4', 'F32'],
  ['u8', 'U64'],
  ['i8', 'I64'],
  ['f8', 'F64'],
]);

/** `numpy.dtype('f4', False, True)`, whose state then gives the byte order. */
export class NumpyDtype {
  readonly dtype: Dtype;
  readonly text: string;

  constructor(text: unknown) {
    const known = typeof text === 'string' ? DTYPES.get(text.replace(/^[<|]/, '')) : undefined;
    if (!known) failPickle('UNSUPPORTED', `a numpy array or scalar of the dtype ${shown(text)}.`);
    this.dtype = known;
    this.text = String(text);
  }

  /** State: (version, byte order, ...). */
  setState(state: unknown): void {
    const order = Array.isArray(state) ? state[1] : undefined;
    if (order !== '<' && order !== '|' && order !== '=') {
      failPickle('UNSUPPORTED', `numpy data of the byte order ${shown(order)}; little-endian is read.`);
    }
  }
}

/** An array between `_reconstruct`, which makes it empty, and the state that fills it. */
export class NumpyArray {
  tensor: WeightTensor | undefined;

  /** State: (version, shape, dtype, is Fortran order, bytes). */
  setState(state: unknown, charge: (work: number) => void): void {
    if (!Array.isArray(state) || state.length !== 5)
      failPickle('MALFORMED', 'a numpy array has no state of five parts.');
    const [, shape, dtype, fortran, bytes] = state;
    this.tensor = numpyTensor(bytes, dtype, shape, fortran === true ? 'F' : 'C', charge);
  }
}

export function numpyTensor(
  bytes: unknown,
  dtype: unknown,
  shape: unknown,
  order: unknown,
  charge: (work: number) => void,
): WeightTensor {
  if (
    !(
      dtype instanceof NumpyDtype &&
      bytes instanceof Uint8Array &&
      isCounts(shape) &&
      shape.length <= MAX_DIMENSIONS
    )
  ) {
    failPickle(
      'UNSUPPORTED',
      `a numpy array that is not plain numbers in up to ${MAX_DIMENSIONS} dimensions.`,
    );
  }
  const strides = new Array<number>(shape.length).fill(1);
  const axes = [...shape.keys()];
  if (order === 'C') axes.reverse();
  let stride = 1;
  for (const axis of axes) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  const count = bytes.length / bytesPerElement(dtype.dtype);
  if (stride !== count) failPickle('MALFORMED', `a numpy array [${shape}] has ${bytes.length} bytes.`);
  charge(bytes.length);
  const storage = new TorchStorage('numpy', dtype.dtype, count);
  return tensorOf(
    new TorchTensor(storage, dtype.dtype, 0, shape, strides),
    bytes,
    new CopyBudget(bytes.length),
  );
}

/** `numpy.core.multiarray.scalar(dtype, bytes)` as a number (or boolean, or bigint beyond 2^53). */
export function numpyScalar(dtype: unknown, bytes: unknown): PickleValue {
  if (!(dtype instanceof NumpyDtype && bytes instanceof Uint8Array)) {
    failPickle('UNSUPPORTED', 'a numpy scalar that is not a plain number.');
  }
  if (bytes.length !== bytesPerElement(dtype.dtype)) {
    failPickle('MALFORMED', `a numpy scalar of ${dtype.text} has ${bytes.length} bytes.`);
  }
  if (dtype.dtype === 'F16') return halfValue(bytes);
  const [value] = viewAs(dtype.dtype, bytes);
  if (dtype.dtype === 'BOOL') return value === 1;
  return typeof value === 'bigint' ? numberIfExact(value) : value!;
}

function halfValue(bytes: Uint8Array): number {
  return float16ToFloat32(viewAs('F16', bytes) as Uint16Array)[0]!;
}
