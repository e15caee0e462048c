import { readFileSync } from 'node:fs';
import { sharedData } from '@onco-response/tooling-vitest/data';
import { expect, test } from 'vitest';
import golden from './__fixtures__/survival-sts.json' with { type: 'json' };
import * as metrics from './index.js';

/** Real follow-up of 51 patients with soft-tissue sarcoma, against lifelines and scikit-survival (metrics_survival_sts.py). */
const file = sharedData('sts', 'clinical_outcomes.csv');

test.skipIf(!file)('survival of soft-tissue sarcoma is that of lifelines and scikit-survival', () => {
  const [head, ...lines] = readFileSync(file!, 'utf8').trim().split(/\r?\n/);
  const columns = head!.split(',');
  // The one quoted field holds commas and is not needed.
  const rows = lines.map((line) => line.replace(/"[^"]*"/, '').split(','));
  const column = (name: string) => rows.map((row) => row[columns.indexOf(name)]!);
  const times = column('time_days').map(Number);
  const events = column('event').map(Number);
  const grades = column('grade');
  const steps = new Map([
    ['Low', 0],
    ['High', 2],
  ]);
  const risks = column('age').map((age, i) => Number(age) + 20 * (steps.get(grades[i]!) ?? 1));
  expect([times.length, events.filter((event) => event === 1).length]).toEqual([51, 27]);

  sameCurve(metrics.kaplanMeier(times, events), golden.kaplanMeier);
  const high = <T>(values: T[]) => values.filter((_, i) => grades[i] === 'High');
  sameCurve(metrics.kaplanMeier(high(times), high(events)), golden.highGrade);

  const { statistic, p } = metrics.logRank(times, events, grades);
  near([statistic, p], [golden.logRank.statistic, golden.logRank.p]);
  near([metrics.concordanceIndex(times, events, risks)], [golden.harrell]);
  near([metrics.unoConcordance(times, events, risks, { tau: 1440 })], [golden.uno]);

  const survival = risks.map((risk) =>
    golden.grid.map((day) => Math.exp((-day * Math.exp((risk - 90) / 40)) / 1500)),
  );
  near(metrics.survivalBrierScore(times, events, survival, golden.grid), golden.brier);
  near([metrics.integratedBrierScore(times, events, survival, golden.grid)], [golden.integratedBrier]);
});

function sameCurve(actual: metrics.KaplanMeier, expected: typeof golden.kaplanMeier): void {
  expect(actual.times).toEqual(expected.times);
  near(actual.survival, expected.survival);
  near(actual.lower.slice(1), expected.lower.slice(1));
  near(actual.upper.slice(1), expected.upper.slice(1));
  expect(actual.median).toBe(expected.median);
}

/** To 1e-9 of the value: both sides are float64 and only the order of sums differs. */
function near(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!), `${value} against ${expected[i]}`).toBeLessThanOrEqual(
      1e-9 * Math.max(1, Math.abs(expected[i]!)),
    );
  });
}
