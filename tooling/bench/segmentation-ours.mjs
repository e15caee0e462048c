/** Our side of `pnpm bench segmentation`. Answers one line a command, see bench-segmentation.mjs. */
import { createInterface } from 'node:readline';
import { conv3d, conv3dTranspose, instanceNorm3d, RandomStream, startEngine } from '@onco-response/engine';
import { readArchitecture, UNet } from '@onco-response/segmentation';
import * as tf from '@tensorflow/tfjs-core';

const [threads, shape] = [Number(process.argv[2]), JSON.parse(process.argv[3])];
const { kind, size, channels, kernel, strides = [1, 1, 1], dilations = [1, 1, 1] } = shape;
const engine = await startEngine({ backend: 'tensorflow', threads });
const [inputs, outputs] = channels;
const work = kind === 'network' ? wholeNetwork() : oneLayer();

function oneLayer() {
  const x = tf.randomNormal([1, ...size, inputs]);
  const ends = kind === 'transposed' ? [outputs, inputs] : [inputs, outputs];
  const filter = tf.randomNormal([...kernel, ...ends], 0, 0.05);
  const [scale, shift] = [tf.ones([outputs]), tf.zeros([outputs])];
  const layer = {
    convolution: (input, weight) => conv3d(input, weight, undefined, { strides, dilations }),
    transposed: (input, weight) => conv3dTranspose(input, weight, undefined, { strides }),
    norm: (input) => instanceNorm3d(input, scale, shift, { negativeSlope: 0.01 }),
  }[kind];
  const dy = tf.tidy(() => tf.ones(layer(x, filter).shape));
  // nothing is lazy on this backend, and copying the result out is no part of either side
  return {
    forward: () => tf.dispose(layer(x, filter)),
    step: () => tf.dispose(tf.grads(layer)(kind === 'norm' ? [x] : [x, filter], dy)),
  };
}

/** A step is deep supervision's logits to a loss, gradients, and SGD with Nesterov's momentum as nnU-Net takes it. */
function wholeNetwork() {
  const network = new UNet(
    readArchitecture(shape.configuration),
    inputs,
    outputs,
    new RandomStream(0, 'bench'),
  );
  const patch = tf.randomNormal([shape.batch, ...size, inputs]);
  const optimizer = tf.train.momentum(0.01, 0.99, true);
  const loss = () => tf.addN(network.deepSupervision(patch).map((logits) => tf.mean(tf.square(logits))));
  return {
    forward: () => tf.dispose(network.forward(patch)),
    step: () => tf.dispose(optimizer.minimize(loss, true, network.variables())),
  };
}

console.log(JSON.stringify({ ready: engine.library }));
for await (const command of createInterface({ input: process.stdin })) {
  if (command === 'peak') {
    console.log(JSON.stringify({ peakMb: process.resourceUsage().maxRSS / 1024 }));
    continue;
  }
  const start = performance.now();
  work[command]();
  console.log(JSON.stringify({ milliseconds: performance.now() - start }));
}
process.exit();
