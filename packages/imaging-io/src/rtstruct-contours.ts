import { fail, itemsOf, listNumbers, type MaskObject, numbersOf, textOf } from './dicom-seg-object.js';

/** One region of a structure set. */
export interface Roi {
  readonly number: number;
  readonly name: string;
  readonly frameOfReferenceUid: string;
  /** Points of each closed contour, mm: x0, y0, z0, x1, ... */
  readonly contours: readonly (readonly number[])[];
  /** Open contours, which enclose nothing; single points are not counted. */
  readonly open: number;
}

const CLOSED = new Set(['CLOSED_PLANAR', 'CLOSEDPLANAR_XOR', 'CLOSED_PLANAR_XOR']);

/**
 * The one region of a structure set that is asked for (PS3.3 C.8.8.5, C.8.8.6); without `segment`, the only one.
 * @throws ImagingError INVALID_MASK (several regions), EMPTY_MASK (no such region), MALFORMED, TRUNCATED
 */
export function chooseRoi({ data }: MaskObject, file: string, segment: string | number | undefined): Roi {
  const described = itemsOf(data, 'x30060020').map((item) => ({
    number: numbersOf(item, 'x30060022')?.[0] ?? Number.NaN,
    name: textOf(item, 'x30060026', data.string('x00080005')),
    frameOfReferenceUid: item.string('x30060024') ?? '',
  }));
  if (described.length === 0) fail('MALFORMED', `${file} describes no region (StructureSetROISequence)`);
  if (data.elements.x30060039 === undefined) {
    fail('TRUNCATED', `${file} ends before its contours (ROIContourSequence): copy or export it again`);
  }
  const numbers = listNumbers(described);
  const named = described.filter(
    ({ number, name }) => segment === undefined || number === segment || name === segment,
  );
  const roi = named[0] ?? described.find(({ number }) => String(number) === segment);
  if (roi === undefined) {
    // names are free text and stay out of messages
    fail('EMPTY_MASK', `${file} has no region ${JSON.stringify(segment)}; it has the numbers ${numbers}`);
  }
  if (named.length > 1) {
    fail(
      'INVALID_MASK',
      `${file} has ${named.length} regions${segment === undefined ? '' : ' of that name'} (numbers ${numbers}): choose one with { segment }, a number or a name`,
    );
  }
  const items = itemsOf(data, 'x30060039')
    .filter((item) => numbersOf(item, 'x30060084')?.[0] === roi.number)
    .flatMap((item) => itemsOf(item, 'x30060040'));
  const contours: number[][] = [];
  let open = 0;
  for (const [at, item] of items.entries()) {
    const type = item.string('x30060042') ?? '';
    if (!CLOSED.has(type)) {
      if (type.startsWith('OPEN')) open++;
      continue;
    }
    const points = numbersOf(item, 'x30060050') ?? [];
    const count = numbersOf(item, 'x30060046')?.[0] ?? points.length / 3;
    if (points.length !== 3 * count || !points.every(Number.isFinite)) {
      fail('MALFORMED', `${file} has a contour (${at + 1} of region ${roi.number}) whose points are damaged`);
    }
    if (count >= 3) contours.push(points);
  }
  return { ...roi, contours, open };
}
