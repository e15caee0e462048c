import { roundHalfEven } from './array-shape.js';

/**
 * Where tiles start along an axis: evenly, from one end to the other, at most `step` of a tile apart. nnU-Net's
 * `compute_steps_for_sliding_window`.
 */
export function tileSteps(size: number, tile: number, step: number): number[] {
  const count = Math.ceil((size - tile) / (tile * step)) + 1;
  const distance = count > 1 ? (size - tile) / (count - 1) : 0;
  return Array.from({ length: count }, (_, index) => roundHalfEven(distance * index));
}
