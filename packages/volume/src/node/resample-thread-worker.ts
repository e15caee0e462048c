import { parentPort } from 'node:worker_threads';
import { type ResampleJob, runResampleJob } from '../resample-jobs.js';
import type { WorkerReply } from '../worker-pool.js';

/** The thread that `resample-in-workers.ts` starts. */
const port = parentPort!;

port.on('message', ({ id, job }: { id: number; job: ResampleJob }) => {
  const reply = (message: WorkerReply, transfer: ArrayBuffer[]): void => port.postMessage(message, transfer);
  try {
    const buffers = runResampleJob(job);
    reply({ id, buffers }, buffers);
  } catch (error) {
    reply({ id, error: String(error) }, []);
  }
});
