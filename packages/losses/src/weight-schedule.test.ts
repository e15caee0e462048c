import { expect, test } from 'vitest';
import { weightSchedule } from './index.js';

const at = (schedule: (epoch: number) => number, epochs: number[]) =>
  epochs.map((epoch) => Number(schedule(epoch).toFixed(6)));

test('a constant weight jumps at its start', () => {
  expect(at(weightSchedule({ kind: 'constant', to: 0.5 }), [0, 1, 99])).toEqual([0.5, 0.5, 0.5]);
  expect(at(weightSchedule({ kind: 'constant', from: 0.1, to: 0.5, startEpoch: 3 }), [0, 2, 3, 4])).toEqual([
    0.1, 0.1, 0.5, 0.5,
  ]);
});

test('a linear one goes there in equal steps', () => {
  const schedule = weightSchedule({ kind: 'linear', from: 1, to: 0.2, startEpoch: 2, epochs: 4 });
  expect(at(schedule, [0, 2, 3, 4, 5, 6, 100])).toEqual([1, 1, 0.8, 0.6, 0.4, 0.2, 0.2]);
  expect(schedule(6)).toBe(0.2); // exactly, however the steps round
});

test('a cosine one starts and ends gently', () => {
  const schedule = weightSchedule({ kind: 'cosine', to: 1, startEpoch: 1, epochs: 4 });
  const quarter = (1 - Math.SQRT1_2) / 2;
  expect(at(schedule, [0, 1, 2, 3, 4, 5, 50])).toEqual(
    [0, 0, quarter, 0.5, 1 - quarter, 1, 1].map((weight) => Number(weight.toFixed(6))),
  );
});

test('wrong options are refused', () => {
  const options = expect.objectContaining({ code: 'OPTIONS' });
  expect(() => weightSchedule({ kind: 'step' as 'linear', to: 1 })).toThrow(options);
  expect(() => weightSchedule({ kind: 'linear', to: -1 })).toThrow(options);
  expect(() => weightSchedule({ kind: 'linear', to: 1, epochs: 0 })).toThrow(options);
  expect(() => weightSchedule({ kind: 'linear', to: Number.NaN })).toThrow(options);
  expect(() => weightSchedule({ kind: 'linear', to: 1 })(Number.NaN)).toThrow(options);
});
