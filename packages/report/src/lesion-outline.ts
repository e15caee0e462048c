import { ReportError } from './report-error.js';
import type { AttentionSlice } from './report-input.js';

/** Raises `IMAGE_SIZE` unless pixels and lesion fill size x size. */
export function checkSlice({ index, pixels, lesion, size }: AttentionSlice): void {
  if (!Number.isInteger(size) || size < 1 || pixels.length !== size * size || lesion.length !== size * size) {
    throw new ReportError({
      code: 'IMAGE_SIZE',
      message: `Slice ${index} says size ${size}, which needs ${size * size} values; pixels has ${pixels.length} and lesion ${lesion.length}.`,
    });
  }
}

const inside = (lesion: Uint8Array, size: number, x: number, y: number): boolean =>
  x >= 0 && y >= 0 && x < size && y < size && lesion[y * size + x] !== 0;

/**
 * The lesion's border along pixel edges, as an SVG path in pixel units: one line a straight run of border, so the outline
 * stays sharp at any size and covers no pixel of the lesion.
 */
export function outlinePath(lesion: Uint8Array, size: number): string {
  let path = '';
  for (let line = 0; line <= size; line++) {
    path += runs(size, (at) => inside(lesion, size, at, line - 1) !== inside(lesion, size, at, line))
      .map(([start, length]) => `M${start} ${line}h${length}`)
      .join('');
    path += runs(size, (at) => inside(lesion, size, line - 1, at) !== inside(lesion, size, line, at))
      .map(([start, length]) => `M${line} ${start}v${length}`)
      .join('');
  }
  return path;
}

function runs(size: number, isBorder: (at: number) => boolean): [start: number, length: number][] {
  const found: [number, number][] = [];
  for (let at = 0; at < size; at++) {
    if (!isBorder(at)) continue;
    const start = at;
    while (at + 1 < size && isBorder(at + 1)) at++;
    found.push([start, at + 1 - start]);
  }
  return found;
}

/** 1 for pixels just outside the lesion (4-neighbours), where a raster image draws its outline. */
export function outlinePixels(lesion: Uint8Array, size: number): Uint8Array {
  const outline = new Uint8Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (inside(lesion, size, x, y)) continue;
      const touches =
        inside(lesion, size, x - 1, y) ||
        inside(lesion, size, x + 1, y) ||
        inside(lesion, size, x, y - 1) ||
        inside(lesion, size, x, y + 1);
      if (touches) outline[y * size + x] = 1;
    }
  }
  return outline;
}
