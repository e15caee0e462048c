import { type ByteSource, readFrom, readNow } from './byte-source.js';
import { entryOf, type LazyCheckpoint } from './lazy-checkpoint.js';
import type { PickleValue } from './pickle-values.js';
import { readTorchLayout } from './torch-layout.js';
import { CopyBudget, type TorchStorage, TorchTensor, tensorOf } from './torch-tensor.js';
import { namedTensors, settle } from './torch-value.js';
import type { WeightTensor } from './weight-tensor.js';

export interface TorchCheckpoint {
  /** Every tensor by its path in the value: "layer.weight", "state_dict.layer.weight", "network_weights.layer.weight". */
  tensors: Map<string, WeightTensor>;
  /** What was saved, as plain data: dicts are Maps, tensors WeightTensors (the same objects as in `tensors`). */
  value: PickleValue;
}

export interface TorchOptions {
  /**
   * Classes such as "argparse.Namespace" that the file may contain besides tensors and Python's and numpy's own types.
   * They become `InertObject`s: the class name, its arguments and attributes. No constructor is ever run.
   */
  inertClasses?: readonly string[];
}

/**
 * Reads what `torch.save` wrote: the zip format, and the legacy format of torch before 1.6. The pickle inside is read as
 * data by an interpreter that can name only a list of harmless classes and calls nothing, so a malicious file is an
 * error, not a running program. Tensors are views of `bytes` where they are contiguous and aligned; tensors that share
 * memory in the file share it here. Zip entries are checked against their CRC-32.
 *
 * Format: torch/serialization.py and torch/_weights_only_unpickler.py of PyTorch 2.
 *
 * @throws WeightsError UNSAFE_PICKLE (naming what the pickle asked for), TRUNCATED, MALFORMED, CHECKSUM, TOO_LARGE,
 * DUPLICATE_KEY or UNSUPPORTED (big-endian, complex, quantised, sparse, TorchScript, compressed entries)
 * @example
 * const { tensors, value } = readTorchCheckpoint(bytes); // of nnU-Net's checkpoint_final.pth
 * tensors.get('network_weights.encoder.stages.0.0.convs.0.conv.weight'); // { dtype: 'F32', shape: [32, 1, 3, 3, 3], ... }
 * value instanceof Map && value.get('inference_allowed_mirroring_axes'); // [0, 1, 2]
 */
export function readTorchCheckpoint(
  file: Uint8Array,
  { inertClasses = [] }: TorchOptions = {},
): TorchCheckpoint {
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.length); // parts of a Buffer would be Buffers
  const layout = readNow(readTorchLayout(bytes.length, inertClasses), bytes);
  const budget = new CopyBudget(bytes.length);
  const storages = new Map<TorchStorage, Uint8Array>();
  const read = (tensor: TorchTensor): WeightTensor => {
    const stored = storages.get(tensor.storage) ?? readNow(layout.storage(tensor.storage), bytes);
    storages.set(tensor.storage, stored);
    return tensorOf(tensor, stored, budget);
  };
  const done = new Map<TorchTensor, WeightTensor>();
  const value = settle(layout.value, (tensor) => {
    const found = done.get(tensor) ?? read(tensor);
    done.set(tensor, found);
    return found;
  });
  return { tensors: namedTensors(value) as Map<string, WeightTensor>, value: value as PickleValue };
}

/**
 * Opens what `torch.save` wrote by range: the pickle is read at once, each tensor's storage when it is asked for.
 *
 * @throws WeightsError as `readTorchCheckpoint`
 * @example
 * const checkpoint = await openTorchCheckpoint(source);
 * await checkpoint.tensor('layer.weight');
 */
export async function openTorchCheckpoint(
  source: ByteSource,
  { inertClasses = [] }: TorchOptions = {},
): Promise<LazyCheckpoint> {
  const layout = await readFrom(readTorchLayout(source.size, inertClasses), source);
  const entries = namedTensors(layout.value);
  let last: { storage: TorchStorage; bytes: Promise<Uint8Array> } | undefined; // many tensors may be views of one
  return {
    entries,
    metadata: {},
    async tensor(name) {
      const entry = entryOf(entries, name);
      if (!(entry instanceof TorchTensor)) return entry;
      if (last?.storage !== entry.storage) {
        last = { storage: entry.storage, bytes: readFrom(layout.storage(entry.storage), source) };
      }
      const reading = last;
      const bytes = await reading.bytes.catch((error) => {
        if (last === reading) last = undefined; // the next call tries again
        throw error;
      });
      return tensorOf(entry, bytes, new CopyBudget(bytes.length));
    },
  };
}
