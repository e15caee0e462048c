import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import {
  fromFloat32,
  readSafetensors,
  toFloat32,
  type WeightTensor,
  writeSafetensors,
} from '@onco-response/weights';
import { EncoderError } from '../encoder-error.js';
import { TEMPORARY, writeWhole } from './files.js';

/** Part of every key: raise it when the encoder's arithmetic or the file's layout changes. */
const FORMAT = 1;
/** Largest finite float16. */
const MAX_FLOAT16 = 65504;
/** A temporary file older than this was left by a process that died. */
const STALE_MILLISECONDS = 3_600_000;

export interface PrefixKey {
  /** Normalised pixels, as given to `vit.prefix`. */
  readonly pixels: Float32Array;
  /** Shape of the pixels, [S, H, W, 3]. */
  readonly shape: readonly number[];
  /** `vit.weightsSha256`. */
  readonly weightsSha256: string;
  readonly frozenBlocks: number;
}

/** The name of a cache entry: SHA-256 over everything that the tokens depend on. */
export function prefixKey({ pixels, shape, weightsSha256, frozenBlocks }: PrefixKey): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify({ format: FORMAT, shape, weightsSha256, frozenBlocks }));
  hash.update(bytesOf(pixels));
  return hash.digest('hex');
}

export interface PrefixCacheOptions {
  readonly directory: string;
  /** How tokens are stored. float16 halves the disk and changes them by up to 5e-4 of their size. Default 'float16'. */
  readonly precision?: 'float16' | 'float32';
  /** Beyond this the entries used longest ago are removed. Default: no limit. */
  readonly limitBytes?: number;
  /** Told of each damaged entry, besides `warnings`. */
  readonly onWarning?: (warning: string) => void;
}

export interface CachedTokens {
  readonly data: Float32Array;
  readonly shape: number[];
}

/**
 * Tokens of the frozen blocks on disk, one safetensors file an entry, named by `prefixKey`. Entries appear whole or not
 * at all, so several processes may share a directory. A damaged entry counts as absent: it is reported, and the next
 * `put` replaces it.
 *
 * @example
 * const cache = new PrefixCache({ directory: 'cache/prefix', precision: 'float32' });
 * const key = prefixKey({ pixels, shape, weightsSha256: vit.weightsSha256, frozenBlocks: 8 });
 * const tokens = await cache.get(key); // { data: Float32Array, shape: [S, 257, 384] } or undefined
 */
export class PrefixCache {
  /** What was found damaged since this object was made. */
  readonly warnings: string[] = [];
  readonly #directory: string;
  readonly #precision: 'float16' | 'float32';
  readonly #limitBytes: number;
  readonly #onWarning: (warning: string) => void;
  /** Bytes in the directory, as far as this process knows; undefined until it has looked. */
  #bytes: number | undefined;

  constructor({ directory, precision = 'float16', limitBytes, onWarning = () => {} }: PrefixCacheOptions) {
    this.#directory = directory;
    this.#precision = precision;
    this.#limitBytes = limitBytes ?? Number.POSITIVE_INFINITY;
    this.#onWarning = onWarning;
  }

  /** The tokens stored under `key`, or undefined where there are none or they are damaged. */
  async get(key: string): Promise<CachedTokens | undefined> {
    const path = this.#path(key);
    let bytes: Uint8Array;
    try {
      bytes = await readFile(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const { tensors, metadata } = readSafetensors(bytes);
      const tokens = tensors.get('tokens');
      if (!tokens) throw new Error('it holds no tokens');
      if (metadata.sha256 !== checksum(tokens)) throw new Error('its checksum does not fit');
      if (tokens.dtype === 'F16' && this.#precision === 'float32') return undefined; // written by a less precise cache
      const now = new Date();
      if (this.#limitBytes < Number.POSITIVE_INFINITY) await utimes(path, now, now).catch(() => {}); // used just now
      return { data: toFloat32(tokens), shape: [...tokens.shape] };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#warn(`Cache entry ${path} is damaged (${reason}); it is computed again.`);
      return undefined;
    }
  }

  /**
   * Stores tokens under `key`, replacing what is there. Values beyond float16's range are stored as float32.
   *
   * @throws EncoderError INVALID_ARGUMENT for a key that is not a hash; WeightsError SHAPE_MISMATCH
   */
  async put(key: string, data: Float32Array, shape: readonly number[]): Promise<void> {
    const path = this.#path(key);
    const fits = this.#precision === 'float16' && data.every((value) => Math.abs(value) <= MAX_FLOAT16);
    const tokens = fromFloat32(data, shape, fits ? 'F16' : 'F32');
    const bytes = writeSafetensors(new Map([['tokens', tokens]]), { sha256: checksum(tokens) });
    if (this.#limitBytes < Number.POSITIVE_INFINITY) await this.#makeRoom(bytes.length);
    await writeWhole(path, bytes);
    if (this.#bytes !== undefined) this.#bytes += bytes.length;
  }

  #path(key: string): string {
    if (/^[0-9a-f]{64}$/.test(key)) return join(this.#directory, `${key}.safetensors`);
    const message = 'A cache key is the 64 hexadecimal digits that prefixKey gives.';
    throw new EncoderError({ code: 'INVALID_ARGUMENT', message });
  }

  #warn(warning: string): void {
    this.warnings.push(warning);
    this.#onWarning(warning);
  }

  /** Removes the entries used longest ago until `needed` more bytes fit; looks at the directory only when it has to. */
  async #makeRoom(needed: number): Promise<void> {
    if (this.#bytes !== undefined && this.#bytes + needed <= this.#limitBytes) return;
    const files = await this.#files();
    this.#bytes = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size } of files.sort((a, b) => a.usedAt - b.usedAt)) {
      if (this.#bytes + needed <= this.#limitBytes) return;
      await rm(path, { force: true });
      this.#bytes -= size;
    }
  }

  async #files(): Promise<{ path: string; size: number; usedAt: number }[]> {
    await mkdir(this.#directory, { recursive: true });
    const found: { path: string; size: number; usedAt: number }[] = [];
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name);
      const entry = await stat(path).catch(() => undefined); // another process may have removed it
      if (!entry) continue;
      if (name.endsWith('.safetensors')) found.push({ path, size: entry.size, usedAt: entry.mtimeMs });
      else if (name.endsWith(TEMPORARY) && Date.now() - entry.mtimeMs > STALE_MILLISECONDS) {
        await rm(path, { force: true });
      }
    }
    return found;
  }
}

function checksum({ dtype, shape, data }: WeightTensor): string {
  return createHash('sha256')
    .update(JSON.stringify([dtype, shape]))
    .update(bytesOf(data))
    .digest('hex');
}

function bytesOf(array: WeightTensor['data']): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
