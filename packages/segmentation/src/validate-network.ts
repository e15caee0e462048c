import { countOf, type Shape3 } from './array-shape.js';
import type { SegmentationNetwork } from './network.js';
import { tilePredictor } from './network-tiles.js';
import { slideWindow } from './sliding-window.js';
import type { TrainingCases } from './training-case.js';

export interface Validation {
  /** Of the labels above 0 that a case or its prediction has: the mean Dice of the case; null where there is none. */
  readonly dice: readonly (number | null)[];
  /** Over the cases that have one. 0 where none has. */
  readonly meanDice: number;
}

/**
 * Segments whole cases on the network's grid by sliding window, without mirroring, and compares with their labels.
 * @param patch of the network, [d, h, w]; d is 1 in 2D
 * @param indices of the cases
 */
export async function validateNetwork(
  network: SegmentationNetwork,
  patch: Shape3,
  cases: TrainingCases,
  indices: readonly number[],
): Promise<Validation> {
  const { classes } = network;
  const predict = tilePredictor(network, patch, []);
  const dice: (number | null)[] = [];
  for (const index of indices) {
    const { shape, channels, labels } = await cases.load(index);
    const [both, either] = [new Float64Array(classes), new Float64Array(classes)];
    const plane = countOf(shape.slice(1));
    await slideWindow({
      channels,
      shape,
      tile: patch,
      dimensions: network.dimensions,
      classes,
      networks: [predict],
      step: 0.5,
      shareSum: false,
      onPlane(z, logits) {
        for (let at = 0; at < plane; at++) {
          let found = 0;
          for (let label = 1; label < classes; label++) {
            if (logits[at * classes + label]! > logits[at * classes + found]!) found = label;
          }
          const wanted = labels[z * plane + at]!;
          if (found === wanted) both[found]! += 1;
          either[found]! += 1;
          either[wanted]! += 1;
        }
      },
    });
    const each = [...either.keys()].slice(1).filter((label) => either[label]! > 0);
    const sum = each.reduce((total, label) => total + (2 * both[label]!) / either[label]!, 0);
    dice.push(each.length === 0 ? null : sum / each.length);
  }
  const known = dice.filter((value) => value !== null);
  return { dice, meanDice: known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length) };
}
