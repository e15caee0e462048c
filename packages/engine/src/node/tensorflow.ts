import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import util from 'node:util';
import { EngineError } from '../engine-error.js';
import { type FusedKernels, setFusedKernels } from '../fused-kernels.js';
import { setVolumeKernels } from '../volume-kernels.js';
import { type NativeBackend, oneDnnKernels } from './onednn-kernels.js';
import { tensorflowVolumeKernels } from './tensorflow-volume-kernels.js';

interface Started {
  device: 'cpu' | 'gpu';
  deviceName: string | null;
  library: string;
  oneDnn: boolean;
  tf32: boolean | null;
}

interface TensorflowOptions {
  threads: number | undefined;
  gpu: boolean;
  tf32: boolean;
}

/**
 * Loads libtensorflow through tfjs-node. Everything the library reads from the environment is set before it is loaded:
 * oneDNN on (measured 2x on AMD, and on Intel without AVX-512), the thread counts, its start-up log off, and on a card
 * memory taken as it is needed, and TensorFloat-32 only where it is asked for.
 * @throws EngineError BACKEND_MISSING, NO_GPU
 */
export async function startTensorflow({ threads, gpu, tf32 }: TensorflowOptions): Promise<Started> {
  const name = gpu ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node';
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  if (gpu && !tf32) process.env.NVIDIA_TF32_OVERRIDE = '0';
  if (threads !== undefined) {
    process.env.TF_NUM_INTRAOP_THREADS = String(threads);
    process.env.TF_NUM_INTEROP_THREADS = '1';
  }
  polyfillUtil();
  try {
    // tfjs-node is CommonJS and writes to its exports while it loads: require it, as its own documentation does.
    const module = createRequire(import.meta.url)(name) as {
      backend(): NativeBackend & { binding: { TF_Version?: string }; isUsingGpuDevice?: boolean };
    };
    const native = module.backend();
    if (gpu && !native.isUsingGpuDevice) throw noGpu();
    // on a card these kernels would run on the CPU
    const fused: FusedKernels | undefined = gpu ? undefined : oneDnnKernels(native);
    setFusedKernels(fused);
    setVolumeKernels(tensorflowVolumeKernels(native, gpu));
    return {
      device: gpu ? 'gpu' : 'cpu',
      deviceName: gpu ? cardName() : null,
      library: `libtensorflow ${native.binding?.TF_Version ?? 'of unknown version'}${fused ? ' with fused kernels' : ''}`,
      oneDnn: process.env.TF_ENABLE_ONEDNN_OPTS !== '0',
      tf32: gpu ? process.env.NVIDIA_TF32_OVERRIDE !== '0' : null,
    };
  } catch (cause) {
    if (EngineError.isInstance(cause)) throw cause;
    throw new EngineError({
      code: 'BACKEND_MISSING',
      message: [
        `the backend "tensorflow" cannot start: ${name} is not installed or has no native library`,
        `(in a clone of onco-response run \`node tooling/native/provide.mjs${gpu ? ' --gpu' : ''}\`; elsewhere install the`,
        'package and let its install script run)',
      ].join(' '),
      cause,
    });
  }
}

function noGpu(): EngineError {
  const visible = process.env.CUDA_VISIBLE_DEVICES;
  return new EngineError({
    code: 'NO_GPU',
    message: [
      'the GPU library loads but finds no card',
      visible === undefined ? '' : `(CUDA_VISIBLE_DEVICES is "${visible}")`,
      ': check nvidia-smi, or start without `gpu` to run on the CPU',
    ]
      .join(' ')
      .replace(' :', ':'),
  });
}

/** The card this process uses: tfjs-node takes the last one it can see. */
function cardName(): string {
  try {
    const lines = execFileSync('nvidia-smi', ['--query-gpu=index,uuid,name', '--format=csv,noheader'], {
      encoding: 'utf8',
    })
      .trim()
      .split('\n')
      .map((line) => line.split(', '));
    const wanted = process.env.CUDA_VISIBLE_DEVICES?.split(',').at(-1)?.trim();
    const [, , name] = lines.find(([index, uuid]) => wanted === index || wanted === uuid) ?? lines.at(-1)!;
    return name!;
  } catch {
    return 'unknown: nvidia-smi does not run';
  }
}

/** tfjs-node 4.22 calls two functions that Node 23 removed from `util`. */
function polyfillUtil(): void {
  const legacy = util as unknown as Record<string, unknown>;
  legacy.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  legacy.isArray ??= Array.isArray;
}
