import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { ImagingError } from '../imaging-error.js';
import type { OptionsOf, ReaderName, ResultOf } from '../readers.js';
import type { ReadingOptions } from '../reading.js';
import type { ReadingReply, ReadingRequest } from './reading-request.js';

/** More threads than this wait for the disk, and each may hold a volume. */
const MAX_THREADS = 4;

interface Job {
  readonly request: ReadingRequest;
  readonly options: ReadingOptions;
  /** It waits no longer. */
  begin(): void;
  finish(result: ResultOf<ReaderName>): void;
  fail(error: unknown): void;
}

/** Threads that wait for work. They stay: to start one takes 40 ms, as long as it takes to read a small file. */
const idle: Worker[] = [];
const waiting: Job[] = [];
let threads = 0;

/**
 * Runs a reader on a reading thread, so that the calling thread stays free.
 * @throws ImagingError as the reader does; the signal's reason where that ends it
 */
export function readOnThread<Name extends ReaderName>(
  reader: Name,
  path: string | readonly string[],
  options: OptionsOf<Name>,
  { signal, onProgress }: ReadingOptions,
): Promise<ResultOf<Name>> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const leave = (): void => {
      const place = waiting.indexOf(job);
      if (place < 0) return;
      waiting.splice(place, 1);
      reject(signal!.reason);
    };
    const job: Job = {
      request: { reader, path, options, wantsProgress: onProgress !== undefined },
      options: { signal, onProgress },
      begin: () => signal?.removeEventListener('abort', leave),
      finish: (result) => resolve(result as ResultOf<Name>),
      fail: reject,
    };
    // one signal for many reads is no leak
    if (signal) setMaxListeners(0, signal);
    signal?.addEventListener('abort', leave, { once: true });
    waiting.push(job);
    startWaiting();
  });
}

function startWaiting(): void {
  const limit = Math.min(MAX_THREADS, availableParallelism());
  while (waiting.length > 0 && (idle.length > 0 || threads < limit)) {
    run(waiting.shift()!, idle.pop() ?? startThread());
  }
}

function startThread(): Worker {
  threads++;
  // the process's own flags (--input-type, --inspect-brk) are not for it
  const thread = new Worker(new URL('./reading-worker.js', import.meta.url), { execArgv: [] });
  thread.once('exit', () => {
    threads--;
    const place = idle.indexOf(thread);
    if (place >= 0) idle.splice(place, 1);
    startWaiting();
  });
  thread.on('error', () => undefined); // a job under way has a listener of its own
  return thread;
}

function run(job: Job, thread: Worker): void {
  const { request, options, finish, fail } = job;
  const { signal, onProgress } = options;
  job.begin();
  const settle = (then: () => void): void => {
    thread.off('message', take);
    thread.off('error', broke);
    thread.off('exit', stopped);
    signal?.removeEventListener('abort', abort);
    then();
  };
  const release = (): void => {
    thread.unref();
    idle.push(thread);
    startWaiting();
  };
  const take = (reply: ReadingReply): void => {
    if ('progress' in reply) {
      try {
        onProgress?.(reply.progress);
      } catch (error) {
        void thread.terminate();
        settle(() => fail(error));
      }
      return;
    }
    settle(() => {
      release();
      if ('result' in reply) finish(reply.result);
      else if ('error' in reply) fail(new ImagingError(reply.error));
      else fail(new Error(`the reading thread met a defect: ${reply.defect}`));
    });
  };
  const broke = (error: Error): void => {
    const full = (error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY';
    settle(() =>
      fail(full ? tooLarge(request) : new Error('the reading thread broke down', { cause: error })),
    );
  };
  const stopped = (): void => settle(() => fail(new Error('the reading thread stopped')));
  const abort = (): void => {
    void thread.terminate(); // it may be inside a call that does not come back for seconds
    settle(() => fail(signal!.reason));
  };
  thread.on('message', take);
  thread.on('error', broke);
  thread.on('exit', stopped);
  signal?.addEventListener('abort', abort, { once: true });
  thread.ref(); // the process has to wait for it
  try {
    thread.postMessage(request);
  } catch (error) {
    // options that cannot be sent
    settle(() => {
      release();
      fail(error);
    });
  }
}

function tooLarge({ path }: ReadingRequest): ImagingError {
  const name = typeof path === 'string' ? path : path[0];
  return new ImagingError({ code: 'TOO_LARGE', message: `${name} needs more memory than a thread has` });
}
