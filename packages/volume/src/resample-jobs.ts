import { type Block, offsetIn, type Region, voxelCount, wholeRegion } from './block.js';
import { filterDepth, filterPlanes } from './bspline-coefficients.js';
import { gaussianSmooth } from './gaussian.js';
import { resampleByPlan } from './resample.js';
import { liesInside, type ResamplePlan } from './resample-plan.js';
import { resampleRegion } from './resample-region.js';
import type { VoxelArray } from './types.js';

/**
 * What a worker does with one message. `coefficients` are shared memory; the buffers of all other arrays come with the
 * message and go back with the reply, so that both sides use the same few again and again.
 */
export type ResampleJob =
  /** Target voxels of a region, from the source voxels that count there. */
  | { kind: 'voxels'; plan: ResamplePlan; source: Block; region: Region; target: VoxelArray }
  /** Prefilter along x and y of a region's planes. `source` may hold more planes, for the low-pass. */
  | { kind: 'planes'; plan: ResamplePlan; source: Block; region: Region; coefficients: Float32Array }
  /** Prefilter along z, of some rows of every plane. */
  | { kind: 'depth'; plan: ResamplePlan; firstRow: number; rows: number; coefficients: Float32Array }
  /** Target voxels of a region, from the prefiltered source. */
  | {
      kind: 'splines';
      plan: ResamplePlan;
      coefficients: Float32Array;
      region: Region;
      target: VoxelArray;
    }
  /** All target voxels at once, from all source voxels. */
  | { kind: 'everything'; plan: ResamplePlan; source: VoxelArray };

/** Does a job; gives the buffers that go back. */
export function runResampleJob(job: ResampleJob): ArrayBuffer[] {
  const { plan } = job;
  switch (job.kind) {
    case 'voxels': {
      const { source, target, region } = job;
      resampleInto({ ...source, data: lowPass(source, plan) }, { data: target, ...region }, region, plan);
      return [bufferOf(source.data), bufferOf(target)];
    }
    case 'planes': {
      const { source, region, coefficients } = job;
      const [width, height] = source.size;
      const plane = width * height;
      const skipped = (region.start[2] - source.start[2]) * plane;
      filterPlanes(
        lowPass(source, plan).subarray(skipped, skipped + voxelCount(region)),
        coefficients.subarray(region.start[2] * plane, region.start[2] * plane + voxelCount(region)),
        region.size,
      );
      return [bufferOf(source.data)];
    }
    case 'depth':
      filterDepth(job.coefficients, plan.sourceSize, job.firstRow, job.rows);
      return [];
    case 'splines': {
      const source = { data: job.coefficients, ...wholeRegion({ size: plan.sourceSize }) };
      resampleInto(source, { data: job.target, ...job.region }, job.region, plan);
      return [bufferOf(job.target)];
    }
    case 'everything':
      return [bufferOf(resampleByPlan(job.source, plan))];
  }
}

const bufferOf = (voxels: VoxelArray): ArrayBuffer => voxels.buffer as ArrayBuffer;

function lowPass({ data, size }: Block, { sigma }: ResamplePlan): VoxelArray {
  return sigma.some((s) => s > 0) ? gaussianSmooth(data, size, sigma) : data;
}

/** The target voxels of a region; what the source does not reach gets the plan's value for it. */
export function resampleInto(source: Block, target: Block, region: Region, plan: ResamplePlan): void {
  if (!liesInside(plan, region)) fillRegion(target, region, plan.fill); // the memory may have been used before
  resampleRegion(source, target, region, plan);
}

function fillRegion(target: Block, { start, size }: Region, value: number): void {
  for (let k = start[2]; k < start[2] + size[2]; k++) {
    for (let j = start[1]; j < start[1] + size[1]; j++) {
      const from = offsetIn(target, start[0], j, k);
      target.data.fill(value, from, from + size[0]);
    }
  }
}
