/** A front that shrank to this share of its largest has all but surrounded the lesion. */
const SHRUNK = 0.5;
/** A front that then grows to this share of its largest, and to twice its smallest, has entered something else. */
const REGROWN = 0.5;

/**
 * Where growth leaked, from the size of its front at each distance from the seed. In a compact lesion the front grows
 * and then shrinks. One that shrinks to half and later grows again (to half of its largest and twice its smallest) went
 * through a narrow place into another structure. Gives the index of the narrowest place before that, or null.
 * @example
 * frontLeak([10, 40, 60, 30, 5, 4, 20, 70]); // 5
 */
export function frontLeak(front: ArrayLike<number>): number | null {
  let largest = 0;
  let narrowest = -1;
  for (let shell = 0; shell < front.length; shell++) {
    const now = front[shell]!;
    const least = narrowest < 0 ? Number.POSITIVE_INFINITY : front[narrowest]!;
    if (least <= SHRUNK * largest && now >= Math.max(REGROWN * largest, 2 * least)) return narrowest;
    if (now > largest) {
      largest = now;
      narrowest = -1;
    } else if (now <= least) narrowest = shell;
  }
  return null;
}
