import { type ByteSource, bytesAt, readFrom } from './byte-source.js';
import { entryOf, type LazyCheckpoint } from './lazy-checkpoint.js';
import { readHeader } from './safetensors-header.js';
import { viewAs } from './weight-tensor.js';

/**
 * Opens a safetensors file by range: the header is read and checked as strictly as `readSafetensors` does, then each
 * tensor's bytes when it is asked for.
 *
 * @throws WeightsError as `readSafetensors`
 * @example
 * const blob = await fetchedFile.blob();
 * const checkpoint = await openSafetensors({
 *   size: blob.size,
 *   read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
 * });
 * await checkpoint.tensor('layernorm.weight'); // { dtype: 'F32', shape: [384], data: Float32Array }
 */
export async function openSafetensors(source: ByteSource): Promise<LazyCheckpoint> {
  const header = await readFrom(readHeader(source.size), source);
  const entries = new Map(header.entries.map(({ name, ...entry }) => [name, entry]));
  return {
    entries,
    metadata: header.metadata,
    async tensor(name) {
      const { dtype, shape, offset, length } = entryOf(entries, name);
      return { dtype, shape, data: viewAs(dtype, await readFrom(bytesAt(offset, length), source)) };
    },
  };
}
