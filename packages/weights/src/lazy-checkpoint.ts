import type { WeightTensor } from './weight-tensor.js';
import { WeightsError } from './weights-error.js';

/** What a file's header says of a tensor. */
export type TensorInfo = Pick<WeightTensor, 'dtype' | 'shape'>;

/** A checkpoint of which only the description was read. */
export interface LazyCheckpoint {
  /** Every tensor by name. */
  readonly entries: ReadonlyMap<string, TensorInfo>;
  /** `__metadata__` of safetensors; empty for other formats. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Reads one tensor and nothing else.
   * @throws WeightsError MISSING_KEYS for a name that is not in `entries`; the format's errors
   */
  tensor(name: string): Promise<WeightTensor>;
}

/** All tensors of a checkpoint, as `loadVit` and `writeSafetensors` take them. */
export async function readAllTensors(
  checkpoint: Pick<LazyCheckpoint, 'entries' | 'tensor'>,
): Promise<Map<string, WeightTensor>> {
  const tensors = new Map<string, WeightTensor>();
  for (const name of checkpoint.entries.keys()) tensors.set(name, await checkpoint.tensor(name));
  return tensors;
}

export function entryOf<Entry>(entries: ReadonlyMap<string, Entry>, name: string): Entry {
  const entry = entries.get(name);
  if (entry) return entry;
  const known = [...entries.keys()].slice(0, 5).join(', ');
  throw new WeightsError({
    code: 'MISSING_KEYS',
    message: `There is no tensor "${name}" among ${entries.size}: ${known}${entries.size > 5 ? ', ...' : ''}.`,
  });
}
