/** Digits 3 pixels wide and 5 high, for images made where there are no fonts. Rows from the top, 1 bit a pixel. */
const GLYPHS: Record<string, readonly number[]> = {
  '0': [7, 5, 5, 5, 7],
  '1': [2, 6, 2, 2, 7],
  '2': [7, 1, 7, 4, 7],
  '3': [7, 1, 7, 1, 7],
  '4': [5, 5, 7, 1, 1],
  '5': [7, 4, 7, 1, 7],
  '6': [7, 4, 7, 5, 7],
  '7': [7, 1, 1, 2, 2],
  '8': [7, 5, 7, 5, 7],
  '9': [7, 5, 7, 1, 7],
  '.': [0, 0, 0, 0, 2],
  '%': [5, 1, 2, 4, 5],
  z: [0, 7, 1, 4, 7],
};
const ADVANCE = 4;
export const DIGIT_HEIGHT = 5;

/** How wide `text` is in pixels at scale 1. */
export function textWidth(text: string): number {
  return text.length * ADVANCE - 1;
}

/** Calls `paint` for each pixel of `text` with its top left corner at (0, 0); unknown characters are blank. */
export function paintText(text: string, scale: number, paint: (x: number, y: number) => void): void {
  [...text].forEach((character, position) => {
    GLYPHS[character]?.forEach((bits, row) => {
      for (let column = 0; column < 3; column++) {
        if (((bits >> (2 - column)) & 1) === 0) continue;
        for (let dy = 0; dy < scale; dy++) {
          for (let dx = 0; dx < scale; dx++)
            paint((position * ADVANCE + column) * scale + dx, row * scale + dy);
        }
      }
    });
  });
}
