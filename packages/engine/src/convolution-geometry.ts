import { EngineError } from './engine-error.js';
import type { ConvolutionGeometry, Triple } from './volume-kernels.js';

/** Elements before and after each of the 3 axes. */
export type Margins = readonly (readonly [number, number])[];

export interface ConvolutionPlan {
  /** Zeros to put around the input first; undefined where the kernel pads by itself. */
  readonly margins: Margins | undefined;
  readonly geometry: ConvolutionGeometry;
  readonly outputSizes: Triple;
}

/** Length of a filter axis with the gaps that dilation puts into it. */
export function extent(size: number, dilation: number): number {
  return (size - 1) * dilation + 1;
}

/**
 * PyTorch pads an axis alike on both sides, TensorFlow's 'same' puts the odd element at the end: with stride 2 they differ
 * on even sizes. The kernel pads by itself where both agree.
 *
 * @throws EngineError INVALID_ARGUMENT where the filter is larger than the padded input
 */
export function planConvolution(
  inputSizes: Triple,
  filterSizes: Triple,
  strides: Triple,
  dilations: Triple,
  padding: Triple,
): ConvolutionPlan {
  const axes = ([0, 1, 2] as const).map((axis) => {
    const [size, pad, stride] = [inputSizes[axis], padding[axis], strides[axis]];
    const covered = extent(filterSizes[axis], dilations[axis]);
    const output = Math.floor((size + 2 * pad - covered) / stride) + 1;
    if (output < 1) {
      throw new EngineError({
        code: 'INVALID_ARGUMENT',
        message: `a convolution of ${covered} elements (filter and dilation) does not fit the ${size} elements of axis ${axis} padded by ${pad}`,
      });
    }
    const missing = (output - 1) * stride + covered - size;
    const isSame = output === Math.ceil(size / stride) && missing >= 0 && pad === Math.floor(missing / 2);
    return { output, isSame, margins: [pad, Math.max(0, missing - pad)] as const };
  });
  const outputSizes = axes.map(({ output }) => output) as unknown as Triple;
  const geometry = { strides, dilations };
  if (padding.every((pad) => pad === 0))
    return { margins: undefined, geometry: { ...geometry, padding: 'valid' }, outputSizes };
  if (axes.every(({ isSame }) => isSame))
    return { margins: undefined, geometry: { ...geometry, padding: 'same' }, outputSizes };
  return {
    margins: axes.map(({ margins }) => margins),
    geometry: { ...geometry, padding: 'valid' },
    outputSizes,
  };
}
