/** What the encoder's three channels show. */
export type InputMode = 'ct' | 'maskedCt' | 'mask' | 'ctMaskChannels';

/** Whether the three channels show one slice, or the slice with the one below it before and the one above it after. */
export type ChannelMode = 'repeat' | 'neighbours';

/** One slice of the field, [H, W]. */
export interface Plane {
  /** In [0, 1]. */
  readonly ct: Float32Array;
  /** 0 or 1. */
  readonly lesion: Uint8Array;
}

export const CHANNEL_MODES: readonly ChannelMode[] = ['repeat', 'neighbours'];

export const INPUT_MODES: readonly InputMode[] = ['ct', 'maskedCt', 'mask', 'ctMaskChannels'];

/**
 * One slice as [H, W, 3] into `pixels` at `at`, (value - mean) / std per channel; channel c shows `planes[c]`. Outside the lesion `maskedCt` is 0, the window's minimum; 'ctMaskChannels' are CT, masked CT and mask.
 */
export function writePixels(
  pixels: Float32Array,
  at: number,
  planes: readonly [Plane, Plane, Plane],
  input: InputMode,
  mean: readonly number[],
  std: readonly number[],
): void {
  // channel value = ct * byCt + ct * lesion * byMaskedCt + lesion * byMask
  const shows = { ct: [1, 0, 0], maskedCt: [0, 1, 0], mask: [0, 0, 1] } as const;
  const channels =
    input === 'ctMaskChannels'
      ? [shows.ct, shows.maskedCt, shows.mask]
      : [shows[input], shows[input], shows[input]];
  for (let channel = 0; channel < 3; channel++) {
    const [byCt, byMaskedCt, byMask] = channels[channel]!;
    const { ct, lesion } = planes[channel]!;
    const centre = mean[channel]!;
    const spread = std[channel]!;
    for (let pixel = 0, to = at + channel; pixel < ct.length; pixel++, to += 3) {
      const value = ct[pixel]!;
      const inside = lesion[pixel]!;
      pixels[to] = (value * byCt + value * inside * byMaskedCt + inside * byMask - centre) / spread;
    }
  }
}
