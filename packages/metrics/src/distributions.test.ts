import { expect, test } from 'vitest';
import golden from './__fixtures__/golden.json' with { type: 'json' };
import { chiSquareUpperTail, normalQuantile, normalTwoSided, studentTwoSided } from './distributions.js';

// scipy's own relative error is about 1e-14; 1e-12 relative keeps tails of 1e-19 honest.
const relative = (actual: number, expected: number) =>
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-12 * Math.abs(expected) + 1e-300);

test.each(golden.normalTwoSided)('normal two-sided tail at %f', (z, p) => relative(normalTwoSided(z!), p!));
test.each(golden.normalQuantile)('normal quantile of %f', (p, z) => relative(normalQuantile(p!), z!));
test.each(golden.chiSquare)('chi-square %f, df %f', (x, df, p) => relative(chiSquareUpperTail(x!, df!), p!));
test.each(golden.student)('Student t %f, df %f', (t, df, p) => relative(studentTwoSided(t!, df!), p!));
