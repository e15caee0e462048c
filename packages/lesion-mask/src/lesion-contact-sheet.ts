import { boundingBox, type Mask, orientationOf, type Volume } from '@onco-response/volume';
import { requireSameGrid } from './functional-tumour-volume.js';
import { refuse } from './lesion-mask-error.js';
import { type LabelledSlices, type LesionSlicesOptions, labelledSlices } from './lesion-slices.js';
import { type MaskFlag, maskQuality } from './mask-quality.js';
import { TEXT_HEIGHT } from './pixel-font.js';
import { type Rgb, RgbCanvas, type RgbImage } from './rgb-canvas.js';
import { type SliceAxis, viewOf } from './slice-axis.js';

export interface LesionContactSheetOptions {
  /** HU (or signal) shown from black to white. */
  readonly window: { readonly level: number; readonly width: number };
  /** Slices shown close, spread evenly over those with lesion. Default 10. */
  readonly count?: number | undefined;
  /** Around the lesion in the close views, mm. Default 15. */
  readonly marginMm?: number | undefined;
  readonly axis?: SliceAxis | undefined;
  /** Pixels a side of each picture. Default 192. */
  readonly tileSize?: number | undefined;
  /** Default 4. */
  readonly columns?: number | undefined;
  /** A second outline, in blue: a drawn mask to compare with. */
  readonly reference?: Mask | undefined;
  /** Printed in the first line. No patient's name belongs here. */
  readonly title?: string | undefined;
  /** Printed below it; those of `maskQuality` where left out. */
  readonly flags?: readonly MaskFlag[] | undefined;
}

const LESION: Rgb = [230, 159, 0]; // Okabe-Ito orange and sky blue: told apart, and from grey, by colour-blind readers
const REFERENCE: Rgb = [86, 180, 233];
const TEXT: Rgb = [255, 255, 255];
const FAINT: Rgb = [150, 150, 150];
const GAP = 6;
const LINE = TEXT_HEIGHT + 4;

/**
 * One picture to check a mask by: first the whole slice with most lesion, beside it the slices' lesion area from the
 * first slice (left) to the last with those shown in orange, then the slices close, with the lesion outlined and each
 * one's index and place in mm. On top stand volume, window and what `maskQuality` flags. An empty mask gives whole
 * slices and says so. `encodePng` of `@onco-response/report` makes a PNG file of it.
 * @throws LesionMaskError GRID_MISMATCH, INVALID_ARGUMENT
 * @example
 * await writeFile('lesion.png', encodePng(lesionContactSheet(ct, mask, { window: { level: 40, width: 400 } })));
 */
export function lesionContactSheet(
  volume: Volume,
  mask: Mask,
  {
    window,
    count = 10,
    marginMm = 15,
    axis = 'acquisition',
    tileSize = 192,
    columns = 4,
    reference,
    title,
    flags = maskQuality(mask).flags,
  }: LesionContactSheetOptions,
): RgbImage {
  requireSameGrid(volume, mask, 'the mask', 'the volume');
  if (reference) requireSameGrid(volume, reference, 'the reference', 'the volume');
  for (const [name, value] of Object.entries({ count, tileSize, columns })) {
    if (!Number.isInteger(value) || value < 1)
      refuse(`${name} has to be a whole number >= 1, found ${value}`);
  }
  const nothing = boundingBox(mask) === null && (!reference || boundingBox(reference) === null);
  // with nothing to show, the whole volume stands in for the lesion
  const shown = unite(mask, reference, nothing);
  const options = (field: 'full' | 'lesionBox', choice: 'lesionUniform' | 'largestArea', slices: number) =>
    ({
      input: 'ct',
      field,
      axis,
      marginMm: field === 'full' ? 0 : marginMm,
      window,
      spacing: null,
      slices: { choice, count: slices },
      imageSize: tileSize,
      mean: [0, 0, 0],
      std: [1, 1, 1],
    }) satisfies LesionSlicesOptions;
  const overview = labelledSlices(
    volume,
    shown,
    options('full', nothing ? 'lesionUniform' : 'largestArea', 1),
  );
  const close = labelledSlices(
    volume,
    shown,
    options(nothing ? 'full' : 'lesionBox', 'lesionUniform', count),
  );

  const lines = headLines(mask, window, title, flags);
  const tiles = 2 + close.count;
  const head = GAP + lines.length * LINE;
  const rows = Math.ceil(tiles / columns);
  const step = tileSize + GAP;
  const canvas = new RgbCanvas(GAP + columns * step, head + rows * (step + LINE) + GAP);
  lines.forEach(({ text, colour }, line) => {
    canvas.text(GAP, GAP + line * LINE, text, colour, canvas.image.width - 2 * GAP);
  });
  const place = (tile: number): [left: number, top: number] => [
    GAP + (tile % columns) * step,
    head + Math.floor(tile / columns) * (step + LINE),
  ];
  const draw = (slices: LabelledSlices, at: number, tile: number, prefix: string): void => {
    const [left, top] = place(tile);
    const area = tileSize * tileSize;
    const part = (data: Uint8Array): Uint8Array => data.subarray(at * area, (at + 1) * area);
    canvas.grey(left, top, tileSize, part(slices.windowed));
    const labels = part(slices.labels);
    if (reference)
      canvas.outline(
        left,
        top,
        tileSize,
        labels.map((v) => v & 2),
        REFERENCE,
      );
    canvas.outline(
      left,
      top,
      tileSize,
      labels.map((v) => v & 1),
      LESION,
    );
    const text = `${prefix}${slices.sliceIndices[at]}  ${slices.sliceLocationsMm[at]!.toFixed(1)} mm`;
    canvas.text(left, top + tileSize + 2, text, TEXT, tileSize);
  };
  draw(overview, 0, 0, 'whole slice ');
  drawProfile(canvas, place(1), tileSize, areasAlong(volume, mask, axis), close.sliceIndices);
  for (let slice = 0; slice < close.count; slice++) draw(close, slice, 2 + slice, 'slice ');
  return canvas.image;
}

const EVERYTHING = 4;

/** 1 in the mask, 2 in the reference, 3 in both; 4 everywhere where there is nothing to show. */
function unite(mask: Mask, reference: Mask | undefined, nothing: boolean): Mask {
  const data = nothing
    ? new Uint8Array(mask.data.length).fill(EVERYTHING)
    : mask.data.map((v, at) => (v === 0 ? 0 : 1) | (reference && reference.data[at] !== 0 ? 2 : 0));
  return { ...mask, data };
}

function headLines(
  mask: Mask,
  window: { readonly level: number; readonly width: number },
  title: string | undefined,
  flags: readonly MaskFlag[],
): { text: string; colour: Rgb }[] {
  const { volumeMm3, components } = maskQuality(mask);
  const black = window.level - window.width / 2;
  const facts = [
    ...(title === undefined ? [] : [title]),
    volumeMm3 === 0 ? 'NO LESION' : `${(volumeMm3 / 1000).toFixed(2)} ml in ${components} component(s)`,
    `window ${black} to ${black + window.width}`,
    `voxels ${mask.spacing.map((mm) => mm.toFixed(2)).join(' x ')} mm`,
  ];
  return [
    { text: facts.join('   '), colour: TEXT },
    ...flags.map(({ code, message }) => ({ text: `${code}: ${message}`, colour: LESION })),
    ...(flags.length === 0 ? [{ text: 'no flags', colour: FAINT }] : []),
  ];
}

/** Lesion voxels in each slice of the given volume across the axis that is looked along. */
function areasAlong(volume: Volume, mask: Mask, axis: SliceAxis): number[] {
  const normal = viewOf(volume, axis)[2]!;
  const opposite: Record<string, string> = { L: 'R', R: 'L', A: 'P', P: 'A', S: 'I', I: 'S' };
  const along = [...orientationOf(volume)].findIndex(
    (letter) => letter === normal || letter === opposite[normal],
  );
  const [width, height] = mask.size;
  const areas = new Array<number>(mask.size[along]!).fill(0);
  mask.data.forEach((v, at) => {
    if (v === 0) return;
    const place = [at % width, Math.floor(at / width) % height, Math.floor(at / (width * height))];
    areas[place[along]!]!++;
  });
  return areas;
}

/** Lesion area of each slice as bars, the slices that are shown in orange. */
function drawProfile(
  canvas: RgbCanvas,
  [left, top]: readonly [number, number],
  side: number,
  areas: readonly number[],
  shown: readonly number[],
): void {
  canvas.fill(left, top, side, side, [24, 24, 24]);
  const largest = Math.max(...areas, 1);
  for (let x = 0; x < side; x++) {
    const from = Math.floor((x * areas.length) / side);
    const to = Math.max(from + 1, Math.floor(((x + 1) * areas.length) / side));
    const area = Math.max(...areas.slice(from, to));
    const isShown = shown.some((slice) => slice >= from && slice < to);
    const bar = Math.ceil((area / largest) * (side - 8));
    canvas.fill(left + x, top + side - bar, 1, bar, isShown ? LESION : FAINT);
    if (isShown) canvas.fill(left + x, top, 1, 4, LESION);
  }
  canvas.text(left, top + side + 2, `lesion in slices 0-${areas.length - 1}`, TEXT, side);
}
