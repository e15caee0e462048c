import { VolumeError } from './volume-error.js';

/** A worker of the platform: a web worker, or a thread of Node. */
export interface WorkerPort {
  post(message: unknown, transfer: ArrayBuffer[]): void;
  /** Called once, before the first message. */
  listen(onReply: (reply: WorkerReply) => void, onFailure: (cause: unknown) => void): void;
  /** Whether the process has to stay alive for it. */
  keepAlive(busy: boolean): void;
  terminate(): void;
}

/** What comes back for message `id`. */
export type WorkerReply = { id: number; buffers: ArrayBuffer[] } | { id: number; error: string };

/** Workers that stay warm between calls, never more than `limit`; a call has those it leases for itself. */
export class WorkerPool {
  readonly limit: number;
  readonly #start: () => WorkerPort;
  readonly #idle: PooledWorker[] = [];
  readonly #waiting: (() => void)[] = [];
  #alive = 0;

  constructor({ limit, start }: { limit: number; start: () => WorkerPort }) {
    this.limit = limit;
    this.#start = start;
  }

  /** Up to `count` workers, as soon as there is one. */
  async lease(count: number, signal?: AbortSignal): Promise<PooledWorker[]> {
    for (;;) {
      signal?.throwIfAborted();
      const leased = this.#idle.splice(0, count).filter((worker) => !this.#isGone(worker));
      while (leased.length < count && this.#alive < this.limit) {
        leased.push(new PooledWorker(this.#start()));
        this.#alive++;
      }
      for (const worker of leased) worker.keepAlive(true);
      if (leased.length > 0) return leased;
      await new Promise<void>((wake) => {
        this.#waiting.push(wake);
        signal?.addEventListener('abort', () => wake(), { once: true });
      });
    }
  }

  /** Takes workers back; those that were stopped are forgotten. */
  release(leased: readonly PooledWorker[]): void {
    for (const worker of leased) {
      worker.keepAlive(false);
      if (!this.#isGone(worker)) this.#idle.push(worker);
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #isGone({ stopped }: PooledWorker): boolean {
    if (stopped) this.#alive--;
    return stopped;
  }
}

/** A worker that answers each message once. */
export class PooledWorker {
  stopped = false;
  readonly #port: WorkerPort;
  readonly #pending = new Map<
    number,
    { resolve: (buffers: ArrayBuffer[]) => void; reject: (reason: unknown) => void }
  >();
  #last = 0;

  constructor(port: WorkerPort) {
    this.#port = port;
    port.listen(
      (reply) => {
        const request = this.#pending.get(reply.id);
        this.#pending.delete(reply.id);
        if ('error' in reply) request?.reject(failure(reply.error));
        else request?.resolve(reply.buffers);
      },
      (cause) => this.stop(failure(cause instanceof Error ? cause.message : 'no reason given', cause)),
    );
  }

  request(job: unknown, transfer: ArrayBuffer[]): Promise<ArrayBuffer[]> {
    return new Promise((resolve, reject) => {
      if (this.stopped) return reject(failure('it was stopped'));
      const id = ++this.#last;
      this.#pending.set(id, { resolve, reject });
      this.#port.post({ id, job }, transfer);
    });
  }

  keepAlive(busy: boolean): void {
    if (!this.stopped) this.#port.keepAlive(busy);
  }

  /** Ends the worker at once; what it was asked fails with `reason`. */
  stop(reason: unknown): void {
    if (this.stopped) return;
    this.stopped = true;
    this.#port.terminate();
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }
}

function failure(what: string, cause?: unknown): VolumeError {
  return new VolumeError({
    code: 'WORKER_FAILED',
    message: `a worker failed: ${what}. It may have run out of memory: give fewer workers, or call resample instead`,
    cause,
  });
}
