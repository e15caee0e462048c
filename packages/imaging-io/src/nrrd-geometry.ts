import { type Grid, IDENTITY, type Vec3 } from '@onco-response/volume';
import type { NrrdHeader } from './nrrd-header.js';
import { finiteNumbers, gridAxes, quoted, refuse } from './text-header.js';

/** Signs that turn a space's coordinates into LPS. */
const TO_LPS = new Map<string, Vec3>(
  (
    [
      [[1, 1, 1], 'left-posterior-superior', 'lps'],
      [[-1, -1, 1], 'right-anterior-superior', 'ras'],
      [[1, -1, 1], 'left-anterior-superior', 'las'],
    ] as const
  ).flatMap(([signs, ...names]) => names.map((name) => [name, signs] as const)),
);

/** Spaces that are not tied to the patient. */
const UNTIED = new Set(['scanner-xyz', '3d-right-handed']);

/**
 * Where the voxels lie. A file without `space directions` has `spacings` only: its axes are taken as LPS with the
 * origin at 0, with a warning.
 * @throws ImagingError MALFORMED for numbers that describe no grid, UNSUPPORTED for sheared axes and other spaces
 */
export function nrrdGrid(header: NrrdHeader, name: string): { grid: Grid; warnings: string[] } {
  const { fields, size, spatialAxes } = header;
  refuseOtherUnits(header, name);
  const space = fields.get('space')?.toLowerCase();
  const spaceDimension = fields.get('spacedimension');
  const warnings: string[] = [];
  if (fields.get('spacedirections') === undefined) {
    warnings.push(`${name} says nothing about orientation: axes taken as LPS, origin 0`);
    const grid = {
      size,
      spacing: spacingsOf(header, name, warnings),
      origin: [0, 0, 0],
      direction: IDENTITY,
    } as const;
    return { grid, warnings };
  }
  if (space === undefined ? spaceDimension === undefined : spaceDimension !== undefined) {
    refuse('MALFORMED', `${name} needs either space or space dimension for its space directions`);
  }
  const tied = TO_LPS.get(space ?? '');
  if (tied === undefined) {
    if (spaceDimension !== '3' && !UNTIED.has(space ?? '')) {
      refuse(
        'UNSUPPORTED',
        `${name} has the space ${quoted(space ?? `of ${spaceDimension} dimensions`)}: LPS, RAS and LAS are read`,
      );
    }
    warnings.push(`${name} does not tie its space to the patient: coordinates taken as LPS`);
  }
  const signs = tied ?? ([1, 1, 1] as const);
  const inLps = (vector: string, field: string): number[] =>
    finiteNumbers(vector.replace(/^\(\s*|\s*\)$/g, ''), field, 3, name).map((v, row) => v * signs[row]! + 0);
  const vectors = fields.get('spacedirections')!.match(/none|\([^)]*\)/g)!;
  const axes = spatialAxes.map((axis) => inLps(vectors[axis]!, 'space directions'));
  const at = fields.get('spaceorigin');
  if (at === undefined) warnings.push(`${name} has no space origin: taken as 0`);
  const origin = (at === undefined ? [0, 0, 0] : inLps(at, 'space origin')) as unknown as Vec3;
  return { grid: { size, origin, ...gridAxes(axes, name) }, warnings };
}

function spacingsOf({ fields, dimension, spatialAxes }: NrrdHeader, name: string, warnings: string[]): Vec3 {
  const spacings = fields.get('spacings');
  if (spacings === undefined) {
    warnings.push(`${name} has no spacings: taken as 1 mm`);
    return [1, 1, 1];
  }
  const words = spacings.split(/\s+/);
  if (words.length !== dimension) {
    refuse('MALFORMED', `${name} has ${words.length} spacings for ${dimension} dimensions`);
  }
  // axes that are not in space may have the spacing NaN
  const spacing = spatialAxes.map((axis) => Number(words[axis]!));
  if (!spacing.every((mm) => mm > 0 && Number.isFinite(mm))) {
    refuse('MALFORMED', `${name}: its spacings ${quoted(spacings)} describe no grid in space`);
  }
  return spacing as unknown as Vec3;
}

/** Lengths are mm where nothing is said. */
function refuseOtherUnits({ fields, spatialAxes, dimension }: NrrdHeader, name: string): void {
  const unitsOf = (field: string): string[] =>
    [...(fields.get(field) ?? '').matchAll(/"([^"]*)"/g)].map((match) => match[1]!.toLowerCase());
  const perAxis = unitsOf('units');
  const used = [
    ...unitsOf('spaceunits'),
    ...(perAxis.length === dimension ? spatialAxes.map((axis) => perAxis[axis]!) : []),
  ];
  const other = used.find((unit) => !['', 'mm', 'millimeter', 'millimetre', 'none', '???'].includes(unit));
  if (other !== undefined) refuse('UNSUPPORTED', `${name} has lengths in ${quoted(other)}: mm are read`);
}
