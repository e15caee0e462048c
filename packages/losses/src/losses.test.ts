import { startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { focalLoss, hardNegativeLoss, supConLoss } from './index.js';
beforeAll(async () => { await startEngine({ backend: 'cpu' }); });
test('q', () => {
  const F = tf.tensor2d([[1,.2,-.3],[.5,.9,.1],[-.4,.7,.6],[.3,-.8,.5],[.9,.1,.4],[-.6,-.5,.2]]);
  const y=[1,1,0,0,1,0];
  console.log(supConLoss(F,y,{temperature:.07}).dataSync()[0],supConLoss(F,y,{temperature:.1,baseTemperature:.07}).dataSync()[0]);
  for (const beta of [0,.5,1]) console.log(hardNegativeLoss(F,y,{mode:'reweight',temperature:.5,beta}).dataSync()[0]);
  for (const mode of ['topk','batchHardTriplet','reweight'] as const) {
    const g = tf.grad((x: tf.Tensor) => hardNegativeLoss(x,y,{mode}))(F);
    console.log(mode, hardNegativeLoss(F,y,{mode}).dataSync()[0], g.arraySync());
  }
  console.log(tf.grad((x: tf.Tensor)=>supConLoss(x,y))(F).arraySync());
  expect(1).toBe(1);
});
