/** cos and sin products of the algorithm, times 2^13. */
const [F0298, F0390, F0541, F0765, F0899, F1175, F1501, F1847, F1961, F2053, F2562, F3072] = [
  2446, 3196, 4433, 6270, 7373, 9633, 12_299, 15_137, 16_069, 16_819, 20_995, 25_172,
] as const;
const CONSTANT_BITS = 13;

const work = new Int32Array(64);

/**
 * The 8 x 8 inverse cosine transform of Loeffler, Ligtenberg and Moschytz in the integer form of libjpeg's jidctint.c, bit
 * for bit, so that lossy images have the voxels that GDCM, SimpleITK and dcmtk give them.
 * @param block 64 dequantized coefficients, row by row; replaced by samples around 0
 * @param precision 8 or 12 bits
 */
export function inverseDct(block: Int32Array, precision: number): void {
  const passBits = precision > 8 ? 1 : 2;
  for (let column = 0; column < 8; column++) {
    transform(block, work, column, 8, CONSTANT_BITS - passBits);
  }
  for (let row = 0; row < 64; row += 8) transform(work, block, row, 1, CONSTANT_BITS + passBits + 3);
}

/** One row or column. */
function transform(from: Int32Array, to: Int32Array, start: number, step: number, shift: number): void {
  const at = (n: number): number => from[start + n * step]!;
  const shared = (at(2) + at(6)) * F0541;
  const even2 = shared - at(6) * F1847;
  const even3 = shared + at(2) * F0765;
  const even0 = (at(0) + at(4)) * 8192;
  const even1 = (at(0) - at(4)) * 8192;
  const [outer0, outer3, outer1, outer2] = [even0 + even3, even0 - even3, even1 + even2, even1 - even2];
  const [a, b, c, d] = [at(7), at(5), at(3), at(1)];
  const all = (a + c + b + d) * F1175;
  const [z1, z2] = [-(a + d) * F0899, -(b + c) * F2562];
  const [z3, z4] = [all - (a + c) * F1961, all - (b + d) * F0390];
  const odd0 = a * F0298 + z1 + z3;
  const odd1 = b * F2053 + z2 + z4;
  const odd2 = c * F3072 + z2 + z3;
  const odd3 = d * F1501 + z1 + z4;
  const half = 1 << (shift - 1);
  const put = (n: number, value: number): void => {
    to[start + n * step] = (value + half) >> shift;
  };
  put(0, outer0 + odd3);
  put(7, outer0 - odd3);
  put(1, outer1 + odd2);
  put(6, outer1 - odd2);
  put(2, outer2 + odd1);
  put(5, outer2 - odd1);
  put(3, outer3 + odd0);
  put(4, outer3 - odd0);
}
