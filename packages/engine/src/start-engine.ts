import * as tf from '@tensorflow/tfjs-core';
import { EngineError } from './engine-error.js';

export type Backend = 'tensorflow' | 'webgpu' | 'wasm' | 'cpu';

export interface EngineOptions {
  /** Which backend runs; it is started or an error says why not, never replaced by another. */
  backend: Backend;
  /** CPU threads of the 'tensorflow' backend. The same seed and thread count give the same bytes. Default: all cores. */
  threads?: number;
  /** Recorded in the result; every RandomStream of a run is made from it. Default 0. */
  seed?: number;
  /** For 'tensorflow': take `@tensorflow/tfjs-node-gpu` instead of `@tensorflow/tfjs-node`. Default false. */
  gpu?: boolean;
}

/** What runs, to be stored beside every result. */
export interface EngineInfo {
  backend: Backend;
  /** 'cpu', or 'gpu' for tfjs-node-gpu and WebGPU. */
  device: 'cpu' | 'gpu';
  /** The native library, e.g. 'libtensorflow 2.20.0', or the tfjs package that computes. */
  library: string;
  tfjs: string;
  /** Threads asked for; null = the library's own choice. */
  threads: number | null;
  /** Whether oneDNN kernels are on; null where the question does not apply. */
  oneDnn: boolean | null;
  seed: number;
}

let running: EngineInfo | undefined;

/**
 * Starts one tensor backend for this process and registers the gradients that tfjs-core leaves out.
 *
 * @throws EngineError BACKEND_MISSING with the command that provides it; BACKEND_RUNNING when another one was started
 * @example
 * const info = await startEngine({ backend: 'cpu', seed: 7 });
 */
export async function startEngine({
  backend,
  threads,
  seed = 0,
  gpu = false,
}: EngineOptions): Promise<EngineInfo> {
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0)) {
    throw new EngineError({
      code: 'INVALID_ARGUMENT',
      message: `threads has to be a whole number above 0, not ${threads}`,
    });
  }
  if (running && (running.backend !== backend || (threads !== undefined && threads !== running.threads))) {
    throw new EngineError({
      code: 'BACKEND_RUNNING',
      message: `this process already runs ${running.backend} with ${running.threads ?? 'default'} threads; start another process for ${backend}`,
    });
  }
  const asked = { backend, threads: threads ?? null, seed, tfjs: tf.version_core };
  if (running) running = { ...running, seed };
  else if (backend === 'tensorflow') {
    const { startTensorflow } = await import('./node/tensorflow.js');
    running = { ...asked, ...(await startTensorflow({ threads, gpu })) };
  } else if (backend === 'cpu') {
    await importBackend(backend, () => import('@tensorflow/tfjs-backend-cpu'));
    running = {
      ...asked,
      device: 'cpu',
      library: '@tensorflow/tfjs-backend-cpu',
      threads: null,
      oneDnn: null,
    };
  } else {
    throw new EngineError({
      code: 'BACKEND_MISSING',
      message: `the backend "${backend}" is not part of this version; 'tensorflow' (native) and 'cpu' (plain JavaScript) are`,
    });
  }
  await tf.setBackend(backend);
  await tf.ready();
  // The plain JavaScript backend advertises tfjs-node on its first operation; here it was asked for by name.
  if (backend === 'cpu') Object.assign(tf.backend(), { firstUse: false });
  await import('./gradients.js');
  return running;
}

async function importBackend(backend: Backend, load: () => Promise<unknown>): Promise<void> {
  try {
    await load();
  } catch (cause) {
    throw new EngineError({
      code: 'BACKEND_MISSING',
      message: `the backend "${backend}" is not installed: pnpm add @tensorflow/tfjs-backend-${backend}`,
      cause,
    });
  }
}
