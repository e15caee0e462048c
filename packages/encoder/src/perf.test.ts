import { startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { test } from 'vitest';
import { gelu } from './gelu.js'; import { layerNorm } from './layer-norm.js';
const timed = (n: string, f: () => tf.Tensor) => { const g = () => tf.tidy(() => { f().dataSync(); }); g(); const ts: number[] = []; for (let i = 0; i < 9; i++) { const t = performance.now(); g(); ts.push(performance.now() - t); } ts.sort((a, b) => a - b); console.log(n.padEnd(40), 'min', ts[0]!.toFixed(1), 'median', ts[4]!.toFixed(1)); };
const R = (...s: number[]) => tf.randomNormal(s) as tf.Tensor;
const one = (t: tf.Tensor) => tf.slice(tf.reshape(t, [-1]), 0, 1);
const gelu2 = (x: tf.Tensor) => tf.customGrad(((x: tf.Tensor, save: (t: tf.Tensor[]) => void) => {
  const cdf = tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5); save([x, cdf]);
  return { value: tf.mul(x, cdf), gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => { const [x, cdf] = saved as [tf.Tensor, tf.Tensor];
    return tf.mul(dy, tf.add(cdf, tf.mul(x, tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))))); } };
}) as never)(x) as tf.Tensor;
const ln2 = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor, epsilon: number) => tf.customGrad(((x: tf.Tensor, save: (t: tf.Tensor[]) => void) => {
  const centred = tf.sub(x, tf.mean(x, -1, true)); const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon)); const n = tf.mul(centred, inverse); save([n, inverse]);
  return { value: tf.add(tf.mul(n, weight), bias), gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => { const [n, inverse] = saved as [tf.Tensor, tf.Tensor]; const g = tf.mul(dy, weight);
    return tf.mul(inverse, tf.sub(tf.sub(g, tf.mean(g, -1, true)), tf.mul(n, tf.mean(tf.mul(g, n), -1, true)))); } };
}) as never)(x) as tf.Tensor;
test('perf', async () => {
  await startEngine({ backend: 'tensorflow' });
  const x = R(2056, 384), h = R(2056, 1536), b = R(384) as tf.Tensor1D;
  const g = (f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor) => one(tf.grad((x: tf.Tensor) => tf.sum(f(x)))(x));
  timed('gelu fwd', () => one(gelu(h))); timed('gelu2 fwd', () => one(gelu2(h)));
  timed('gelu fwd+bwd', () => g(gelu, h)); timed('gelu2 fwd+bwd', () => g(gelu2, h));
  const ln = (x: tf.Tensor) => layerNorm(x, { weight: b, bias: b, epsilon: 1e-6 });
  timed('ln fwd+bwd', () => g(ln, x)); timed('ln2 fwd+bwd', () => g((x) => ln2(x, b, b, 1e-6), x));
  const s = R(8, 6, 257, 257); timed('softmax fwd', () => one(tf.softmax(s))); timed('softmax f+b', () => g(tf.softmax, s));
  const d = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0];
  const w = R(2056, 384), wh = R(2056, 1536);
  console.log('min diffs', d(gelu(h), gelu2(h)), d(tf.grad((x) => tf.sum(tf.mul(gelu(x), wh)))(h), tf.grad((x) => tf.sum(tf.mul(gelu2(x), wh)))(h)), d(tf.grad((x) => tf.sum(tf.mul(ln(x), w)))(x), tf.grad((x) => tf.sum(tf.mul(ln2(x, b, b, 1e-6), w)))(x)));
}, 300000);
