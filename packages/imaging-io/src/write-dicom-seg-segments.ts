import { fail } from './dicom-seg-object.js';
import { type CodedConcept, coded, type Element, numbers, text } from './write-dicom-seg-elements.js';

/** What a label of a mask means. */
export interface SegmentDescription {
  /** The label in the mask, 1 to 255: the SegmentNumber. */
  readonly label: number;
  /** SegmentLabel, up to 64 characters; `Segment n` if absent. */
  readonly name?: string;
  /** Of DICOM's CID 7150; a morphologically abnormal structure if absent. */
  readonly category?: CodedConcept;
  /** What it is, of the category's context group; a lesion if absent. */
  readonly type?: CodedConcept;
  /** How it was drawn; SEMIAUTOMATIC if absent. */
  readonly algorithm?: 'AUTOMATIC' | 'SEMIAUTOMATIC' | 'MANUAL';
  /** What drew it, unless a person did; `unknown` if absent. */
  readonly algorithmName?: string;
  /** The colour to show it in: red, green, blue from 0 to 255. */
  readonly color?: readonly [number, number, number];
}

/** A description without blanks. */
export type DescribedSegment = Required<Omit<SegmentDescription, 'color'>> &
  Pick<SegmentDescription, 'color'>;

/** Codes as in highdicom and DICOM PS3.16 (CID 7150, 7159). */
const ABNORMAL: CodedConcept = {
  value: '49755003',
  scheme: 'SCT',
  meaning: 'Morphologically Abnormal Structure',
};
const LESION: CodedConcept = { value: '52988006', scheme: 'SCT', meaning: 'Lesion' };

/** Lengths that LO and SH allow. */
const LONG_STRING = 64;
const SHORT_STRING = 16;

/**
 * A description for every label that occurs and every one described; DICOM numbers segments from 1 without gaps, so
 * labels between are described too, though no frame shows them.
 * @throws ImagingError INVALID_MASK where a description is wrong, or lacks for a label that occurs
 */
export function describedSegments(
  described: readonly SegmentDescription[] | undefined,
  occurring: ReadonlySet<number>,
  name: string,
): DescribedSegment[] {
  const byLabel = new Map(described?.map((segment) => [segment.label, segment]));
  if (described !== undefined) {
    if (byLabel.size < described.length)
      fail('INVALID_MASK', `${name}: two segments describe the same label`);
    const missing = [...occurring].filter((label) => !byLabel.has(label));
    if (missing.length > 0) {
      fail('INVALID_MASK', `${name} holds label ${missing.join(', ')}, which no segment describes`);
    }
  }
  for (const segment of byLabel.values()) checkSegment(segment, name);
  const last = Math.max(1, ...occurring, ...byLabel.keys());
  return Array.from({ length: last }, (_, at) => ({
    name: `Segment ${at + 1}`,
    category: ABNORMAL,
    type: LESION,
    algorithm: 'SEMIAUTOMATIC' as const,
    algorithmName: 'unknown',
    ...byLabel.get(at + 1),
    label: at + 1,
  }));
}

function checkSegment({ label, color, ...texts }: SegmentDescription, name: string): void {
  if (!(Number.isInteger(label) && label >= 1 && label <= 255)) {
    fail('INVALID_MASK', `${name}: a segment describes label ${label}; labels are 1 to 255`);
  }
  const allowed = (value: string | undefined, longest: number): boolean =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what DICOM forbids in such text
    value === undefined || (value.trim() !== '' && value.length <= longest && !/[\\\x00-\x1f]/.test(value));
  const concepts = [texts.category, texts.type].filter((concept) => concept !== undefined);
  if (
    !allowed(texts.name, LONG_STRING) ||
    !allowed(texts.algorithmName, LONG_STRING) ||
    !concepts.every(({ value, scheme, meaning }) => {
      return allowed(value, SHORT_STRING) && allowed(scheme, SHORT_STRING) && allowed(meaning, LONG_STRING);
    })
  ) {
    fail(
      'INVALID_MASK',
      `${name}: a text that describes label ${label} is empty, too long (${LONG_STRING} characters, codes ${SHORT_STRING}) or has a backslash`,
    );
  }
  if (color !== undefined && !(color.length === 3 && color.every((part) => part >= 0 && part <= 255))) {
    fail('INVALID_MASK', `${name}: the colour of label ${label} is not three numbers from 0 to 255`);
  }
}

/** An item of the SegmentSequence (PS3.3 C.8.20.2). */
export function segmentElements(segment: DescribedSegment): Element[] {
  const { label, name, category, type, algorithm, algorithmName, color } = segment;
  return [
    coded(0x00620003, category),
    numbers(0x00620004, 'US', [label]),
    text(0x00620005, 'LO', name),
    text(0x00620008, 'CS', algorithm),
    ...(algorithm === 'MANUAL' ? [] : [text(0x00620009, 'LO', algorithmName)]),
    ...(color === undefined ? [] : [numbers(0x0062000d, 'US', labColor(color))]),
    coded(0x0062000f, type),
  ];
}

/** sRGB as CIELab scaled to 16 bits (PS3.3 C.10.7.1.1), under D65 as pixelmed, highdicom and dcmqi have it. */
export function labColor(color: readonly [number, number, number]): [number, number, number] {
  const [red, green, blue] = color.map((part) => {
    const share = part / 255;
    return share > 0.04045 ? ((share + 0.055) / 1.055) ** 2.4 : share / 12.92;
  }) as [number, number, number];
  const curve = (share: number): number =>
    share >= (6 / 29) ** 3 ? Math.cbrt(share) : (841 / 108) * share + 4 / 29;
  const x = curve((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047);
  const y = curve(0.2126 * red + 0.7152 * green + 0.0722 * blue);
  const z = curve((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883);
  const [lightness, a, b] = [116 * y - 16, 500 * (x - y), 200 * (y - z)];
  const scaled = [(lightness * 65535) / 100, ((a + 128) * 65535) / 255, ((b + 128) * 65535) / 255];
  return scaled.map((value) => Math.min(65535, Math.max(0, Math.round(value)))) as [number, number, number];
}
