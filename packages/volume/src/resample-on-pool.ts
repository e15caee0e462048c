import { checkNumber } from './check-volume.js';
import { planResample, type ResampleOptions, type ResampleTarget } from './resample-plan.js';
import { resampleSteps, type Step } from './resample-steps.js';
import type { Volume } from './types.js';
import type { PooledWorker, WorkerPool } from './worker-pool.js';

export interface ResampleInWorkersOptions extends ResampleOptions {
  /** Workers at most: one for each processor that the calling thread leaves free unless given. */
  readonly workers?: number | undefined;
  /** Ends the workers at once; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called from time to time with the work done so far. */
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/** Steps a worker is given at a time: the next is copied while it works on one. */
const STEPS_AHEAD = 2;

/** Workers that have seen this much shared memory are ended: idle, they would hold it until they collect garbage. */
const SHARED_BYTES_HELD = 64 * 2 ** 20;

/**
 * `resample` by workers of a pool. The calling thread copies, a few MB at a time.
 *
 * @param pause lets the calling thread's other work go on; where given, that thread also takes a step now and then, which
 *   is faster by what need not be copied
 */
export async function resampleOnPool(
  pool: WorkerPool,
  volume: Volume,
  target: ResampleTarget,
  { workers = pool.limit, signal, onProgress, ...options }: ResampleInWorkersOptions,
  pause?: () => Promise<void>,
): Promise<Volume> {
  checkNumber(workers, 'workers', 1);
  const plan = planResample(volume, target, options);
  const count = Math.min(Math.floor(workers), pool.limit);
  const { data, phases, sharedBytes } = resampleSteps(volume, plan, count);
  const total = phases.reduce((sum, steps) => sum + steps.length, 0);
  const leased = await pool.lease(Math.min(count, Math.max(...phases.map((steps) => steps.length))), signal);
  const stop = (reason: unknown): void => {
    for (const worker of leased) worker.stop(reason);
  };
  const abort = (): void => stop(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    let done = 0;
    for (const steps of phases) {
      const onDone = (): void => {
        onProgress?.({ done: ++done, total });
        signal?.throwIfAborted();
      };
      await runSteps(leased, steps, onDone, pause);
    }
    return { data: data(), ...plan.grid };
  } catch (error) {
    stop(error);
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', abort);
    if (sharedBytes > SHARED_BYTES_HELD) stop(new Error('the call is over'));
    pool.release(leased);
  }
}

async function runSteps(
  leased: readonly PooledWorker[],
  steps: readonly Step[],
  onDone: () => void,
  pause: (() => Promise<void>) | undefined,
): Promise<void> {
  let next = 0;
  const help = async (resume: () => Promise<void>): Promise<void> => {
    for (await resume(); steps[next]?.here; await resume()) {
      steps[next++]!.here!();
      onDone();
    }
  };
  const lane = async (worker: PooledWorker): Promise<void> => {
    let buffers: ArrayBuffer[] = [];
    for (let step = steps[next++]; step !== undefined; step = steps[next++]) {
      const { job, transfer } = await step.start(buffers);
      buffers = await worker.request(job, transfer);
      step.finish(buffers);
      onDone();
    }
  };
  // in turn: every worker has its first step before one gets its second
  const lanes = Array.from({ length: STEPS_AHEAD * leased.length }, (_, at) => leased[at % leased.length]!);
  await Promise.all([...lanes.map(lane), ...(pause ? [help(pause)] : [])]);
}
