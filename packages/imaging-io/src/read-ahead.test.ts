import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readAhead } from './read-ahead.js';

test('results come in order though reads end in any order, a few at a time', async () => {
  let [running, most] = [0, 0];
  const read = async (delay: number) => {
    most = Math.max(most, ++running);
    await wait(delay);
    running -= 1;
    return delay;
  };
  const delays = [20, 1, 15, 1, 10, 1, 5];
  const results: number[] = [];
  for await (const result of readAhead(delays, read)) results.push(result);
  expect(results).toEqual(delays);
  expect(most).toBe(4);
});

test('an error is raised in its turn', async () => {
  const seen: number[] = [];
  const all = async () => {
    const read = async (item: number) => {
      if (item > 1) throw new Error(`item ${item}`);
      return item;
    };
    for await (const item of readAhead([0, 1, 2, 3], read)) seen.push(item);
  };
  await expect(all()).rejects.toThrow('item 2');
  expect(seen).toEqual([0, 1]);
});
