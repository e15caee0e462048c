import { encodePng } from './encode-png.js';
import { checkSlice, outlinePixels } from './lesion-outline.js';
import { DIGIT_HEIGHT, paintText, textWidth } from './pixel-digits.js';
import { ReportError } from './report-error.js';
import type { AttentionSlice } from './report-input.js';

type Rgb = readonly [number, number, number];
const OUTLINE: Rgb = [230, 159, 0]; // Okabe-Ito orange: seen on grey by colour-blind readers too
const BAR: Rgb = [86, 180, 233]; // Okabe-Ito sky blue
const TRACK: Rgb = [60, 60, 60];
const TEXT: Rgb = [255, 255, 255];
const GAP = 4;

/**
 * A contact sheet of slices as a PNG: each slice in grey with the lesion outlined in orange, and below it the z index, the
 * attention in percent, and a bar of the attention relative to the most attended slice. Slices come in the order given.
 *
 * @param slices all of one size
 * @param options.columns slices a row; as square a sheet as possible unless given
 * @param options.zoom every pixel of a slice becomes a square of so many; default 1
 * @throws ReportError `INVALID_INPUT` for no slices, slices of unequal size or weights that are not numbers >= 0; `IMAGE_SIZE`
 * @example
 * await writeFile('overlay.png', slicesToPng(slices.slice(0, 9), { columns: 3 }))
 */
export function slicesToPng(
  given: AttentionSlice[],
  { columns = Math.ceil(Math.sqrt(given.length)), zoom = 1 }: { columns?: number; zoom?: number } = {},
): Uint8Array {
  if (!Number.isInteger(zoom) || zoom < 1) {
    throw new ReportError({
      code: 'INVALID_INPUT',
      message: `zoom is ${zoom}: a whole number from 1 on is needed.`,
    });
  }
  for (const slice of given) checkSlice(slice);
  const slices = zoom === 1 ? given : given.map((slice) => enlarge(slice, zoom));
  const size = slices[0]?.size;
  if (size === undefined || !Number.isInteger(columns) || columns < 1) {
    throw new ReportError({
      code: 'INVALID_INPUT',
      message: `A contact sheet needs slices and columns; there are ${slices.length} slices and ${columns} columns.`,
    });
  }
  for (const slice of slices) {
    if (slice.size !== size || !(slice.weight >= 0 && Number.isFinite(slice.weight))) {
      throw new ReportError({
        code: 'INVALID_INPUT',
        message: `Slice ${slice.index} has size ${slice.size} and weight ${slice.weight}: sizes have to be equal (${size}) and weights at least 0.`,
      });
    }
  }
  const scale = Math.max(1, Math.round(size / 112));
  const footer = DIGIT_HEIGHT * scale + 3 * GAP + 2 * scale;
  const width = columns * size + (columns + 1) * GAP;
  const height = Math.ceil(slices.length / columns) * (size + footer) + GAP;
  const data = new Uint8Array(width * height * 3);
  const paint = (x: number, y: number, [red, green, blue]: Rgb) => {
    data.set([red, green, blue], (y * width + x) * 3);
  };
  const largest = Math.max(...slices.map((slice) => slice.weight));

  slices.forEach((slice, position) => {
    const left = GAP + (position % columns) * (size + GAP);
    const top = GAP + Math.floor(position / columns) * (size + footer);
    const outline = outlinePixels(slice.lesion, size);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const grey = slice.pixels[y * size + x]!;
        paint(left + x, top + y, outline[y * size + x] === 1 ? OUTLINE : [grey, grey, grey]);
      }
    }
    const share = `${(100 * slice.weight).toFixed(1)}%`;
    const textTop = top + size + GAP;
    const within = (x: number) => x < size;
    paintText(`z${slice.index}`, scale, (x, y) => within(x) && paint(left + x, textTop + y, TEXT));
    const shift = size - textWidth(share) * scale;
    paintText(share, scale, (x, y) => shift + x >= 0 && paint(left + shift + x, textTop + y, TEXT));
    const barTop = textTop + DIGIT_HEIGHT * scale + GAP;
    const filled = largest > 0 ? Math.round((size * slice.weight) / largest) : 0;
    for (let y = 0; y < 2 * scale; y++) {
      for (let x = 0; x < size; x++) paint(left + x, barTop + y, x < filled ? BAR : TRACK);
    }
  });
  return encodePng({ width, height, channels: 3, data });
}

function enlarge({ pixels, lesion, size, ...rest }: AttentionSlice, zoom: number): AttentionSlice {
  const side = size * zoom;
  const each = (source: Uint8Array) =>
    Uint8Array.from({ length: side * side }, (_, at) => {
      const [x, y] = [Math.floor((at % side) / zoom), Math.floor(at / side / zoom)];
      return source[y * size + x]!;
    });
  return { ...rest, size: side, pixels: each(pixels), lesion: each(lesion) };
}
