import * as tf from '@tensorflow/tfjs-core';
import { EngineError } from './engine-error.js';
import { setFusedKernels } from './fused-kernels.js';
import { setVolumeKernels } from './volume-kernels.js';

export type Backend = 'tensorflow' | 'webgpu' | 'wasm' | 'cpu';

export interface EngineOptions {
  /**
   * Which backend runs; it is started or an error says why not, never replaced by another. 'tensorflow' is native and
   * trains; 'webgpu' trains on a graphics card in Node (through Dawn) and browsers; 'wasm' is for inference: it lacks the
   * kernels of most gradients; 'cpu' is plain JavaScript, for tests.
   */
  backend: Backend;
  /** CPU threads of the 'tensorflow' backend. The same seed and thread count give the same bytes. Default: all cores. */
  threads?: number;
  /** Recorded in the result; every RandomStream of a run is made from it. Default 0. */
  seed?: number;
  /** For 'tensorflow': take `@tensorflow/tfjs-node-gpu` instead of `@tensorflow/tfjs-node`. Default false. */
  gpu?: boolean;
  /**
   * For 'tensorflow' with `gpu`: multiply matrices with TensorFloat-32, faster with 10 bits of mantissa instead of 23.
   * Default false.
   */
  tf32?: boolean;
}

/** What runs, to be stored beside every result. */
export interface EngineInfo {
  backend: Backend;
  /** 'cpu', or 'gpu' for tfjs-node-gpu and WebGPU. */
  device: 'cpu' | 'gpu';
  /** The card, as its driver names it; null for 'cpu'. */
  deviceName: string | null;
  /** The native library, e.g. 'libtensorflow 2.20.0 with fused kernels', or the tfjs package that computes. */
  library: string;
  tfjs: string;
  /** Threads asked for; null = the library's own choice. */
  threads: number | null;
  /** Whether oneDNN kernels are on; null where the question does not apply. */
  oneDnn: boolean | null;
  /** Whether TensorFloat-32 is allowed; null where the question does not apply. */
  tf32: boolean | null;
  seed: number;
}

type Started = Omit<EngineInfo, 'backend' | 'tfjs' | 'seed'>;

let running: EngineInfo | undefined;

/**
 * Starts one tensor backend for this process and registers the gradients that tfjs-core leaves out.
 *
 * @throws EngineError BACKEND_MISSING with the command that provides it; NO_GPU where `gpu` was asked for and no card is
 * found; BACKEND_RUNNING when another one was started; INVALID_ARGUMENT
 * @example
 * const info = await startEngine({ backend: 'cpu', seed: 7 });
 */
export async function startEngine(options: EngineOptions): Promise<EngineInfo> {
  const { backend, threads, seed = 0 } = options;
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
  if (running) running = { ...running, seed };
  else running = { backend, tfjs: tf.version_core, seed, ...(await STARTERS[backend](options)) };
  await tf.setBackend(backend);
  await tf.ready();
  // The plain JavaScript backend advertises tfjs-node on its first operation; here it was asked for by name.
  if (backend === 'cpu') Object.assign(tf.backend(), { firstUse: false });
  await import('./gradients.js');
  return running;
}

/** Frees the backend and all its tensors. Node ends by itself only after this where 'webgpu' runs. */
export async function stopEngine(): Promise<void> {
  if (!running) return;
  const { backend } = running;
  const device = backend === 'webgpu' ? (tf.backend() as unknown as GpuBackend).device : undefined;
  tf.removeBackend(backend);
  device?.destroy();
  if (device) (await import('./node/webgpu.js')).withdrawWebGpu();
  setFusedKernels(undefined);
  setVolumeKernels(undefined);
  running = undefined;
}

interface GpuBackend {
  readonly device: { destroy(): void };
}

const CPU: Started = {
  device: 'cpu',
  deviceName: null,
  library: '@tensorflow/tfjs-backend-cpu',
  threads: null,
  oneDnn: null,
  tf32: null,
};

const STARTERS: Record<Backend, (options: EngineOptions) => Promise<Started>> = {
  async tensorflow({ threads, gpu = false, tf32 = false }) {
    const { startTensorflow } = await import('./node/tensorflow.js');
    return { ...(await startTensorflow({ threads, gpu, tf32 })), threads: threads ?? null };
  },
  async webgpu() {
    const { provideWebGpu } = await import('./node/webgpu.js');
    const deviceName = await provideWebGpu();
    await importBackend('webgpu', () => import('@tensorflow/tfjs-backend-webgpu'));
    return { ...CPU, device: 'gpu', deviceName, library: '@tensorflow/tfjs-backend-webgpu' };
  },
  async wasm() {
    await importBackend('wasm', () => import('@tensorflow/tfjs-backend-wasm'));
    return { ...CPU, library: '@tensorflow/tfjs-backend-wasm' };
  },
  async cpu() {
    await importBackend('cpu', () => import('@tensorflow/tfjs-backend-cpu'));
    return CPU;
  },
};

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
