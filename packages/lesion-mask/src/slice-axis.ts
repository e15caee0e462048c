import { type Grid, orientationOf } from '@onco-response/volume';
import { refuse } from './lesion-mask-error.js';

export type SliceAxis = 'axial' | 'acquisition';

/** Spacings that differ by less count as equal. */
const WIDER = 1.05;

/** Where columns, rows and slices run to, for slices across each axis of the body: seen from the feet, the left, the front. */
const VIEWS: Readonly<Record<string, string>> = {
  S: 'LPS',
  I: 'LPS',
  L: 'PIL',
  R: 'PIL',
  A: 'LIP',
  P: 'LIP',
};

/**
 * The orientation in which a volume's slices are looked at: axial, or across its axis of acquisition, the one with the
 * widest spacing (axial where no spacing is clearly the widest).
 * @throws LesionMaskError INVALID_ARGUMENT
 */
export function viewOf(grid: Grid, axis: SliceAxis = 'axial'): string {
  if (axis === 'axial') return 'LPS';
  if (axis !== 'acquisition')
    refuse(`axis has to be 'axial' or 'acquisition', found ${JSON.stringify(axis)}`);
  const widest = [...grid.spacing].sort((a, b) => b - a);
  if (widest[0]! < WIDER * widest[1]!) return 'LPS';
  return VIEWS[orientationOf(grid)[grid.spacing.indexOf(widest[0]!)]!]!;
}
