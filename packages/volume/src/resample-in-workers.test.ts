import { Worker as Thread } from 'node:worker_threads';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { resampleInWorkers as inWebWorkers } from './browser.js';
import { resampleInWorkers } from './node.js';
import { resample } from './resample.js';
import type { ResampleOptions, ResampleTarget } from './resample-plan.js';
import { noiseMask, noiseVolume } from './test-volumes.js';
import type { Mat3, Vec3, Volume } from './types.js';
import { PooledWorker, WorkerPool, type WorkerPort } from './worker-pool.js';

const ct = noiseVolume([61, 53, 47], [0.7, 0.8, 1.25], 3);
const angle = 0.5;
const turned: Mat3 = [Math.cos(angle), -Math.sin(angle), 0, Math.sin(angle), Math.cos(angle), 0, 0, 0, 1];
const tilted: Mat3 = [0, Math.cos(angle), -Math.sin(angle), 0, Math.sin(angle), Math.cos(angle), 1, 0, 0];
const grid = (direction: Mat3): Volume => ({ ...noiseVolume([40, 45, 50], [0.9, 1.3, 1.1]), direction });
const flipped = { ...ct, direction: [-1, 0, 0, 0, 1, 0, 0, 0, -1] as Mat3, origin: [30, 7, 60] as Vec3 };
const targets: [string, ResampleTarget][] = [
  ['finer', { spacing: [0.6, 0.5, 0.4] }],
  ['coarser', { spacing: [1, 2.9, 3.1] }],
  ['flipped and partly outside', { like: flipped }],
  ['turned about z', { like: grid(turned) }],
  ['tilted, axes permuted', { like: grid(tilted) }],
  ['wholly outside', { like: { ...ct, origin: [500, 500, 500] } }],
];
const options: ResampleOptions[] = [
  { interpolation: 'nearest', fill: -1024 },
  { interpolation: 'linear', fill: -1024 },
  { interpolation: 'bspline' },
  { interpolation: 'linear', antiAlias: true },
  { interpolation: 'bspline', antiAlias: true, fill: 7 },
];
const cases = targets.flatMap(([name, target]) =>
  options.map((each) => [`${name}, ${JSON.stringify(each)}`, target, each] as const),
);

function expectSame(found: Volume, expected: Volume): void {
  expect(found.data.constructor).toBe(expected.data.constructor);
  expect(Buffer.compare(bytesOf(found), bytesOf(expected))).toBe(0); // bit for bit
  expect({ ...found, data: null }).toEqual({ ...expected, data: null });
}
const bytesOf = ({ data }: Volume): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

describe('worker threads give what resample gives, bit for bit', () => {
  test.each(cases)('%s', async (_, target, each) => {
    for (const workers of [1, 2]) {
      expectSame(await resampleInWorkers(ct, target, { ...each, workers }), resample(ct, target, each));
    }
  });

  test('float64 voxels, a mask, one slice, one voxel', async () => {
    const double: Volume = { ...ct, data: Float64Array.from(ct.data, (v) => v / 3) };
    const slice = noiseVolume([20, 30, 1], [1, 1, 5]);
    const voxel = noiseVolume([1, 1, 1]);
    for (const volume of [double, slice, voxel]) {
      for (const each of options) {
        const target = { spacing: [1.7, 1.6, 2] as Vec3 };
        expectSame(await resampleInWorkers(volume, target, each), resample(volume, target, each));
      }
    }
    const mask = noiseMask([30, 20, 10], [1, 1, 3], 0.2);
    const found = await resampleInWorkers(mask, { like: ct }, { interpolation: 'nearest' });
    expect(found.data).toBeInstanceOf(Uint8Array);
    expectSame(found, resample(mask, { like: ct }, { interpolation: 'nearest' }));
  });

  test('several calls at once; progress counts up to the total; the input stays', async () => {
    const before = ct.data.slice();
    const seen: { done: number; total: number }[] = [];
    const target = { spacing: [1, 1, 1] as Vec3 };
    const results = await Promise.all([
      resampleInWorkers(ct, target, { onProgress: (progress) => seen.push(progress) }),
      resampleInWorkers(ct, target, { interpolation: 'bspline' }),
      resampleInWorkers(ct, target, { interpolation: 'nearest' }),
    ]);
    expectSame(results[0], resample(ct, target));
    expectSame(results[1], resample(ct, target, { interpolation: 'bspline' }));
    expectSame(results[2], resample(ct, target, { interpolation: 'nearest' }));
    expect(seen.map(({ done }) => done)).toEqual(seen.map((_, at) => at + 1));
    expect(seen.at(-1)?.done).toBe(seen.at(-1)?.total);
    expect(ct.data).toEqual(before);
  });
});

describe('ending', () => {
  test('an aborted signal ends it with the reason, and the next call works', async () => {
    const reason = new Error('no longer wanted');
    await expect(
      resampleInWorkers(ct, { spacing: [1, 1, 1] }, { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    const stop = new AbortController();
    const onProgress = (): void => stop.abort(reason);
    const given = { interpolation: 'bspline', signal: stop.signal, onProgress } as const;
    await expect(resampleInWorkers(ct, { spacing: [1, 1, 1] }, given)).rejects.toBe(reason);
    expectSame(await resampleInWorkers(ct, { spacing: [1, 1, 1] }), resample(ct, { spacing: [1, 1, 1] }));
  });

  test('bad arguments are those of resample', async () => {
    await expect(resampleInWorkers(ct, { spacing: [0, 1, 1] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(resampleInWorkers(ct, { spacing: [1, 1, 1] }, { workers: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  test('a worker that dies is an error, and its place is free again', async () => {
    let started = 0;
    let die: (cause: unknown) => void = () => {};
    const start = (): WorkerPort => {
      started++;
      return {
        post: () => die(new Error('out of memory')),
        listen: (_, onFailure) => {
          die = onFailure;
        },
        keepAlive() {},
        terminate() {},
      };
    };
    const pool = new WorkerPool({ limit: 1, start });
    for (let round = 1; round <= 2; round++) {
      const [worker] = await pool.lease(4);
      expect(worker).toBeInstanceOf(PooledWorker);
      const waiting = pool.lease(1, AbortSignal.timeout(5));
      await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' });
      await expect(worker!.request({}, [])).rejects.toMatchObject({
        code: 'WORKER_FAILED',
        message: expect.stringContaining('out of memory'),
      });
      pool.release([worker!]);
      expect(started).toBe(round);
    }
  });
});

/** A web worker on a thread: `self`, `onmessage` and `postMessage` as in a browser. */
class WebWorker {
  onmessage?: (event: { data: unknown }) => void;
  onerror?: (event: { message: string }) => void;
  readonly #thread: Thread;
  constructor(url: URL, { type }: { type: string }) {
    expect(type).toBe('module');
    const script = `
      const { parentPort } = require('node:worker_threads');
      globalThis.postMessage = (message, transfer) => parentPort.postMessage(message, transfer);
      const loaded = import(${JSON.stringify(url.href)});
      parentPort.on('message', async (data) => { await loaded; globalThis.onmessage({ data }); });`;
    this.#thread = new Thread(script, { eval: true });
    this.#thread.unref();
    this.#thread.on('message', (data) => this.onmessage?.({ data }));
    this.#thread.on('error', ({ message }) => this.onerror?.({ message }));
  }
  postMessage(message: unknown, transfer: ArrayBuffer[]): void {
    this.#thread.postMessage(message, transfer);
  }
  terminate(): void {
    void this.#thread.terminate();
  }
}

describe('web workers', () => {
  afterEach(() => vi.unstubAllGlobals());

  test.each([true, false])('give what resample gives; memory shared: %s', async (isolated) => {
    vi.stubGlobal('Worker', WebWorker);
    vi.stubGlobal('navigator', { hardwareConcurrency: 2 });
    vi.stubGlobal('crossOriginIsolated', isolated);
    for (const [, target, each] of cases.slice(0, 15)) {
      expectSame(await inWebWorkers(ct, target, each), resample(ct, target, each));
    }
  });
});
