import { createRequire } from 'node:module';
import util from 'node:util';
import { EngineError } from '../engine-error.js';

interface Started {
  device: 'cpu' | 'gpu';
  library: string;
  oneDnn: boolean;
}

/**
 * Loads libtensorflow through tfjs-node. Everything the library reads from the environment is set before it is loaded:
 * oneDNN on (measured 2x on AMD, and on Intel without AVX-512), the thread counts, and its start-up log off.
 */
export async function startTensorflow({
  threads,
  gpu,
}: {
  threads: number | undefined;
  gpu: boolean;
}): Promise<Started> {
  const name = gpu ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node';
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  if (threads !== undefined) {
    process.env.TF_NUM_INTRAOP_THREADS = String(threads);
    process.env.TF_NUM_INTEROP_THREADS = '1';
  }
  polyfillUtil();
  try {
    // tfjs-node is CommonJS and writes to its exports while it loads: require it, as its own documentation does.
    const module = createRequire(import.meta.url)(name) as {
      backend(): { binding: { TF_Version?: string }; isUsingGpuDevice?: boolean };
    };
    const native = module.backend();
    return {
      device: native.isUsingGpuDevice ? 'gpu' : 'cpu',
      library: `libtensorflow ${native.binding?.TF_Version ?? 'of unknown version'}`,
      oneDnn: process.env.TF_ENABLE_ONEDNN_OPTS !== '0',
    };
  } catch (cause) {
    throw new EngineError({
      code: 'BACKEND_MISSING',
      message: [
        `the backend "tensorflow" cannot start: ${name} is not installed or has no native library`,
        '(in a clone of onco-response run `node tooling/native/provide.mjs`; elsewhere install the package and let its',
        'install script run)',
      ].join(' '),
      cause,
    });
  }
}

/** tfjs-node 4.22 calls two functions that Node 23 removed from `util`. */
function polyfillUtil(): void {
  const legacy = util as unknown as Record<string, unknown>;
  legacy.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  legacy.isArray ??= Array.isArray;
}
