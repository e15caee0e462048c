import { connectedComponents, type Mask } from '@onco-response/volume';
import { LesionMaskError } from './lesion-mask-error.js';

export interface CleanMaskOptions {
  /** Labels that count as lesion; all non-zero ones where left out. */
  readonly labels?: readonly number[] | undefined;
  /** Connected components (26) smaller than this are dropped, in mm3. */
  readonly minimumVolumeMm3?: number | undefined;
  /** Keep only this many largest components. */
  readonly largest?: number | undefined;
}

/**
 * The mask without what is not lesion: other labels, specks, all but the largest components. Labels keep their values.
 * What was dropped is in `warnings`.
 * @throws LesionMaskError EMPTY_MASK where nothing is left, INVALID_ARGUMENT
 * @example
 * const { mask: lesions } = cleanMask(mask, { labels: [1, 9], minimumVolumeMm3: 50 });
 */
export function cleanMask(
  mask: Mask,
  { labels, minimumVolumeMm3 = 0, largest = Number.POSITIVE_INFINITY }: CleanMaskOptions = {},
): { mask: Mask; components: number; warnings: string[] } {
  if (!(minimumVolumeMm3 >= 0)) refuse(`minimumVolumeMm3 has to be >= 0, found ${minimumVolumeMm3}`);
  if (!(largest >= 1)) refuse(`largest has to be >= 1, found ${largest}`);
  const { size, spacing, origin, direction } = mask;
  const kept = labels === undefined ? mask.data.slice() : mask.data.map((v) => (labels.includes(v) ? v : 0));
  const found = connectedComponents({ data: kept, size, spacing, origin, direction });
  const keep = found.components.filter((c) => c.volumeMm3 >= minimumVolumeMm3).slice(0, largest);
  if (keep.length === 0) {
    const seen = [...new Set(mask.data)].filter((v) => v !== 0).sort((a, b) => a - b);
    throw new LesionMaskError({
      code: 'EMPTY_MASK',
      message:
        found.count === 0
          ? `the mask has no voxel of the lesion labels ${labels?.join(', ') ?? '(any)'}; it has the labels ${seen.join(', ') || 'none'}`
          : `none of the mask's ${found.count} components has ${minimumVolumeMm3} mm3; the largest has ${found.components[0]!.volumeMm3.toFixed(1)}`,
    });
  }
  const warnings: string[] = [];
  const dropped = found.components.slice(keep.length);
  if (dropped.length > 0) {
    // components stand largest first, so that those kept are labels 1 to keep.length
    for (let at = 0; at < kept.length; at++) if (found.labels.data[at]! > keep.length) kept[at] = 0;
    const volume = dropped.reduce((sum, c) => sum + c.volumeMm3, 0);
    warnings.push(
      `dropped ${dropped.length} of ${found.count} mask components (${volume.toFixed(1)} mm3 together)`,
    );
  }
  return { mask: { data: kept, size, spacing, origin, direction }, components: keep.length, warnings };
}

function refuse(message: string): never {
  throw new LesionMaskError({ code: 'INVALID_ARGUMENT', message });
}
