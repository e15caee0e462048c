import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type ResampleInWorkersOptions, resampleOnPool } from '../resample-on-pool.js';
import type { ResampleTarget } from '../resample-plan.js';
import type { Volume, VoxelArray } from '../types.js';
import { WorkerPool, type WorkerPort } from '../worker-pool.js';

/** The calling thread takes part, a few milliseconds at a time. */
const pool = new WorkerPool({ limit: Math.max(1, availableParallelism() - 1), start: startWorker });

/**
 * `resample` in worker threads, which stay warm for the next call and don't keep the process alive: the same voxels
 * bit for bit, in a fraction of the time, while the calling thread stays responsive. Beside source and target, memory
 * holds about 30 MB a worker, and the float32 coefficients of the source for 'bspline'.
 * @throws VolumeError as `resample`, WORKER_FAILED; the signal's reason
 * @example
 * const isotropic = await resampleInWorkers(ct, { spacing: [1, 1, 1] }, { interpolation: 'linear' });
 */
export async function resampleInWorkers<T extends VoxelArray>(
  volume: Volume<T>,
  target: ResampleTarget,
  options: ResampleInWorkersOptions & { interpolation: 'nearest' },
): Promise<Volume<T>>;
export async function resampleInWorkers(
  volume: Volume,
  target: ResampleTarget,
  options?: ResampleInWorkersOptions,
): Promise<Volume>;
export async function resampleInWorkers(
  volume: Volume,
  target: ResampleTarget,
  options: ResampleInWorkersOptions = {},
): Promise<Volume> {
  return resampleOnPool(pool, volume, target, options, () => setImmediate());
}

function startWorker(): WorkerPort {
  const worker = new Worker(new URL('./resample-thread-worker.js', import.meta.url));
  worker.unref();
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(onReply, onFailure) {
      worker.on('message', onReply);
      worker.on('error', onFailure);
      worker.on('messageerror', onFailure);
      worker.on('exit', (code) => onFailure(new Error(`it ended with code ${code}`)));
    },
    keepAlive: (busy) => (busy ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
}
