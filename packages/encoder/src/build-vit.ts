import { toFloat32, type WeightTensor } from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import type { Attention } from './attention.js';
import type { Block } from './block.js';
import { layerName, namesOf, type Part } from './checkpoint-names.js';
import { FAMILIES } from './families.js';
import type { LayerNorm } from './layer-norm.js';
import type { Linear } from './linear.js';
import type { Mlp } from './mlp.js';
import { type Parameter, parameterOf } from './parameter.js';
import { patchMatrix } from './patch-embedding.js';
import type { Slot } from './slots.js';
import type { LinearPlace, VitParts } from './vit.js';
import type { VitConfig } from './vit-config.js';

/** Makes the tensors of an encoder from its checkpoint's: what one slot holds is what one layer computes with. */
export function buildVit(
  config: VitConfig,
  stateDict: ReadonlyMap<Slot, WeightTensor>,
): Pick<
  VitParts,
  'patches' | 'leading' | 'positions' | 'preNorm' | 'blocks' | 'norm' | 'head' | 'linears' | 'parameters'
> {
  const { hidden_size: width, num_attention_heads: heads, layer_norm_eps: epsilon } = config;
  const family = FAMILIES[config.model_type];
  const names = namesOf(config);
  const slots = new Map(
    [...stateDict.keys()].map((slot) => [`${slot.part} ${slot.block} ${slot.field}`, slot]),
  );
  const slotOf = (part: Part, field: Slot['field'], block?: number) => slots.get(`${part} ${block} ${field}`);
  const values = (slot: Slot) => toFloat32(stateDict.get(slot)!).slice(); // tensors may not share the file's memory
  const parameters: Parameter[] = [];
  const linears: LinearPlace[] = [];

  const vector = (part: Part, field: Slot['field'], block?: number): tf.Tensor1D | undefined => {
    const slot = slotOf(part, field, block);
    return slot && tf.tensor1d(values(slot));
  };
  const track = <Field extends string>(
    owner: { readonly [field in Field]?: tf.Tensor | undefined },
    field: Field,
    slot: Slot | undefined,
  ) => {
    if (slot) parameters.push(parameterOf(slot, owner, field));
  };
  const norm = (part: Part, block?: number): LayerNorm => {
    const layer = { weight: vector(part, 'weight', block)!, bias: vector(part, 'bias', block)!, epsilon };
    track(layer, 'weight', slotOf(part, 'weight', block));
    track(layer, 'bias', slotOf(part, 'bias', block));
    return layer;
  };
  const linear = (part: Part, block?: number): Linear => {
    const slot = slotOf(part, 'weight', block)!;
    const layer: Linear = {
      name: layerName(names, slot),
      weight: tf.tensor2d(values(slot), slot.shape as [number, number]),
      bias: vector(part, 'bias', block),
    };
    track(layer, 'weight', slot);
    track(layer, 'bias', slotOf(part, 'bias', block));
    linears.push({ layer, part, block });
    return layer;
  };
  const mlp = (gate: Part | undefined, fc1: Part, fc2: Part, block?: number): Mlp => ({
    gate: gate && slotOf(gate, 'weight', block) ? linear(gate, block) : undefined,
    fc1: linear(fc1, block),
    fc2: linear(fc2, block),
    activation: config.hidden_act,
  });

  const patchBias = slotOf('patches', 'bias');
  const kernel = slotOf('patches', 'weight')!;
  const patches = {
    weight: tf.tidy(() =>
      patchMatrix(tf.tensor4d(values(kernel), kernel.shape as [number, number, number, number])),
    ),
    bias: vector('patches', 'bias'),
    patchSize: config.patch_size,
  };
  track(patches, 'bias', patchBias);
  const preNorm = family.preNorm ? norm('preNorm') : undefined;
  const blocks = Array.from({ length: config.num_hidden_layers }, (_, block): Block => {
    const norm1 = norm('norm1', block);
    const attention: Attention = {
      query: linear('query', block),
      key: linear('key', block),
      value: linear('value', block),
      output: linear('output', block),
      heads,
    };
    const scale1 = vector('scale1', 'value', block);
    const norm2 = norm('norm2', block);
    const layers: Block = {
      norm1,
      attention,
      scale1,
      norm2,
      mlp: mlp('gate', 'fc1', 'fc2', block),
      scale2: vector('scale2', 'value', block),
    };
    track(layers, 'scale1', slotOf('scale1', 'value', block));
    track(layers, 'scale2', slotOf('scale2', 'value', block));
    return layers;
  });
  const finalNorm = norm('norm');
  const head = config.pooling_head
    ? {
        probe: tf.tensor3d(values(slotOf('probe', 'value')!), [1, 1, width]),
        attention: {
          query: linear('headQuery'),
          key: linear('headKey'),
          value: linear('headValue'),
          output: linear('headOutput'),
          heads,
        },
        norm: norm('headNorm'),
        mlp: mlp(undefined, 'headFc1', 'headFc2'),
      }
    : undefined;
  if (head) track(head, 'probe', slotOf('probe', 'value'));

  // The places of class and distillation token are the table's first rows: added here once, since they never change.
  const placed = family.placedTokens.map((part) => values(slotOf(part, 'value')!));
  const positions = slotOf('positions', 'value');
  const table = positions ? values(positions) : undefined;
  if (table) {
    for (const [row, token] of placed.entries())
      token.forEach((value, at) => {
        token[at] = value + table[row * width + at]!;
      });
  }
  const registers = slotOf('registers', 'value');
  const leading = [...placed.flatMap((token) => [...token]), ...(registers ? values(registers) : [])];
  const grid = table?.subarray(placed.length * width);
  return {
    patches,
    leading: leading.length > 0 ? tf.tensor3d(leading, [1, leading.length / width, width]) : undefined,
    positions: grid && {
      table: grid,
      side: Math.sqrt(grid.length / width),
      width,
      resizing: {
        antialias: family.positions === 'antialiased table',
        offset: family.positions === 'table' ? config.interpolate_offset : 0,
      },
      resized: new Map<string, Float32Array>(),
    },
    preNorm,
    blocks,
    norm: finalNorm,
    head,
    linears,
    parameters,
  };
}
