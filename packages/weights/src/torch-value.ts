import { failPickle } from './pickle-bytes.js';
import { InertObject } from './pickle-values.js';
import { finished } from './torch-globals.js';
import { TorchTensor } from './torch-tensor.js';
import type { WeightTensor } from './weight-tensor.js';

/** Deepest nesting: a whole network pickled as inert objects has about 4 levels a level of modules. */
const MAX_DEPTH = 100;
/** Parts of the value when everything that is shared is written out, which is what a walk over it meets. */
const MAX_PARTS = 5_000_000;
const MAX_TENSORS = 100_000;
const MAX_NAME_LENGTH = 4096;

/** A tensor of the file, or an array that numpy pickled with its numbers. */
export type NamedTensor = TorchTensor | WeightTensor;

/** What happens to each tensor of a value: it becomes what `replace` returns. */
type Replace = (tensor: TorchTensor) => unknown;

/**
 * Replaces, in place, the intermediate objects of an unpickled value by plain data, and checks that it is a tree that a
 * reader can walk: no cycle, not too deep, and not exponentially large by sharing ("billion laughs").
 */
export function settle(root: unknown, replace: Replace = (tensor) => tensor): unknown {
  const parts = new Map<object, { parts: number; height: number }>();
  const open = new Set<object>();

  const measure = (value: object, children: Iterable<unknown>, depth: number): void => {
    open.add(value);
    const sum = { parts: 1, height: 1 };
    for (const child of children) {
      const size = typeof child === 'object' && child !== null ? visit(child, depth + 1) : undefined;
      sum.parts += size?.parts ?? 1;
      sum.height = Math.max(sum.height, 1 + (size?.height ?? 0));
    }
    open.delete(value);
    if (sum.height > MAX_DEPTH) failPickle('TOO_LARGE', `values nested more than ${MAX_DEPTH} deep.`);
    if (sum.parts > MAX_PARTS)
      failPickle('TOO_LARGE', `a value of more than ${MAX_PARTS} parts, by sharing.`);
    parts.set(value, sum);
  };
  const visit = (value: object, depth: number): { parts: number; height: number } | undefined => {
    const known = parts.get(value);
    if (known) return known;
    if (open.has(value)) failPickle('MALFORMED', 'a value contains itself.');
    if (depth > MAX_DEPTH) failPickle('TOO_LARGE', `values nested more than ${MAX_DEPTH} deep.`);
    if (Array.isArray(value)) {
      measure(value, value, depth);
      value.forEach((item, index) => {
        value[index] = plain(item);
      });
    } else if (value instanceof Map) {
      for (const key of value.keys()) checkKey(key);
      measure(value, [...value.keys(), ...value.values()], depth);
      for (const [key, item] of value) value.set(key, plain(item));
    } else if (value instanceof Set) {
      value.forEach(checkKey);
      measure(value, value, depth);
    } else if (value instanceof InertObject) {
      measure(value, [value.arguments, value.state], depth);
      value.state = plain(value.state) as InertObject['state'];
    }
    return parts.get(value);
  };
  const plain = (value: unknown): unknown =>
    value instanceof TorchTensor ? replace(value) : finished(value);

  if (typeof root === 'object' && root !== null) visit(root, 1);
  return plain(root);
}

/** Keys of dicts and members of sets: what Python can hash, and a reader can print. */
function checkKey(key: unknown): void {
  const isPlain = typeof key !== 'object' || key === null || key instanceof Uint8Array || Array.isArray(key);
  if (!isPlain) failPickle('UNSUPPORTED', 'a dict or set with a key that is no number, text or tuple.');
}

/** The tensors of a settled value by their path: keys of dicts and indices of lists, joined by dots. */
export function namedTensors(root: unknown): Map<string, NamedTensor> {
  const named = new Map<string, NamedTensor>();
  const walk = (value: unknown, path: string): void => {
    if (path.length > MAX_NAME_LENGTH) failPickle('TOO_LARGE', `a name of ${path.length} characters.`);
    if (isTensor(value)) {
      if (named.has(path)) failPickle('DUPLICATE_KEY', `two tensors are called "${path}".`);
      if (named.size === MAX_TENSORS) failPickle('TOO_LARGE', `more than ${MAX_TENSORS} tensors.`);
      named.set(path, value);
    } else if (Array.isArray(value)) {
      value.forEach((item, index) => {
        if (typeof item === 'object') walk(item, under(path, index));
      });
    } else if (value instanceof Map) {
      let place = 0;
      for (const [key, item] of value) {
        // a tuple or bytes as a key may be long and shared many times: such a tensor is named by its place
        const isText = typeof key !== 'object' || key === null;
        if (typeof item === 'object') walk(item, under(path, isText ? key : `#${place}`));
        place++;
      }
    } else if (value instanceof InertObject) {
      walk(value.state, path);
    }
  };
  walk(root, '');
  return named;
}

function under(path: string, key: unknown): string {
  return path === '' ? String(key) : `${path}.${String(key)}`;
}

function isTensor(value: unknown): value is NamedTensor {
  return value instanceof TorchTensor || (typeof value === 'object' && value !== null && 'dtype' in value);
}
