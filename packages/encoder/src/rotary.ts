import * as tf from '@tensorflow/tfjs-core';

/**
 * cos and sin of each token's angles, [P + N, headSize / 2]; tokens without a place have the angle 0. Plain arrays, since
 * a tensor would be freed before a derivative asks for it.
 */
export interface Rotary {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/**
 * DINOv3's rotary positions: patch centres in [-1, 1], times 2 pi / theta^(4 i / headSize), rows' angles before columns'.
 * Source: transformers 5.23 `modeling_dinov3_vit.py`, DINOv3ViTRopePositionEmbedding (without its training-time jitter).
 *
 * @param placeless how many tokens go before the patches (class token and registers), which are not rotated
 */
export function rotaryAngles(
  rows: number,
  columns: number,
  placeless: number,
  headSize: number,
  theta: number,
): Rotary {
  const quarter = headSize / 4;
  const frequencies = Array.from(
    { length: quarter },
    (_, index) => (2 * Math.PI) / theta ** (index / quarter),
  );
  const half = 2 * quarter;
  const angles = new Float32Array((placeless + rows * columns) * half);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = (placeless + row * columns + column) * half;
      const [y, x] = [(2 * (row + 0.5)) / rows - 1, (2 * (column + 0.5)) / columns - 1];
      frequencies.forEach((frequency, index) => {
        angles[at + index] = y * frequency;
        angles[at + quarter + index] = x * frequency;
      });
    }
  }
  return { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
}

/**
 * Turns the halves of each head's vector against each other: [B, heads, T, headSize], T the first tokens of the angles'.
 *
 * @param sense -1 turns back
 */
export function rotate(x: tf.Tensor4D, { cos, sin }: Rotary, sense: 1 | -1): tf.Tensor4D {
  return tf.tidy(() => {
    const [tokens, half] = [x.shape[2], x.shape[3] / 2];
    const table = (values: Float32Array) => tf.tensor2d(values.subarray(0, tokens * half), [tokens, half]);
    const [c, s] = [table(cos), tf.mul(table(sin), sense)];
    const [first, second] = tf.split(x, 2, -1) as [tf.Tensor4D, tf.Tensor4D]; // [B, heads, T, headSize / 2]
    const turned = [tf.sub(tf.mul(first, c), tf.mul(second, s)), tf.add(tf.mul(second, c), tf.mul(first, s))];
    return tf.concat(turned as tf.Tensor4D[], -1);
  });
}
