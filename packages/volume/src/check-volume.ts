import { determinant } from './matrix.js';
import type { Grid, Vec3, Volume } from './types.js';
import { VolumeError } from './volume-error.js';

/** 40 times the largest clinical CT: a larger grid is a mistyped spacing or a hostile header. */
export const MAX_VOXELS = 2 ** 31;

/** Voxel axes flatter than this do not span space. */
const MIN_DETERMINANT = 1e-6;

const isVec3 = (value: unknown): value is Vec3 =>
  Array.isArray(value) &&
  value.length === 3 &&
  value.every((v) => typeof v === 'number' && Number.isFinite(v));

/** Refuses a grid whose size, spacing, origin or direction describes no voxels in space. */
export function checkGrid(grid: Grid, name = 'volume'): void {
  if (typeof grid !== 'object' || grid === null) fail(`${name} is no volume but ${typeof grid}`);
  const { size, spacing, origin, direction } = grid;
  if (!isVec3(size) || !size.every((n) => Number.isInteger(n) && n >= 1)) {
    fail(`${name}.size has to be three whole numbers >= 1, found ${show(size)}`);
  }
  if (size[0] * size[1] * size[2] > MAX_VOXELS) {
    throw new VolumeError({
      code: 'TOO_LARGE',
      message: `${name} would have ${size.join(' x ')} voxels, more than ${MAX_VOXELS}: use a larger spacing or a crop`,
    });
  }
  if (!isVec3(spacing) || !spacing.every((s) => s > 0)) {
    fail(`${name}.spacing has to be three numbers > 0 (mm), found ${show(spacing)}`);
  }
  if (!isVec3(origin)) fail(`${name}.origin has to be three finite numbers (mm), found ${show(origin)}`);
  if (!Array.isArray(direction) || direction.length !== 9 || !direction.every((v) => Number.isFinite(v))) {
    fail(`${name}.direction has to be nine finite numbers, found ${show(direction)}`);
  }
  if (!(Math.abs(determinant(direction)) > MIN_DETERMINANT)) {
    fail(`${name}.direction has to be three independent axes, found ${show(direction)}`);
  }
}

/** Refuses a volume whose data do not fill its grid. */
export function checkVolume(volume: Volume, name = 'volume'): void {
  checkGrid(volume, name);
  const expected = volume.size[0] * volume.size[1] * volume.size[2];
  if (!ArrayBuffer.isView(volume.data) || volume.data instanceof DataView) {
    fail(`${name}.data has to be a typed array`);
  }
  if (volume.data.length !== expected) {
    fail(
      `${name}.data has ${volume.data.length} voxels, its size ${volume.size.join(' x ')} needs ${expected}`,
    );
  }
}

/** Refuses an argument that is no finite number, or lies below `minimum`. */
export function checkNumber(value: number, name: string, minimum = Number.NEGATIVE_INFINITY): void {
  if (typeof value === 'number' && Number.isFinite(value) && value >= minimum) return;
  const bound = minimum === Number.NEGATIVE_INFINITY ? 'a finite number' : `a finite number >= ${minimum}`;
  throw new VolumeError({
    code: 'INVALID_ARGUMENT',
    message: `${name} has to be ${bound}, found ${show(value)}`,
  });
}

function fail(message: string): never {
  throw new VolumeError({ code: 'INVALID_VOLUME', message });
}

function show(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(String).join(', ')}]` : String(value);
}
