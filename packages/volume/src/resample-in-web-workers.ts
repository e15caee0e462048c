import { type ResampleInWorkersOptions, resampleOnPool } from './resample-on-pool.js';
import type { ResampleTarget } from './resample-plan.js';
import type { Volume, VoxelArray } from './types.js';
import { WorkerPool, type WorkerPort, type WorkerReply } from './worker-pool.js';

let pool: WorkerPool | undefined;

/**
 * `resample` in web workers, which stay warm for the next call: the same voxels bit for bit, while the page stays
 * responsive. 'bspline' uses several workers only where the page is cross-origin isolated (SharedArrayBuffer).
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
  pool ??= new WorkerPool({ limit: navigator.hardwareConcurrency, start: startWorker });
  return resampleOnPool(pool, volume, target, options);
}

function startWorker(): WorkerPort {
  const worker = new Worker(new URL('./resample-worker.js', import.meta.url), { type: 'module' });
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(onReply, onFailure) {
      worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => onReply(data);
      worker.onerror = (event) => onFailure(new Error(event.message || 'its script could not be loaded'));
      worker.onmessageerror = () => onFailure(new Error('a message could not be read'));
    },
    keepAlive() {},
    terminate: () => worker.terminate(),
  };
}
