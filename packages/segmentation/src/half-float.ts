/** Every float16 as the number that it stands for; made at the first use. */
let values: Float32Array | undefined;

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** A table from the 16 bits of a float16 to its value. */
export function halfValues(): Float32Array {
  if (values) return values;
  values = new Float32Array(65_536);
  for (let bits = 0; bits < 65_536; bits++) {
    const exponent = (bits >>> 10) & 31;
    const fraction = bits & 1023;
    const size =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    values[bits] = bits & 0x8000 ? -size : size;
  }
  return values;
}

/** The 16 bits of the float16 nearest to a number (of two equally near ones the even), by way of float32 as in torch. */
export function toHalf(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fff_ffff;
  if (size >= 0x3880_0000) {
    if (size > 0x7f80_0000) return sign | 0x7e00; // not a number
    if (size >= 0x4780_0000) return sign | 0x7c00; // infinite
    return sign | ((size - 0x3800_0000 + 0xfff + ((size >>> 13) & 1)) >>> 13); // a carry may reach infinity: right so
  }
  // below the normal float16s: adding 0.5 leaves multiples of 2^-24, rounded by the addition itself
  scratchBits[0] = size;
  scratch[0] = scratch[0]! + 0.5;
  return sign | (scratchBits[0]! - 0x3f00_0000);
}
