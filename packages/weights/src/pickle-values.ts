import type { WeightTensor } from './weight-tensor.js';

/**
 * A pickled value as plain data. Python's dicts and OrderedDicts are Maps, lists and tuples arrays, bytes Uint8Arrays,
 * integers beyond 2^53 bigints; dtypes and devices are their text ("torch.float16", "cuda:0"); tensors and numpy arrays
 * are WeightTensors, numpy scalars numbers.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | WeightTensor
  | InertObject;

/** What a class that the caller listed in `inertClasses` was pickled with. No constructor was run. */
export class InertObject {
  /** Module and name, such as "argparse.Namespace". */
  readonly className: string;
  readonly arguments: readonly PickleValue[];
  /** What would have been set on the object: usually a Map of its attributes. */
  state: PickleValue = null;

  constructor(className: string, given: readonly PickleValue[]) {
    this.className = className;
    this.arguments = given;
  }
}

/** A class or function that the pickle names. It is only ever a name here. */
export class PickleGlobal {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}
