import { type ResampleJob, runResampleJob } from './resample-jobs.js';
import type { WorkerReply } from './worker-pool.js';

/** The web worker that `browser.ts` starts. */
const scope = globalThis as unknown as {
  onmessage: (event: { data: { id: number; job: ResampleJob } }) => void;
  postMessage(reply: WorkerReply, transfer: ArrayBuffer[]): void;
};

scope.onmessage = ({ data: { id, job } }) => {
  try {
    const buffers = runResampleJob(job);
    scope.postMessage({ id, buffers }, buffers);
  } catch (error) {
    scope.postMessage({ id, error: String(error) }, []);
  }
};
