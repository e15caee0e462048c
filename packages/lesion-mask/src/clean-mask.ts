import { boundingBox, closing, connectedComponents, crop, fillHoles, type Mask } from '@onco-response/volume';
import { LesionMaskError, refuse } from './lesion-mask-error.js';
import { placeMask } from './mask-part.js';
import { countVoxels, type MaskStep } from './mask-step.js';

export interface CleanMaskOptions {
  /** Labels that count as lesion; all non-zero ones where left out. */
  readonly labels?: readonly number[] | undefined;
  /** Close gaps narrower than about twice this, in mm: each label for itself. */
  readonly closingMm?: number | undefined;
  /** Fill enclosed background: in space, or, with `perSlice`, in each plane across that axis. */
  readonly fillHoles?: boolean | { readonly perSlice: 0 | 1 | 2 } | undefined;
  /** Connected components (26) smaller than this are dropped, in mm3. */
  readonly minimumVolumeMm3?: number | undefined;
  /** Keep only this many largest components. */
  readonly largest?: number | undefined;
  /**
   * Whether a person gave the mask or a program derived it: a given mask without lesion is a fault (EMPTY_MASK), a
   * derived one an outcome (NO_LESION). Default 'given'.
   */
  readonly source?: 'given' | 'derived' | undefined;
}

export interface CleanedMask {
  readonly mask: Mask;
  readonly components: number;
  /** What was done, in order. */
  readonly steps: MaskStep[];
  readonly warnings: string[];
}

/**
 * The mask without what is not lesion, in this order: other labels go, gaps close, holes are filled, specks go, all but
 * the largest components go. Only what the options ask for is done. Labels keep their values.
 * @throws LesionMaskError EMPTY_MASK, or NO_LESION for a derived mask, where nothing is left; INVALID_ARGUMENT
 * @example
 * const { mask: lesions, steps } = cleanMask(mask, { labels: [1, 9], closingMm: 1, minimumVolumeMm3: 50 });
 */
export function cleanMask(
  mask: Mask,
  {
    labels,
    closingMm,
    fillHoles: filling = false,
    minimumVolumeMm3,
    largest,
    source = 'given',
  }: CleanMaskOptions = {},
): CleanedMask {
  const minimum = minimumVolumeMm3 ?? 0;
  const most = largest ?? Number.POSITIVE_INFINITY;
  if (!(minimum >= 0)) refuse(`minimumVolumeMm3 has to be >= 0, found ${minimum}`);
  if (!(most >= 1)) refuse(`largest has to be >= 1, found ${most}`);
  if (closingMm !== undefined && !(Number.isFinite(closingMm) && closingMm >= 0))
    refuse(`closingMm has to be >= 0, found ${closingMm}`);
  if (source !== 'given' && source !== 'derived')
    refuse(`source has to be 'given' or 'derived', found ${JSON.stringify(source)}`);

  // All work is done on the part that holds the mask: a lesion is a small part of a CT.
  const box = boundingBox(mask) ?? { minimum: [0, 0, 0] as const, maximum: [0, 0, 0] as const };
  let part: Mask = crop(mask, box);
  const steps: MaskStep[] = [];
  const warnings: string[] = [];
  let voxels = countVoxels(part.data);
  const done = (step: string, parameters: Record<string, unknown>, data: Uint8Array): void => {
    part = { ...part, data };
    const voxelsAfter = countVoxels(data);
    steps.push({ step, parameters, voxelsBefore: voxels, voxelsAfter });
    voxels = voxelsAfter;
  };
  const nothingLeft = (message: string): LesionMaskError =>
    new LesionMaskError({
      code: source === 'derived' ? 'NO_LESION' : 'EMPTY_MASK',
      message: source === 'derived' ? `no lesion was found: ${message}` : message,
      steps,
    });

  if (labels !== undefined) {
    const kept = part.data.map((v) => (labels.includes(v) ? v : 0));
    done('labels', { labels: [...labels] }, kept);
  }
  if (voxels === 0) {
    const seen = [...new Set(mask.data)].filter((v) => v !== 0).sort((a, b) => a - b);
    throw nothingLeft(
      `the mask has no voxel of the lesion labels ${labels?.join(', ') ?? '(any)'}; it has the labels ${seen.join(', ') || 'none'}`,
    );
  }
  if (closingMm !== undefined) done('closing', { mm: closingMm }, closeLabels(part, closingMm));
  if (filling !== false) {
    const options = filling === true ? {} : { perSlice: filling.perSlice };
    done('fillHoles', options, fillHoles(part, options).data);
  }
  const found = connectedComponents(part);
  const enough = found.components.filter((c) => c.volumeMm3 >= minimum).length;
  const kept = Math.min(enough, most);
  // components stand largest first, so that those kept are labels 1 to `kept`
  const keep = (count: number): Uint8Array =>
    part.data.map((value, at) => (found.labels.data[at]! > count ? 0 : value));
  if (minimumVolumeMm3 !== undefined)
    done('minimumVolume', { mm3: minimum, componentsBefore: found.count }, keep(enough));
  if (enough === 0) {
    throw nothingLeft(
      `none of the mask's ${found.count} components has ${minimum} mm3; the largest has ${found.components[0]!.volumeMm3.toFixed(1)}`,
    );
  }
  if (largest !== undefined) done('largest', { count: most, componentsBefore: enough }, keep(kept));
  if (kept < found.count) {
    const volume = found.components.slice(kept).reduce((sum, c) => sum + c.volumeMm3, 0);
    warnings.push(
      `dropped ${found.count - kept} of ${found.count} mask components (${volume.toFixed(1)} mm3 together)`,
    );
  }
  return { mask: placeMask(part, box.minimum, mask), components: kept, steps, warnings };
}

/** Each label closed for itself, in rising order; no label takes a voxel of another. */
function closeLabels(part: Mask, mm: number): Uint8Array {
  const closed = part.data.slice();
  const labels = [...new Set(part.data)].filter((v) => v !== 0).sort((a, b) => a - b);
  for (const label of labels) {
    const grown = closing({ ...part, data: part.data.map((v) => (v === label ? 1 : 0)) }, mm).data;
    for (let at = 0; at < closed.length; at++) if (closed[at] === 0 && grown[at] !== 0) closed[at] = label;
  }
  return closed;
}
