import { rocAuc } from '@onco-response/metrics';
import { describe, expect, test } from 'vitest';
import { madeUpRandom } from './__fixtures__/made-up-report.js';
import { analyseDecisions, decisionThresholds } from './analyse-decisions.js';
import { groupValues } from './group-values.js';
import { analyseSubgroups, compareBaselines, equalisedOdds, ReportError } from './index.js';

const bootstrap = { resamples: 200, seed: 5, level: 0.95 };

describe('groups of a column', () => {
  const groups = (values: (string | number | null)[], more = {}) =>
    groupValues({ name: 'x', values, ...more }).groups;
  test('text is sorted, order may be given, what is not known comes last', () => {
    expect(groups(['b', 'a', null, ''])).toEqual(['a', 'b', 'not known']);
    expect(groups(['b', 'a', 'c'], { order: ['c', 'z'] })).toEqual(['c', 'a', 'b']);
  });
  test('few numbers are groups in their order, many are ranges', () => {
    expect(groups([10, 9, 9])).toEqual(['9', '10']);
    expect(groups(Array.from({ length: 9 }, (_, i) => i))).toEqual(['< 2', '2 to < 5', '\u2265 5']);
    expect(groupValues({ name: 'age', values: [49, 50, 65, 80], cuts: [50, 65] }).ofCase).toEqual([
      '< 50',
      '50 to < 65',
      '\u2265 65',
      '\u2265 65',
    ]);
  });
  test('cuts that do not rise and numbers that are none', () => {
    for (const column of [{ values: [1, 2], cuts: [3, 3] }, { values: [1, Number.NaN] }]) {
      expect(() => groupValues({ name: 'x', ...column })).toThrow(ReportError);
    }
  });
});

describe('analyseSubgroups', () => {
  const random = madeUpRandom(8);
  const labels = Array.from({ length: 240 }, (_, i) => i % 2);
  const scores = labels.map((label) =>
    Math.min(0.999, Math.max(0.001, 0.5 + 0.4 * (label - 0.5) + 0.6 * (random() - 0.5))),
  );
  const group = labels.map((_, i) => (i < 100 ? 'a' : i < 230 ? 'b' : 'c'));
  const result = analyseSubgroups(
    labels,
    scores,
    { name: 'group', values: group },
    { threshold: 0.5, bootstrap },
  );
  test('each group is measured on its own cases', () => {
    const [a, , c] = result.groups;
    expect(a!.rocAuc!.estimate).toBe(rocAuc(labels.slice(0, 100), scores.slice(0, 100)));
    expect(a!.sensitivity!.total).toBe(50);
    expect(c).toMatchObject({
      group: 'c',
      cases: 10,
      positives: 5,
      tooFew: '10 cases, fewer than 20',
      rocAuc: null,
    });
  });
  test('two measured groups are one comparison seen from both sides', () => {
    const [a, b] = result.groups;
    expect(a!.againstRest!.difference).toBeCloseTo(-b!.againstRest!.difference, 12);
    expect(a!.againstRest!.adjustedP).toBe(a!.againstRest!.p);
  });
  test('a class that is too small is too few, whatever the minimum says', () => {
    const one = analyseSubgroups(
      labels,
      scores,
      { name: 'label', values: labels },
      { threshold: 0.5, bootstrap, minimum: { cases: 1, perClass: 0 } },
    );
    expect(one.groups.map(({ tooFew }) => tooFew)).toEqual([
      '0 positive, fewer than 1',
      '0 negative, fewer than 1',
    ]);
    expect(one.equalisedOdds).toBeNull();
    expect(one.notDefined.equalisedOdds).toMatch(/No group reaches/);
  });
  test('a column of another length', () => {
    expect(() =>
      analyseSubgroups(labels, scores, { name: 'x', values: ['a'] }, { threshold: 0.5, bootstrap }),
    ).toThrow(/1 values for 240 cases/);
  });
});

describe('equalisedOdds', () => {
  // Group a: 3 of 4 positives called, 1 of 4 negatives. Group b: 1 of 4, 2 of 4. Gaps 0.5 and 0.25.
  const labels = [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0];
  const calls = [1, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0];
  const groups = labels.map((_, i) => (i < 8 ? 'a' : 'b'));
  test('by hand', () => {
    const odds = equalisedOdds(labels, calls, groups, { bootstrap });
    expect(odds).toMatchObject({ sensitivityGap: 0.5, falsePositiveGap: 0.25, between: ['a', 'b'] });
    expect(odds.gap.estimate).toBe(0.5);
    expect(odds.gap.lower).toBeLessThanOrEqual(0.5);
    expect(odds.gap.discarded).toBeGreaterThan(0); // four cases a class and group: some resamples leave one empty
  });
  test('groups that make no difference have a gap like that of chance', () => {
    const random = madeUpRandom(2);
    const many = Array.from({ length: 400 }, (_, i) => i % 2);
    const odds = equalisedOdds(
      many,
      many.map(() => Number(random() < 0.5)),
      many.map(() => (random() < 0.5 ? 'a' : 'b')),
      { bootstrap },
    );
    expect(odds.byChance!.p).toBeGreaterThan(0.01);
    expect(odds.byChance!.mean).toBeGreaterThan(0.02);
  });
  test('groups are exchanged between patients, not between their cases', () => {
    const clusters = labels.map((_, i) => `p${Math.floor(i / 2)}`);
    expect(equalisedOdds(labels, calls, groups, { bootstrap, clusters }).byChance).not.toBeNull();
    const mixed = labels.map((_, i) => `p${i % 8}`);
    expect(equalisedOdds(labels, calls, groups, { bootstrap, clusters: mixed }).notDefined.byChance).toMatch(
      /cannot be exchanged/,
    );
  });
});

describe('decisions', () => {
  test('by hand: 2 true and 1 false positive in 6 at odds 1/4', () => {
    const labels = [1, 1, 1, 0, 0, 0];
    const { shown } = analyseDecisions(
      labels,
      [0.9, 0.6, 0.1, 0.3, 0.15, 0.05],
      { from: 0.1, to: 0.4, shown: [0.2] },
      { bootstrap },
    );
    expect(shown[0]!.netBenefit.estimate).toBeCloseTo(2 / 6 - 0.25 / 6, 12);
    expect(shown[0]!.treatAll).toBeCloseTo(0.5 - 0.125, 12);
    expect(shown[0]!.gain.estimate).toBeCloseTo(shown[0]!.netBenefit.estimate - 0.375, 12);
    expect(shown[0]!.avoidedPer100.estimate).toBeCloseTo(
      (100 * (shown[0]!.netBenefit.estimate - 0.375)) / 0.25,
      9,
    );
  });
  test('thresholds', () => {
    expect(decisionThresholds({}).shown).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
    expect(decisionThresholds({ from: 0.1, to: 0.3, step: 0.1 }).thresholds).toEqual([0.1, 0.2, 0.3]);
    expect(() => decisionThresholds({ from: 0.5, to: 0.4 })).toThrow(ReportError);
    expect(() => decisionThresholds({ from: 0, to: 0.4 })).toThrow(ReportError);
  });
});

test('compareBaselines adjusts by Holm and counts who was right', () => {
  const labels = [1, 1, 1, 1, 0, 0, 0, 0];
  const model = [0.9, 0.8, 0.7, 0.4, 0.6, 0.3, 0.2, 0.1];
  const one = [0.6, 0.9, 0.3, 0.2, 0.8, 0.1, 0.4, 0.7];
  const two = [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.4];
  const [a, b] = compareBaselines(
    labels,
    model,
    [
      { name: 'one', scores: one },
      { name: 'two', scores: two },
    ],
    { threshold: 0.5, bootstrap },
  );
  const [low, high] = [a!, b!].sort((x, y) => x.delong!.p - y.delong!.p);
  expect(low!.adjustedP).toBeCloseTo(Math.min(1, 2 * low!.delong!.p), 12);
  expect(high!.adjustedP).toBeCloseTo(Math.max(low!.adjustedP!, high!.delong!.p), 12);
  // the model is wrong on cases 3 and 4; baseline one on 2, 3, 4 and 7
  expect(a!.mcnemar).toMatchObject({ onlyA: 2, onlyB: 0 + 0 });
});
