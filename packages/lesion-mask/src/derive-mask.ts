import type { Mask, Volume } from '@onco-response/volume';
import { type CleanMaskOptions, cleanMask } from './clean-mask.js';
import { refuse } from './lesion-mask-error.js';
import { type MaskQuality, maskQuality } from './mask-quality.js';
import type { MaskStep } from './mask-step.js';

/** What of a `Segmenter` of `@onco-response/segmentation` is used here. */
export interface MaskSegmenter {
  /** Labels by name, without background. */
  readonly labelNames: Readonly<Record<string, number>>;
  segment(
    volumes: readonly Volume[],
    options: { probabilities: true; signal?: AbortSignal },
  ): Promise<Mask & { readonly probabilities: readonly NamedProbability[] }>;
  segment(volumes: readonly Volume[], options: { signal?: AbortSignal }): Promise<Mask>;
  estimateMemory(volumes: readonly Volume[], options: { probabilities: boolean }): number;
}

interface NamedProbability {
  readonly name: string;
  readonly volume: Volume<Float32Array>;
}

/** How a derived mask is cleaned; null leaves a step out. See `CleanMaskOptions`. */
export interface MaskCleaning {
  readonly closingMm: number | null;
  readonly fillHoles: boolean;
  readonly minimumVolumeMm3: number;
  readonly largest: number | null;
}

/** Holes are filled and specks below 50 mm3 (a ball of 4.6 mm) go: our choice, not a paper's. */
export const DEFAULT_CLEANING: MaskCleaning = {
  closingMm: null,
  fillHoles: true,
  minimumVolumeMm3: 50,
  largest: null,
};

export interface DeriveMaskOptions {
  /** Which of the model's labels are lesion; null where the model has only one. */
  readonly labels: readonly number[] | null;
  readonly cleaning?: MaskCleaning;
  /** Bytes for which the network's probabilities are kept too, to flag a lesion it was unsure of. Default 4e9. */
  readonly probabilityBytes?: number;
  readonly signal?: AbortSignal;
}

export interface DerivedMask {
  /** Every lesion voxel is 1, whichever of the labels it had. */
  readonly mask: Mask;
  readonly labels: number[];
  readonly steps: MaskStep[];
  readonly warnings: string[];
  readonly quality: MaskQuality;
}

/**
 * A lesion mask from a segmentation network: segmented, cleaned, and looked over by `maskQuality`.
 * @throws LesionMaskError NO_LESION with the steps that led to it; INVALID_ARGUMENT for labels that the model does not
 * have, or where it has several and none is named; what `segment` throws
 * @example
 * const segmenter = await loadNnUnet('Dataset501_Lesion/nnUNetTrainer__nnUNetPlans__3d_fullres');
 * const { mask, quality } = await deriveMask([ct], segmenter, { labels: [1, 9] });
 */
export async function deriveMask(
  volumes: readonly Volume[],
  segmenter: MaskSegmenter,
  { labels: asked, cleaning = DEFAULT_CLEANING, probabilityBytes = 4e9, signal }: DeriveMaskOptions,
): Promise<DerivedMask> {
  const labels = lesionLabels(segmenter, asked);
  const rest = signal ? { signal } : {};
  const affordable = segmenter.estimateMemory(volumes, { probabilities: true }) <= probabilityBytes;
  const found = affordable
    ? await segmenter.segment(volumes, { probabilities: true, ...rest })
    : { ...(await segmenter.segment(volumes, rest)), probabilities: [] };
  const { probabilities, ...segmented } = found;
  const { mask, steps, warnings } = cleanMask(segmented, {
    ...cleanOptions(cleaning),
    labels,
    source: 'derived',
  });
  const lesion: Mask = { ...mask, data: mask.data.map((label) => (label === 0 ? 0 : 1)) };
  const probability = lesionProbability(probabilities, segmenter.labelNames, labels);
  const quality = maskQuality(lesion, probability ? { probability: { ...lesion, data: probability } } : {});
  return { mask: lesion, labels, steps, warnings, quality };
}

/**
 * Those labels that count as lesion: as asked for, or the only one there is.
 * @throws LesionMaskError INVALID_ARGUMENT
 */
function lesionLabels({ labelNames }: MaskSegmenter, asked: readonly number[] | null): number[] {
  const all = Object.entries(labelNames);
  const listed = all.map(([name, label]) => `${label} (${name})`).join(', ');
  if (asked === null) {
    const [only, another] = all;
    if (only && !another) return [only[1]];
    return refuse(`the segmentation model has the labels ${listed}: say which of them are lesion`);
  }
  const missing = asked.filter((label) => !all.some(([, value]) => value === label));
  if (missing.length > 0 || asked.length === 0) {
    refuse(
      `${missing.length > 0 ? `the segmentation model never gives the label ${missing.join(', ')}` : 'no label was named'}; it has ${listed}`,
    );
  }
  return [...asked];
}

function cleanOptions({ closingMm, fillHoles, minimumVolumeMm3, largest }: MaskCleaning): CleanMaskOptions {
  return {
    closingMm: closingMm ?? undefined,
    fillHoles,
    minimumVolumeMm3,
    largest: largest ?? undefined,
  };
}

/** Sum over the lesion's labels; undefined for regions, which overlap, and where probabilities were not kept. */
function lesionProbability(
  probabilities: readonly NamedProbability[],
  labelNames: Readonly<Record<string, number>>,
  labels: readonly number[],
): Float32Array | undefined {
  if (!probabilities.some(({ name }) => !(name in labelNames))) return undefined; // regions have no background
  const parts = probabilities.filter(({ name }) => labels.includes(labelNames[name] ?? -1));
  const [first, ...others] = parts.map(({ volume }) => volume.data);
  if (!first) return undefined;
  const sum = first.slice();
  for (const other of others) for (let at = 0; at < sum.length; at++) sum[at]! += other[at]!;
  return sum;
}
