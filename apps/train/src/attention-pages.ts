import type { CohortCase } from '@onco-response/cohort';
import type { AttentionCase } from '@onco-response/report';
import { inputSlices } from '@onco-response/response-model';
import type { CaseAttention } from './case-attention.js';
import { readCase } from './case-tokens.js';
import type { Study } from './study.js';

export interface AttendedCase {
  each: CohortCase;
  probability: number;
  attention: CaseAttention;
}

/** Slices are shown as windowed CT: how the encoder wants its pixels scaled does not matter. */
const AS_WINDOWED: Parameters<typeof inputSlices>[3] = {
  preprocessing: { mean: [0, 0, 0], std: [1, 1, 1] },
};

/**
 * The surest right and wrong test cases and the least certain ones, with their slices and attention: `attentionCases` of them, from
 * the largest probability to the smallest. Errors are those of imaging-io and lesion-mask.
 */
export async function attentionPages(
  cases: readonly AttendedCase[],
  { model, control, evaluation: { attentionCases } }: Pick<Study, 'model' | 'control' | 'evaluation'>,
): Promise<AttentionCase[]> {
  const ranked = [...cases].sort((a, b) => b.probability - a.probability);
  const shown = [...new Set(spread(ranked.length, attentionCases))].map((i) => ranked[i] as AttendedCase);
  const pages: AttentionCase[] = [];
  for (const { each, probability, attention } of shown) {
    const { volume, lesion } = await readCase(each, { withoutLesion: control === 'lesionMaskedOut' });
    const slices = inputSlices(volume, lesion, model, AS_WINDOWED);
    const area = slices.imageSize ** 2;
    pages.push({
      caseLabel: each.caseId,
      label: each.label,
      probability,
      slices: slices.sliceIndices.map((index, s) => ({
        index,
        weight: attention.weights[s] as number,
        size: slices.imageSize,
        pixels: slices.windowed.slice(s * area, (s + 1) * area),
        lesion: slices.lesion.slice(s * area, (s + 1) * area),
      })),
    });
  }
  return pages;
}

/** `count` places from the first to the last of `length`. */
function spread(length: number, count: number): number[] {
  if (length === 0) return [];
  if (count <= 1) return count === 1 ? [0] : [];
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - 1)) / (count - 1)));
}
