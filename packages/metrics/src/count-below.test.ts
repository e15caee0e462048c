import { expect, test } from 'vitest';
import { belowCounter } from './count-below.js';
import { seededRandom } from './seeded-random.js';

const random = seededRandom(4);
const draw = (size: number, value: () => number) => Float64Array.from({ length: size }, value);
const sets: [string, Float64Array][] = [
  ['even', draw(200, random)],
  ['ties', draw(200, () => Math.floor(8 * random()))],
  ['all alike', draw(20, () => 0.1)],
  ['one', draw(1, random)],
  ['crowded at one end', draw(200, () => random() ** 40)],
  ['beyond what a range can hold', Float64Array.from([-1.7e308, -1, 0, 1, 1.7e308])],
  ['no range to speak of', Float64Array.from([0, 5e-324, 1e-323, 1e-323])],
  ['neighbours', Float64Array.from([1, 1 + 2 ** -52, 1 + 2 ** -51, 1 + 2 ** -51])],
  ['signed zeros', Float64Array.from([-1, -0, 0, 0, 2])],
];

test.each(sets)('counts as comparing with each value does: %s', (_, values) => {
  const below = belowCounter(values.slice().sort());
  const asked = [
    ...values,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    0,
    -0,
    0.5,
    1,
    5e-324,
    ...Array.from({ length: 50 }, () => 3 * random() - 1),
  ];
  for (const value of asked) {
    const expected = values.reduce((sum, each) => sum + (each < value ? 1 : each === value ? 0.5 : 0), 0);
    expect(below(value), `${value}`).toBe(expected);
  }
});
