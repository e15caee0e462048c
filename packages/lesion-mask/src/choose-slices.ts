import { LesionMaskError } from './lesion-mask-error.js';

export interface SliceChoice {
  /**
   * Every slice of the field, every slice with lesion, `count` spread evenly over those with lesion, or the `count` with
   * most lesion.
   */
  readonly choice: 'all' | 'lesionBearing' | 'lesionUniform' | 'largestArea';
  readonly count: number;
}

/**
 * Which slices to look at, ascending, from the lesion area in each (any unit; 0 = no lesion). Where the lesion has
 * fewer slices than `count`, all of them are taken once. Ties in area go to the lower index. 'all' and
 * 'lesionBearing' ignore `count`.
 * @throws LesionMaskError EMPTY_MASK where no slice has lesion, INVALID_ARGUMENT
 * @example
 * chooseSlices([0, 4, 9, 7, 1, 0], { choice: 'largestArea', count: 2 }); // [2, 3]
 */
export function chooseSlices(areas: ArrayLike<number>, { choice, count }: SliceChoice): number[] {
  const all = Array.from(areas, (_, index) => index);
  const withLesion = all.filter((index) => areas[index]! > 0);
  if (withLesion.length === 0)
    throw new LesionMaskError({ code: 'EMPTY_MASK', message: 'no slice has lesion' });
  if (choice === 'all') return all;
  if (choice === 'lesionBearing') return withLesion;
  if (!Number.isInteger(count) || count < 1) {
    throw new LesionMaskError({
      code: 'INVALID_ARGUMENT',
      message: `slices.count has to be a whole number >= 1, found ${count}`,
    });
  }
  if (choice === 'lesionUniform') {
    const taken = Math.min(count, withLesion.length);
    // the middle of each of `taken` equal parts
    return Array.from(
      { length: taken },
      (_, part) => withLesion[Math.floor(((part + 0.5) * withLesion.length) / taken)]!,
    );
  }
  if (choice === 'largestArea') {
    const byArea = withLesion.sort((a, b) => areas[b]! - areas[a]! || a - b);
    return byArea.slice(0, count).sort((a, b) => a - b);
  }
  throw new LesionMaskError({
    code: 'INVALID_ARGUMENT',
    message: `slices.choice has to be 'all', 'lesionBearing', 'lesionUniform' or 'largestArea', found ${JSON.stringify(choice)}`,
  });
}
