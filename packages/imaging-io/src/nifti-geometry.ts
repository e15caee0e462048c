import { type Grid, isOrthonormal, type Mat3, type Vec3 } from '@onco-response/volume';
import { ImagingError } from './imaging-error.js';
import type { NiftiHeader } from './nifti-header.js';

/** NIfTI's x and y run to the right and front (RAS), ours to the left and back (LPS). */
const FLIP = [-1, -1, 1] as const;

/**
 * Where the voxels lie: the sform where `sform_code > 0`, else the qform, else origin 0 and axes along LPS (with a
 * warning). The file's order of voxels is kept; reflections stay in `direction`.
 * @throws ImagingError MALFORMED for numbers that describe no grid, UNSUPPORTED for sheared axes
 */
export function niftiGrid(header: NiftiHeader, name: string): { grid: Grid; warnings: string[] } {
  const { size, sformCode, qformCode } = header;
  const warnings: string[] = [];
  let affine: number[]; // 3 x 4, RAS, header units
  if (sformCode > 0) affine = [...header.sform];
  else if (qformCode > 0) affine = qformAffine(header);
  else {
    warnings.push(
      `${name} says nothing about orientation (sform_code and qform_code are 0): axes taken as LPS, origin 0`,
    );
    const [, x, y, z] = header.pixdim;
    affine = [-Math.abs(x!), 0, 0, 0, 0, -Math.abs(y!), 0, 0, 0, 0, Math.abs(z!), 0];
  }
  const millimetres = affine.map((v, at) => v * header.millimetresPerUnit * FLIP[Math.floor(at / 4)]!);
  const column = (c: number): number[] => [millimetres[c]!, millimetres[c + 4]!, millimetres[c + 8]!];
  const spacing = [0, 1, 2].map((c) => Math.hypot(...column(c)));
  if (!millimetres.every(Number.isFinite) || spacing.some((s) => !(s > 0))) {
    throw new ImagingError({
      code: 'MALFORMED',
      message: `${name}: its ${sformCode > 0 ? 'sform' : qformCode > 0 ? 'qform' : 'pixdim'} describes no grid in space`,
    });
  }
  const columns = [0, 1, 2].map((c) => column(c).map((v) => v / spacing[c]! + 0)); // + 0 turns -0 into 0
  const direction = [0, 1, 2].flatMap((row) => columns.map((axis) => axis[row]!)) as unknown as Mat3;
  if (!isOrthonormal(direction)) {
    throw new ImagingError({
      code: 'UNSUPPORTED',
      message: `${name}: its sform has sheared axes; resample it to perpendicular axes first`,
    });
  }
  const origin = column(3).map((v) => v + 0) as unknown as Vec3;
  return { grid: { size, spacing: spacing as unknown as Vec3, origin, direction }, warnings };
}

/** The qform as a 3x4 affine (nifti1.h, method 2). */
function qformAffine({ quaternion, pixdim }: NiftiHeader): number[] {
  const [b, c, d, ...offset] = quaternion as [number, number, number, number, number, number];
  // float32 rounding can push the sum above 1: then the rotation is by 180 degrees
  const rest = 1 - (b * b + c * c + d * d);
  const norm = rest < 0 ? Math.sqrt(b * b + c * c + d * d) : 1;
  const r = rotation(rest < 0 ? 0 : Math.sqrt(rest), b / norm, c / norm, d / norm);
  const steps = [
    Math.abs(pixdim[1]!),
    Math.abs(pixdim[2]!),
    Math.abs(pixdim[3]!) * (pixdim[0]! < 0 ? -1 : 1),
  ];
  return [0, 1, 2].flatMap((row) => [...steps.map((s, column) => r[3 * row + column]! * s), offset[row]!]);
}

function rotation(a: number, b: number, c: number, d: number): Mat3 {
  return [
    a * a + b * b - c * c - d * d,
    2 * (b * c - a * d),
    2 * (b * d + a * c),
    2 * (b * c + a * d),
    a * a + c * c - b * b - d * d,
    2 * (c * d - a * b),
    2 * (b * d - a * c),
    2 * (c * d + a * b),
    a * a + d * d - b * b - c * c,
  ];
}

/** A grid as sform rows (RAS, mm) and, where the axes are perpendicular, quaternion and qfac. */
export function niftiTransforms({ spacing, origin, direction }: Grid): {
  sform: number[];
  quaternion: { qfac: number; b: number; c: number; d: number } | undefined;
} {
  const ras = direction.map((v, at) => v * FLIP[Math.floor(at / 3)]!) as unknown as Mat3;
  const sform = [0, 1, 2].flatMap((row) => [
    ...[0, 1, 2].map((column) => ras[3 * row + column]! * spacing[column]!),
    origin[row]! * FLIP[row]!,
  ]);
  return { sform, quaternion: isOrthonormal(ras, 1e-5) ? quaternionOf(ras) : undefined };
}

/** nifti_mat44_to_quatern of nifti1_io.c for an orthonormal matrix: a reflection goes into qfac. */
function quaternionOf(ras: Mat3): { qfac: number; b: number; c: number; d: number } {
  const m = [...ras];
  const det =
    m[0]! * (m[4]! * m[8]! - m[5]! * m[7]!) -
    m[1]! * (m[3]! * m[8]! - m[5]! * m[6]!) +
    m[2]! * (m[3]! * m[7]! - m[4]! * m[6]!);
  const qfac = det < 0 ? -1 : 1;
  for (const at of [2, 5, 8]) m[at] = m[at]! * qfac;
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = m as unknown as Mat3;
  // the largest component first, so that nothing is divided by a number near 0
  const a = Math.sqrt(Math.max(0, 1 + xx + yy + zz)) / 2;
  if (a > 0.25) return { qfac, b: (zy - yz) / (4 * a), c: (xz - zx) / (4 * a), d: (yx - xy) / (4 * a) };
  const squares = [1 + xx - yy - zz, 1 + yy - xx - zz, 1 + zz - xx - yy];
  const largest = squares.indexOf(Math.max(...squares));
  const s = Math.sqrt(squares[largest]!) / 2;
  const [sign, b, c, d] = [
    [zy - yz, s, (xy + yx) / (4 * s), (xz + zx) / (4 * s)],
    [xz - zx, (xy + yx) / (4 * s), s, (yz + zy) / (4 * s)],
    [yx - xy, (xz + zx) / (4 * s), (yz + zy) / (4 * s), s],
  ][largest] as [number, number, number, number];
  // a >= 0 by convention
  return sign < 0 ? { qfac, b: -b, c: -c, d: -d } : { qfac, b, c, d };
}
