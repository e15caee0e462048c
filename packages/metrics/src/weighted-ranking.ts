import type { Values } from './check-input.js';
import { prAuc } from './pr-auc.js';
import { rocAuc } from './roc-auc.js';

/** Cases sorted once, highest score first, so that each resample is one pass over counts instead of a sort. */
export interface Ranking {
  order: Uint32Array;
  /** endsTie[k] is 1 when case order[k] is the last of its score */
  endsTie: Uint8Array;
  /** of case order[k] */
  labels: Uint8Array;
  /** whether any two cases have the same score */
  tied: boolean;
}

export function rank(labels: Values, scores: Values): Ranking {
  const order = Uint32Array.from({ length: labels.length }, (_, i) => i).sort(
    (a, b) => scores[b]! - scores[a]!,
  );
  const endsTie = new Uint8Array(order.length).map((_, k) =>
    k + 1 === order.length || scores[order[k]!] !== scores[order[k + 1]!] ? 1 : 0,
  );
  return {
    order,
    endsTie,
    labels: Uint8Array.from(order, (index) => labels[index]!),
    tied: endsTie.includes(0),
  };
}

/** The statistic of a resample given how often each case was drawn; undefined when only one class was drawn. */
export type CountedStatistic = (ranking: Ranking, counts: Uint32Array) => number | undefined;

/** Rank statistics that need no sort a resample. Any other statistic is computed on the resampled arrays. */
export const countedStatistics = new Map<unknown, CountedStatistic>([
  [rocAuc, countedRocAuc],
  [prAuc, countedPrAuc],
]);

function countedRocAuc(ranking: Ranking, counts: Uint32Array): number | undefined {
  return ranking.tied ? tiedRocAuc(ranking, counts) : untiedRocAuc(ranking, counts);
}

/** Without a branch in the loop, which labels in order of score would send the wrong way every other time. */
function untiedRocAuc({ order, labels }: Ranking, counts: Uint32Array): number | undefined {
  let positives = 0;
  let drawn = 0;
  let wins = 0;
  for (let k = 0; k < order.length; k++) {
    const count = counts[order[k]!]!;
    const positive = labels[k]! * count;
    wins += (count - positive) * positives;
    positives += positive;
    drawn += count;
  }
  const negatives = drawn - positives;
  return positives === 0 || negatives === 0 ? undefined : wins / (positives * negatives);
}

function tiedRocAuc({ order, endsTie, labels }: Ranking, counts: Uint32Array): number | undefined {
  let positives = 0;
  let negatives = 0;
  let tiedPositives = 0;
  let tiedNegatives = 0;
  let wins = 0;
  for (let k = 0; k < order.length; k++) {
    const count = counts[order[k]!]!;
    const positive = labels[k]! * count;
    tiedPositives += positive;
    tiedNegatives += count - positive;
    if (endsTie[k] === 1) {
      wins += tiedNegatives * (positives + tiedPositives / 2);
      positives += tiedPositives;
      negatives += tiedNegatives;
      tiedPositives = 0;
      tiedNegatives = 0;
    }
  }
  return positives === 0 || negatives === 0 ? undefined : wins / (positives * negatives);
}

function countedPrAuc({ order, endsTie, labels }: Ranking, counts: Uint32Array): number | undefined {
  let positives = 0;
  let predicted = 0;
  let tiedPositives = 0;
  let sum = 0;
  for (let k = 0; k < order.length; k++) {
    const count = counts[order[k]!]!;
    predicted += count;
    tiedPositives += labels[k]! * count;
    if (endsTie[k] === 1 && tiedPositives > 0) {
      positives += tiedPositives;
      sum += tiedPositives * (positives / predicted);
      tiedPositives = 0;
    }
  }
  return positives === 0 || predicted === positives ? undefined : sum / positives;
}
