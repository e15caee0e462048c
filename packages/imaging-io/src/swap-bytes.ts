/** Reverses the bytes of each voxel in place. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  if (width === 1) return;
  for (let start = 0; start + width <= bytes.length; start += width) {
    for (let a = start, b = start + width - 1; a < b; a++, b--) {
      const byte = bytes[a]!;
      bytes[a] = bytes[b]!;
      bytes[b] = byte;
    }
  }
}
