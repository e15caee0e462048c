import { type Block, copyRegion, halve, type Region, voxelCount, wholeRegion } from './block.js';
import { gaussianRadius } from './gaussian.js';
import { type ResampleJob, resampleInto } from './resample-jobs.js';
import { type ResamplePlan, sourceRegion } from './resample-plan.js';
import { targetArray, type VoxelArrayType } from './resample-region.js';
import type { Vec3, Volume, VoxelArray } from './types.js';

/** One job of a worker, and what the calling thread does before and after it. */
export interface Step {
  /** The job's message; `buffers` are those of the step before, to be used again. */
  start(buffers: ArrayBuffer[]): Message | Promise<Message>;
  finish(buffers: ArrayBuffer[]): void;
  /** The same by the calling thread, which need not copy; left out where that would take long. */
  here?(): void;
}

interface Message {
  readonly job: ResampleJob;
  readonly transfer: ArrayBuffer[];
}

interface ResampleSteps {
  /** The steps of a phase can be done in any order, after those of the phase before. */
  readonly phases: Step[][];
  /** The target's voxels, once all steps are done. */
  readonly data: () => VoxelArray;
  readonly sharedBytes: number;
}

/** Bytes copied to and from a worker at a time: a few milliseconds of the calling thread. */
const STEP_BYTES = 6 * 2 ** 20;

/** Steps for each worker at least, so that none waits long for the last. */
const STEPS_PER_WORKER = 4;

/** How `resample` falls into steps. */
export function resampleSteps(volume: Volume, plan: ResamplePlan, workers: number): ResampleSteps {
  const Target = targetArray(volume.data, plan);
  const whole = wholeRegion(plan.grid);
  const cubic = plan.interpolation === 'bspline';
  if (cubic && !canShareMemory()) return everythingAtOnce(volume, plan, Target);

  const result: Block = { data: new Target(voxelCount(whole)), ...whole };
  const source: Block = { data: volume.data, ...wholeRegion(volume) };
  const bytes = ({ size }: Region): number => {
    const voxels = size[0] * size[1] * size[2];
    return voxels * Target.BYTES_PER_ELEMENT;
  };
  const inputBytes = (region: Region): number =>
    cubic ? 0 : voxelCount(sourceRegion(plan, region)) * volume.data.BYTES_PER_ELEMENT;
  const share = (total: number): number => Math.min(STEP_BYTES, total / (STEPS_PER_WORKER * workers));
  const limit = share(bytes(whole) + inputBytes(whole));
  const regions = splitTarget(plan, whole, bytes, inputBytes, limit);
  const take = (region: Region, buffers: ArrayBuffer[]): VoxelArray =>
    reuse(buffers, Target, voxelCount(region));
  const finish = (region: Region, buffer: ArrayBuffer): void =>
    copyRegion({ data: new Target(buffer, 0, voxelCount(region)), ...region }, result, region);

  if (!cubic) {
    const smooths = plan.sigma.some((sigma) => sigma > 0);
    const steps = regions.map(
      (region): Step => ({
        start(buffers) {
          const part = copyOf(source, sourceRegion(plan, region), buffers);
          const target = take(region, buffers);
          return message({ kind: 'voxels', plan, source: part, region, target }, part.data, target);
        },
        finish: ([, output]) => finish(region, output!),
        ...(smooths ? {} : { here: () => resampleInto(source, result, region, plan) }),
      }),
    );
    return { phases: [steps], data: () => result.data, sharedBytes: 0 };
  }

  const coefficients = new Float32Array(new SharedArrayBuffer(4 * volume.data.length));
  const [width, height, depth] = plan.sourceSize;
  const planeBytes = width * height * (volume.data.BYTES_PER_ELEMENT + 4);
  const planesAtOnce = Math.max(1, Math.floor(share(planeBytes * depth) / planeBytes));
  const margin = gaussianRadius(plan.sigma[2]);
  const planes = pieces(depth, planesAtOnce).map(([first, count]): Step => {
    const region: Region = { start: [0, 0, first], size: [width, height, count] };
    const from = Math.max(0, first - margin);
    const end = Math.min(depth, first + count + margin);
    return {
      start(buffers) {
        const part = copyOf(source, { start: [0, 0, from], size: [width, height, end - from] }, buffers);
        return message({ kind: 'planes', plan, source: part, region, coefficients }, part.data);
      },
      finish() {},
    };
  });
  const rowsAtOnce = Math.ceil(height / (STEPS_PER_WORKER * workers));
  const rows = pieces(height, rowsAtOnce).map(
    ([firstRow, count]): Step => ({
      start: () => message({ kind: 'depth', plan, firstRow, rows: count, coefficients }),
      finish() {},
    }),
  );
  const splines = regions.map(
    (region): Step => ({
      start(buffers) {
        const target = take(region, buffers);
        return message({ kind: 'splines', plan, coefficients, region, target }, target);
      },
      finish: ([output]) => finish(region, output!),
    }),
  );
  const { byteLength } = coefficients;
  return { phases: [planes, rows, splines], data: () => result.data, sharedBytes: byteLength };
}

/** The prefilter needs whole columns: where memory cannot be shared, one worker does everything. */
function everythingAtOnce(volume: Volume, plan: ResamplePlan, Target: VoxelArrayType): ResampleSteps {
  let data: VoxelArray;
  const step: Step = {
    async start() {
      const copy = new (volume.data.constructor as VoxelArrayType)(volume.data.length);
      const atOnce = Math.floor(STEP_BYTES / copy.BYTES_PER_ELEMENT);
      for (const [first, count] of pieces(copy.length, atOnce)) {
        copy.set(volume.data.subarray(first, first + count), first);
        await new Promise((next) => setTimeout(next));
      }
      return message({ kind: 'everything', plan, source: copy }, copy);
    },
    finish([buffer]) {
      data = new Target(buffer!, 0, buffer!.byteLength / Target.BYTES_PER_ELEMENT);
    },
  };
  return { phases: [[step]], data: () => data, sharedBytes: 0 };
}

/** Browsers share memory only with pages that are cross-origin isolated. */
function canShareMemory(): boolean {
  return typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false;
}

function message(job: ResampleJob, ...moved: VoxelArray[]): Message {
  return { job, transfer: moved.map(({ buffer }) => buffer as ArrayBuffer) };
}

/** An array over the smallest of the buffers that is large enough, which is taken, or over a new one. */
function reuse(buffers: ArrayBuffer[], Type: VoxelArrayType, length: number): VoxelArray {
  const bytes = length * Type.BYTES_PER_ELEMENT;
  const fit = buffers.findIndex(({ byteLength }) => byteLength >= bytes);
  return fit < 0 ? new Type(length) : new Type(buffers.splice(fit, 1)[0]!, 0, length);
}

function copyOf(source: Block, region: Region, buffers: ArrayBuffer[]): Block {
  const data = reuse(buffers, source.data.constructor as VoxelArrayType, voxelCount(region));
  const copy = { data, ...region };
  copyRegion(source, copy, region);
  return copy;
}

/** [first, count] of the pieces of at most `atOnce` that `length` falls into. */
function pieces(length: number, atOnce: number): [number, number][] {
  const found: [number, number][] = [];
  for (let first = 0; first < length; first += atOnce) found.push([first, Math.min(atOnce, length - first)]);
  return found;
}

/** A half that still needs this share of the source is no use: what counts there is wide, not the target. */
const LEAST_GAIN = 0.9;

/**
 * Cuts a region of the target in halves until source and target of each fit into `limit` bytes. Bands of rows where
 * axes run alike: then neighbours share two source rows, and the planes kept along z are small. Else bricks.
 */
function splitTarget(
  plan: ResamplePlan,
  region: Region,
  bytes: (region: Region) => number,
  inputBytes: (region: Region) => number,
  limit: number,
): Region[] {
  const { size } = region;
  const input = inputBytes(region);
  if (bytes(region) + input <= limit || voxelCount(region) === 1) return [region];
  const order = plan.aligned ? ([1, 2, 0] as const) : longestFirst(size);
  const halves = halve(region, order.find((axis) => size[axis] > 1)!);
  const useless = Math.max(...halves.map(inputBytes)) > LEAST_GAIN * input;
  if (useless && bytes(region) <= limit) return [region];
  return halves.flatMap((half) => splitTarget(plan, half, bytes, inputBytes, limit));
}

function longestFirst(size: Vec3): readonly (0 | 1 | 2)[] {
  return ([2, 1, 0] as const).toSorted((a, b) => size[b] - size[a]);
}
