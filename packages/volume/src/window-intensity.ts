import { checkNumber, checkVolume } from './check-volume.js';
import type { Volume } from './types.js';
import { VolumeError } from './volume-error.js';

/**
 * Maps [level - width/2, level + width/2] to [0, 1] and clamps beyond: clamp((v - level) / width + 0.5).
 * This is the plain linear window; DICOM PS3.3 C.11.2.1.2.1 shifts it by half a grey level.
 * @throws VolumeError INVALID_ARGUMENT unless width > 0
 * @example
 * const shown = windowIntensity(volume, { level: 40, width: 400 }); // Float32Array in [0, 1]
 */
export function windowIntensity(
  volume: Volume,
  { level, width }: { level: number; width: number },
): Volume<Float32Array> {
  checkVolume(volume);
  checkNumber(level, 'level');
  checkNumber(width, 'width');
  if (width <= 0)
    throw new VolumeError({ code: 'INVALID_ARGUMENT', message: `width has to be > 0, found ${width}` });
  const { data, size, spacing, origin, direction } = volume;
  const windowed = new Float32Array(data.length);
  const scale = 1 / width;
  const shift = 0.5 - level / width;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]! * scale + shift;
    windowed[i] = Math.min(Math.max(value, 0), 1);
  }
  return { data: windowed, size, spacing, origin, direction };
}
