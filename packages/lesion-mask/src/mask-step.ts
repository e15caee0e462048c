/** One thing that was done to a mask. A list of them says how a mask came about: print or save it with the result. */
export interface MaskStep {
  readonly step: string;
  /** What it was done with, ready for JSON. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly voxelsBefore: number;
  readonly voxelsAfter: number;
}

/** Voxels that are not 0. */
export function countVoxels(data: ArrayLike<number>): number {
  let count = 0;
  for (let at = 0; at < data.length; at++) if (data[at] !== 0) count++;
  return count;
}
