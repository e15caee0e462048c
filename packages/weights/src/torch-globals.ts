import { NumpyArray, NumpyDtype, numpyScalar, numpyTensor } from './numpy-pickle.js';
import { failPickle } from './pickle-bytes.js';
import { InertObject, PickleGlobal, type PickleValue } from './pickle-values.js';
import { isCount, isCounts, TorchStorage, TorchTensor } from './torch-tensor.js';
import type { PickleWorld } from './unpickle.js';
import type { Dtype } from './weight-tensor.js';

/** The class of a storage says what its elements are. An untyped one counts bytes. */
const STORAGES: ReadonlyMap<string, Dtype> = new Map([
  ['torch.FloatStorage', 'F32'],
  ['torch.DoubleStorage', 'F64'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
  ['torch.storage.UntypedStorage', 'U8'],
]);

const DTYPES: ReadonlyMap<string, Dtype> = new Map([
  ['torch.float32', 'F32'],
  ['torch.float64', 'F64'],
  ['torch.float16', 'F16'],
  ['torch.bfloat16', 'BF16'],
  ['torch.int64', 'I64'],
  ['torch.int32', 'I32'],
  ['torch.int16', 'I16'],
  ['torch.int8', 'I8'],
  ['torch.uint8', 'U8'],
  ['torch.uint16', 'U16'],
  ['torch.uint32', 'U32'],
  ['torch.uint64', 'U64'],
  ['torch.bool', 'BOOL'],
]);

/** torch calls storages 0, 1, 2 or by their address. */
const MAX_KEY_LENGTH = 100;

/** Known to be harmless, but their numbers cannot be represented. */
const NO_NUMBERS_FOR = /^torch\.(complex\d+|float8_\w+|q?u?int\w+|Complex\w+Storage|QU?Int\w+Storage)$/;

type Build = (given: readonly unknown[], charge: (work: number) => void) => unknown;

const rebuildTensor: Build = ([storage, offset, shape, strides, , , metadata]) =>
  tensorFrom(storage, undefined, offset, shape, strides, metadata);
const rebuildParameter: Build = ([tensor]) =>
  tensor instanceof TorchTensor ? tensor : failPickle('MALFORMED', 'a parameter without a tensor.');
const device: Build = ([type, index]) => {
  if (typeof type !== 'string') failPickle('MALFORMED', 'a torch.device without a name.');
  return isCount(index) ? `${type}:${index}` : type;
};
const scalar: Build = ([dtype, bytes]) => numpyScalar(dtype, bytes);
const reconstruct: Build = ([type]) =>
  type instanceof PickleGlobal && type.name === 'numpy.ndarray'
    ? new NumpyArray()
    : failPickle('UNSUPPORTED', 'a subclass of numpy.ndarray.');
const frombuffer: Build = ([bytes, dtype, shape, order], charge) =>
  numpyTensor(bytes, dtype, shape, order, charge);
const set: Build = ([items = []], charge) => {
  if (!Array.isArray(items)) failPickle('MALFORMED', 'a set of something that is no list.');
  charge(items.length);
  return new Set(items);
};
const byteString: Build = ([content], charge) => {
  if (content === undefined) return new Uint8Array(0);
  if (content instanceof Uint8Array) return content;
  if (!Array.isArray(content))
    failPickle('UNSUPPORTED', 'bytes made of something that is no list of numbers.');
  charge(content.length);
  if (!content.every((byte) => isCount(byte) && byte < 256))
    failPickle('MALFORMED', 'bytes made of something else.');
  return Uint8Array.from(content as number[]);
};

/** What may be "called": each name is replaced by a function here that makes plain data. */
const BUILDERS: ReadonlyMap<string, Build> = new Map<string, Build>([
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  [
    'torch._utils._rebuild_tensor_v3',
    ([storage, offset, shape, strides, , , dtype, metadata]) =>
      tensorFrom(storage, dtypeOf(dtype), offset, shape, strides, metadata),
  ],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch._utils._rebuild_parameter_with_state', rebuildParameter],
  ['torch._tensor._rebuild_from_type_v2', rebuildFromType],
  [
    'torch.Size',
    ([sizes = []]) => (isCounts(sizes) ? sizes : failPickle('MALFORMED', 'a torch.Size without numbers.')),
  ],
  ['torch.device', device],
  ['collections.OrderedDict', orderedDict],
  ['_codecs.encode', encode],
  ['numpy.core.multiarray.scalar', scalar],
  ['numpy._core.multiarray.scalar', scalar],
  ['numpy.core.multiarray._reconstruct', reconstruct],
  ['numpy._core.multiarray._reconstruct', reconstruct],
  ['numpy.core.numeric._frombuffer', frombuffer],
  ['numpy._core.numeric._frombuffer', frombuffer],
  ['numpy.dtype', ([text]) => new NumpyDtype(text)],
  ...['builtins', '__builtin__'].flatMap((module): [string, Build][] => [
    [`${module}.set`, set],
    [`${module}.frozenset`, set],
    [`${module}.bytes`, byteString],
    [`${module}.bytearray`, byteString],
  ]),
]);

/** What may be named, but not called. */
const NAMES: ReadonlySet<string> = new Set([
  ...STORAGES.keys(),
  ...DTYPES.keys(),
  'numpy.ndarray',
  'torch.Tensor',
  'torch.nn.parameter.Parameter',
]);

/** The world of `torch.save`: tensors, numpy's arrays and Python's own containers, as data. */
export function torchWorld(
  inertClasses: readonly string[],
): PickleWorld & { storages: Map<string, TorchStorage> } {
  const inert = new Set(inertClasses);
  const storages = new Map<string, TorchStorage>();
  return {
    storages,
    knows(name) {
      if (BUILDERS.has(name) || NAMES.has(name) || inert.has(name)) return true;
      if (!NO_NUMBERS_FOR.test(name)) return false;
      return failPickle(
        'UNSUPPORTED',
        `${name}: complex, quantised and 8-bit floating point numbers are not read.`,
      );
    },
    build({ name }, given, charge) {
      const build = BUILDERS.get(name);
      if (build) return build(given, charge);
      if (inert.has(name)) return new InertObject(name, given as PickleValue[]);
      return failPickle('UNSAFE_PICKLE', `it calls ${name}, which may only be named. Nothing was run.`);
    },
    setState(object, state, charge) {
      // torch puts a version table on the OrderedDict of a state dict; like every attribute of a dict it is dropped
      if (object instanceof Map) return object;
      if (object instanceof InertObject) object.state = state as PickleValue;
      else if (object instanceof NumpyDtype || object instanceof NumpyArray) object.setState(state, charge);
      else
        failPickle(
          'UNSAFE_PICKLE',
          'it sets attributes on something that is no dict or array. Nothing was run.',
        );
      return object;
    },
    persistent(id) {
      const storage = storageFrom(id);
      const before = storages.get(storage.key);
      if (before && (before.dtype !== storage.dtype || before.count !== storage.count)) {
        failPickle('MALFORMED', `storage "${storage.key}" is described in two ways.`);
      }
      storages.set(storage.key, before ?? storage);
      return before ?? storage;
    },
  };
}

/** The magic number, protocol, system information and storage keys around a legacy checkpoint are numbers and text. */
export const plainWorld: PickleWorld = {
  ...torchWorld([]),
  persistent: () => failPickle('MALFORMED', 'a storage where none is expected.'),
};

/** ('storage', class, key, location, number of elements), in legacy files followed by what it is a view of. */
function storageFrom(id: unknown): TorchStorage {
  const [kind, type, key, , count, view] = Array.isArray(id) ? id : [];
  const dtype = type instanceof PickleGlobal ? STORAGES.get(type.name) : undefined;
  if (kind === 'module') {
    failPickle('UNSUPPORTED', 'a whole module is pickled, with its source. Save its state_dict instead.');
  }
  if (kind !== 'storage' || !dtype || typeof key !== 'string' || !isCount(count)) {
    failPickle('MALFORMED', 'a persistent id that does not describe a storage.');
  }
  if (key.length > MAX_KEY_LENGTH) failPickle('TOO_LARGE', `a storage key of ${key.length} characters.`);
  if (view !== undefined && view !== null)
    failPickle('UNSUPPORTED', `storage "${key}" is a view of another one.`);
  return new TorchStorage(key, dtype, count);
}

function tensorFrom(
  storage: unknown,
  dtype: Dtype | undefined,
  offset: unknown,
  shape: unknown,
  strides: unknown,
  metadata: unknown,
): TorchTensor {
  if (!(storage instanceof TorchStorage)) failPickle('MALFORMED', 'a tensor without a storage.');
  // the negative and conjugate bits say that the stored numbers are not the tensor's
  if (metadata instanceof Map && [...metadata.values()].some(Boolean)) {
    failPickle(
      'UNSUPPORTED',
      `a tensor of storage "${storage.key}" is a negated or conjugated view. Clone it and save again.`,
    );
  }
  return new TorchTensor(storage, dtype ?? storage.dtype, offset, shape, strides);
}

function dtypeOf(value: unknown): Dtype {
  const dtype = value instanceof PickleGlobal ? DTYPES.get(value.name) : undefined;
  return dtype ?? failPickle('MALFORMED', 'a tensor without a dtype.');
}

/** A tensor or parameter that has Python attributes: (function, class, its arguments, the attributes). */
function rebuildFromType([inner, type, given]: readonly unknown[], charge: (work: number) => void): unknown {
  const isTensor =
    type instanceof PickleGlobal &&
    (type.name === 'torch.Tensor' || type.name === 'torch.nn.parameter.Parameter');
  const isRebuild = inner instanceof PickleGlobal && inner.name.startsWith('torch._utils._rebuild_');
  const build = isRebuild ? BUILDERS.get(inner.name) : undefined;
  if (!isTensor || !build || !Array.isArray(given)) failPickle('UNSUPPORTED', 'a subclass of torch.Tensor.');
  return build(given, charge);
}

/** Python 3 fills it afterwards; Python 2 gave its pairs as an argument. */
function orderedDict(
  [pairs = []]: readonly unknown[],
  charge: (work: number) => void,
): Map<unknown, unknown> {
  if (!Array.isArray(pairs)) failPickle('MALFORMED', 'an OrderedDict of something that is no list.');
  charge(pairs.length);
  const dict = new Map<unknown, unknown>();
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2)
      failPickle('MALFORMED', 'an OrderedDict of something that is no pairs.');
    if (dict.has(pair[0])) failPickle('DUPLICATE_KEY', 'an OrderedDict has a key twice.');
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

/** How protocol 2 stores bytes: as text of the code points 0 to 255. */
function encode([text, encoding]: readonly unknown[], charge: (work: number) => void): Uint8Array {
  if (typeof text !== 'string' || encoding !== 'latin1')
    failPickle('UNSUPPORTED', 'text encoded otherwise than as latin1.');
  charge(text.length);
  return Uint8Array.from(text, (character) => {
    const code = character.charCodeAt(0);
    return character.length === 1 && code < 256
      ? code
      : failPickle('MALFORMED', 'bytes with a code point above 255.');
  });
}

/** What is left of the intermediate objects in a finished value. */
export function finished(value: unknown): unknown {
  if (value instanceof PickleGlobal) return value.name;
  if (value instanceof NumpyDtype) return value.text;
  if (value instanceof NumpyArray)
    return value.tensor ?? failPickle('MALFORMED', 'a numpy array was never filled.');
  if (value instanceof TorchStorage)
    return failPickle('UNSUPPORTED', `storage "${value.key}" belongs to no tensor.`);
  return value;
}
