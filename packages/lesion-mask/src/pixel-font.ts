/** 5 x 7 pixel capitals, for images made where there are no fonts: five columns from the left, the lowest bit on top. */
const GLYPHS: Readonly<Record<string, string>> = {
  '0': '3e5149453e',
  '1': '00427f4000',
  '2': '4261514946',
  '3': '2141454b31',
  '4': '1814127f10',
  '5': '2745454539',
  '6': '3c4a494930',
  '7': '0171090503',
  '8': '3649494936',
  '9': '064949291e',
  A: '7e1111117e',
  B: '7f49494936',
  C: '3e41414122',
  D: '7f4141221c',
  E: '7f49494941',
  F: '7f09090901',
  G: '3e4149497a',
  H: '7f0808087f',
  I: '00417f4100',
  J: '2040413f01',
  K: '7f08142241',
  L: '7f40404040',
  M: '7f020c027f',
  N: '7f0408107f',
  O: '3e4141413e',
  P: '7f09090906',
  Q: '3e4151215e',
  R: '7f09192946',
  S: '4649494931',
  T: '01017f0101',
  U: '3f4040403f',
  V: '1f2040201f',
  W: '3f4038403f',
  X: '6314081463',
  Y: '0708700807',
  Z: '6151494543',
  '.': '0060600000',
  ',': '0050300000',
  '-': '0808080808',
  ':': '0036360000',
  '%': '2313086462',
  '/': '2010080402',
  '(': '001c224100',
  ')': '0041221c00',
  '+': '08083e0808',
  '=': '1414141414',
  _: '4040404040',
  '[': '007f414100',
  ']': '0041417f00',
};
const ADVANCE = 6;
export const TEXT_HEIGHT = 7;

/** How wide `text` is in pixels. */
export function textWidth(text: string): number {
  return Math.max(0, text.length * ADVANCE - 1);
}

/** Calls `paint` for each pixel of `text` with its top left corner at (0, 0); small letters show as capitals. */
export function paintText(text: string, paint: (x: number, y: number) => void): void {
  [...text.toUpperCase()].forEach((character, position) => {
    const glyph = GLYPHS[character];
    if (glyph === undefined) return;
    for (let column = 0; column < 5; column++) {
      const bits = Number.parseInt(glyph.slice(2 * column, 2 * column + 2), 16);
      for (let row = 0; row < TEXT_HEIGHT; row++)
        if ((bits >> row) & 1) paint(position * ADVANCE + column, row);
    }
  });
}
