import type { WeightData, WeightTensor } from '@onco-response/weights';
import { bareName, isUnused, type Names, type Naming, nameIn, namesOf } from './checkpoint-names.js';
import { EncoderError } from './encoder-error.js';
import { type Slot, slotsOf } from './slots.js';
import type { VitConfig } from './vit-config.js';

export interface StateDict {
  /** A tensor for every slot of the configuration. */
  readonly tensors: ReadonlyMap<Slot, WeightTensor>;
  /** Who named the tensors, as far as can be told. */
  readonly naming: Naming;
}

/** The slots that a tensor of this name holds, in the order of its rows: one, or several where layers are fused. */
export function slotsByName(names: Names, slots: readonly Slot[]): Map<string, Slot[]> {
  const found = new Map<string, Slot[]>();
  for (const slot of slots) {
    const name = nameIn(names, slot, slot.field);
    if (name === undefined) continue;
    const bare = bareName(name);
    found.set(bare, [...(found.get(bare) ?? []), slot]);
  }
  return found;
}

/**
 * The checkpoint's tensors by slot, exactly those that the configuration asks for; fused tensors are cut.
 *
 * @throws EncoderError MISSING_KEYS, UNEXPECTED_KEYS or SHAPE_MISMATCH, each naming the keys
 */
export function strictStateDict(config: VitConfig, weights: ReadonlyMap<string, WeightTensor>): StateDict {
  const slots = slotsOf(config);
  const namings = Object.entries(namesOf(config)).map(
    ([naming, names]) => [naming as Naming, slotsByName(names, slots)] as const,
  );
  const tensors = new Map<Slot, WeightTensor>();
  const unexpected: string[] = [];
  const counts: Record<Naming, number> = { hub: 0, transformers5: 0, original: 0 };
  for (const [name, tensor] of weights) {
    const bare = bareName(name);
    const held = namings.find(([, bySlot]) => bySlot.has(bare))?.[1].get(bare);
    if (!held || held.some((slot) => tensors.has(slot))) {
      // transformers saves even a table of no registers.
      if (!isUnused(bare) && !tensor.shape.includes(0)) unexpected.push(name);
      continue;
    }
    for (const [naming, bySlot] of namings) if (bySlot.has(bare)) counts[naming]++;
    for (const [slot, part] of cutRows(name, tensor, held)) tensors.set(slot, part);
  }
  const hub = namesOf(config).hub!;
  const missing = [
    ...new Set(slots.filter((slot) => !tensors.has(slot)).map((slot) => nameIn(hub, slot, slot.field)!)),
  ];
  const list = (names: readonly string[]) => names.slice(0, 8).join(', ') + (names.length > 8 ? ', ...' : '');
  if (missing.length > 0) {
    const also = unexpected.length > 0 ? ` Not known: ${list(unexpected)}.` : '';
    const message = `Weights: ${missing.length} of the tensors of a ${config.model_type} are missing: ${list(missing)}.${also} Do weights and config.json belong together?`;
    throw new EncoderError({ code: 'MISSING_KEYS', message });
  }
  if (unexpected.length > 0) {
    const message = `Weights: ${unexpected.length} tensors that the configuration does not know (or knows twice): ${list(unexpected)}.`;
    throw new EncoderError({ code: 'UNEXPECTED_KEYS', message });
  }
  const best = Math.max(...Object.values(counts));
  const naming = (['hub', 'transformers5', 'original'] as const).find((name) => counts[name] === best)!;
  return { tensors, naming };
}

/** Cuts a tensor into as many equal stacks of rows as there are slots. */
export function cutRows(
  name: string,
  { dtype, shape, data }: WeightTensor,
  slots: readonly Slot[],
): [Slot, WeightTensor][] {
  const wanted = [slots.reduce((rows, slot) => rows + (slot.shape[0] ?? 1), 0), ...slots[0]!.shape.slice(1)];
  if (shape.length !== wanted.length || !shape.every((size, axis) => size === wanted[axis])) {
    const message = `Weights: ${bareName(name)} has the shape [${shape.join(', ')}], config.json asks for [${wanted.join(', ')}].`;
    throw new EncoderError({ code: 'SHAPE_MISMATCH', message });
  }
  const size = data.length / slots.length;
  return slots.map((slot, index) => {
    const rows = data.subarray(index * size, (index + 1) * size) as WeightData;
    return [slot, { dtype, shape: slot.shape, data: rows }];
  });
}
