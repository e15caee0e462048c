/**
 * IEEE 754 binary16 and bfloat16, converted in bulk.
 *
 * Half to single uses tables (J. van der Zijp, "Fast Half Float Conversions", 2008); single to half rounds to nearest,
 * ties to even, as numpy and torch do. Values beyond the range become infinities.
 */

const bits = new Uint32Array(1);
const value = new Float32Array(bits.buffer);

/** The single-precision bits of every half, built on first use (256 KiB). */
let halfTable: Float32Array | undefined;

function singleOfHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

export function float16ToFloat32(halves: Uint16Array): Float32Array {
  halfTable ??= Float32Array.from({ length: 65536 }, (_, half) => singleOfHalf(half));
  const singles = new Float32Array(halves.length);
  for (let index = 0; index < halves.length; index++) singles[index] = halfTable[halves[index]!]!;
  return singles;
}

function halfOfSingle(single: number): number {
  value[0] = single;
  const word = bits[0]!;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and above round to infinity
  if (magnitude < 0x38800000) {
    // Below the smallest normal half: adding 0.5 lets the hardware round to multiples of 2^-24, ties to even.
    value[0] = Math.abs(single) + 0.5;
    return sign | (bits[0]! - 0x3f000000);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}

export function float32ToFloat16(singles: Float32Array): Uint16Array {
  const halves = new Uint16Array(singles.length);
  for (let index = 0; index < singles.length; index++) halves[index] = halfOfSingle(singles[index]!);
  return halves;
}

export function bfloat16ToFloat32(brains: Uint16Array): Float32Array {
  const words = new Uint32Array(brains.length);
  for (let index = 0; index < brains.length; index++) words[index] = brains[index]! << 16;
  return new Float32Array(words.buffer);
}

export function float32ToBfloat16(singles: Float32Array): Uint16Array {
  const words = new Uint32Array(singles.buffer, singles.byteOffset, singles.length);
  const brains = new Uint16Array(singles.length);
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    brains[index] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return brains;
}
