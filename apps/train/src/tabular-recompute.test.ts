import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bootstrapCi,
  bootstrapDifferenceCi,
  type CrossValidatedAuc,
  type CrossValidatedAucDifference,
  MetricsError,
} from '@onco-response/metrics';
import { sharedData } from '@onco-response/tooling-vitest/data';
import Papa from 'papaparse';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runTabular } from './tabular.js';
import type { TabularEvaluation } from './tabular-evaluation.js';

/**
 * Every number of a tabular report, once more, from predictions.csv alone and by the definitions: pairs of cases for AUC and
 * DeLong, sums over cases for the rest. Of `metrics` only the resampling is used, with the statistics written here.
 */
const folder = await mkdtemp(join(tmpdir(), 'onco-tabular-'));
afterAll(() => rm(folder, { recursive: true }));
const ispy2 = sharedData('ispy2', 'ispy2_clinical.csv');
const example = new URL('../examples/ispy2.yaml', import.meta.url);

/** Synthetic: 150 cases of 140 patients, with gaps, a category, and an outcome that age and volume decide. */
async function syntheticStudy(): Promise<string> {
  const random = lehmer(7);
  const rows = Array.from({ length: 150 }, (_, i) => {
    const [age, volume] = [Math.round(40 + 30 * random()), Math.exp(7 + 3 * random())];
    const stage = ['II', 'III', 'IV'][Math.floor(3 * random())];
    const response =
      random() < 1 / (1 + Math.exp(-(0.06 * (age - 55) + 0.8 * (Math.log(volume) - 8.5)))) ? 'yes' : 'no';
    return [`p${i % 140}`, random() < 0.1 ? '' : age, volume, stage, response].join(',');
  });
  await writeFile(join(folder, 'table.csv'), `who,age,volume,stage,response\n${rows.join('\n')}\n`);
  await writeFile(
    join(folder, 'study.yaml'),
    `name: synthetic patients
positiveClass: response
target: Whether a synthetic patient responds.
synthetic: true
table: table.csv
columns: { patient: who, label: response, positive: yes, negative: no }
derived: { log_volume: { logOfProduct: [volume] } }
folds: { folds: 3, repetitions: 2, innerFolds: 3, stratifyBy: [stage] }
regression: { missingIndicators: true }
models:
  - { name: "All, with volume", features: [age, stage, log_volume] }
  - { name: Clinical, features: [age, stage], role: clinicalOnly }
  - { name: Lesion volume only, features: [log_volume], role: volumeOnly }
subgroups: [{ column: stage }, { column: age, cuts: [55] }]
evaluation: { resamples: 200 }
`
      .replaceAll(': yes', ': "yes"')
      .replaceAll(': no }', ': "no" }'),
  );
  return join(folder, 'study.yaml');
}

/** The committed example on the real table, with fewer resamples than it asks for, to save a minute. */
async function realStudy(): Promise<string> {
  const text = (await readFile(example, 'utf8')).replace(/^table: .*$/m, `table: ${ispy2}`);
  await writeFile(join(folder, 'ispy2.yaml'), text.replace('resamples: 2000', 'resamples: 300'));
  return join(folder, 'ispy2.yaml');
}

const studies = [
  { name: 'synthetic patients', write: syntheticStudy, resamples: 200, seed: 0, skip: false },
  { name: 'I-SPY2', write: realStudy, resamples: 300, seed: 11, skip: !ispy2 },
];

describe.each(studies)('$name', ({ name, write, resamples, seed, skip }) => {
  const out = join(folder, name);
  let metrics: Found;
  let report: string;
  let models: Map<string, Pooled>;
  let main: Pooled;
  const options = () => ({
    resamples,
    seed,
    level: 0.95,
    stratified: true,
    ...(main.clusters && { clusters: main.clusters }),
  });

  beforeAll(async () => {
    if (skip) return;
    await runTabular(await write(), out);
    const [csv, json, html] = await Promise.all(
      ['predictions.csv', 'metrics.json', 'report.html'].map((file) => readFile(join(out, file), 'utf8')),
    );
    metrics = JSON.parse(json as string);
    report = html as string;
    models = pool(csv as string);
    [main] = models.values() as unknown as [Pooled];
  }, 300_000);

  test.skipIf(skip)('AUCs with intervals, thresholds, calibration of every model', () => {
    const printed = new Map(reportTable(report, 'models').map((row) => [row.model, row]));
    for (const model of metrics.models) {
      const { labels, scores, thresholds, rows } = models.get(model.name)!;
      near(model.rocAuc.estimate, auc(labels, scores));
      limits(
        model.rocAuc,
        bootstrapCi((l, s) => auc(l, s), labels, scores, options()),
      );
      limits(
        model.prAuc,
        bootstrapCi((l, s) => averagePrecision(l, s), labels, scores, options()),
      );
      const variance = delongVariance(labels, scores);
      near(model.delong.standardError, Math.sqrt(variance));
      near(model.delong.lower, auc(labels, scores) - 1.959963984540054 * Math.sqrt(variance));
      const calls = scores.map((score, i) => Number(score >= thresholds[i]!));
      near(model.threshold, mean(thresholds));
      const count = (label: number, call: number) =>
        calls.filter((each, i) => each === call && labels[i] === label).length;
      const [tp, fp, tn, fn] = [count(1, 1), count(0, 1), count(0, 0), count(1, 0)];
      expect(model.confusion).toEqual({ tp, fp, tn, fn });
      wilson(model.sensitivity, tp, tp + fn);
      wilson(model.specificity, tn, tn + fp);
      wilson(model.positivePredictiveValue, tp, tp + fp);
      wilson(model.negativePredictiveValue, tn, tn + fn);
      wilson(model.accuracy, tp + tn, labels.length);
      const rate = (l: number[], s: number[], label: number) =>
        s.filter((call, i) => l[i] === label && call === label).length /
        l.filter((each) => each === label).length;
      const balanced = (l: number[], s: number[]) => (rate(l, s, 1) + rate(l, s, 0)) / 2;
      limits(model.balancedAccuracy, bootstrapCi(balanced, labels, calls, options()));
      const f1 = (l: number[], s: number[]) =>
        (2 * dot(l, s)) / (l.reduce((a, b) => a + b, 0) + s.reduce((a, b) => a + b, 0));
      limits(model.f1Score, bootstrapCi(f1, labels, calls, options()));
      near(model.brierScore, mean(scores.map((score, i) => (score - labels[i]!) ** 2)));
      const { slope, intercept } = cox(labels, scores);
      near(model.calibration.slope, slope, 1e-7);
      near(model.calibration.intercept, intercept, 1e-7);
      near(model.calibration.calibrationInTheLarge, inTheLarge(labels, scores), 1e-7);
      const bins = tenBins(labels, scores);
      expect(model.calibrationBins.length).toBe(bins.length);
      near(
        model.expectedCalibrationError,
        bins.reduce(
          (sum, bin) => sum + (bin.count / labels.length) * Math.abs(bin.observed - bin.predicted),
          0,
        ),
      );
      bins.forEach((bin, i) => {
        expect(model.calibrationBins[i]).toMatchObject({ count: bin.count, positives: bin.positives });
        near(model.calibrationBins[i]!.predicted, bin.predicted);
      });
      near(model.withinFolds.auc, withinFolds(rows).auc);
      near(model.withinFolds.standardError, withinFolds(rows).standardError);
      // What the page's file says is what metrics.json says.
      const row = printed.get(model.name)!;
      for (const measure of ['rocAuc', 'prAuc', 'f1Score', 'balancedAccuracy'] as const) {
        expect(Number(row[measure])).toBe(model[measure].estimate);
        expect(Number(row[`${measure}Lower`])).toBe(model[measure].lower);
        expect(Number(row[`${measure}Upper`])).toBe(model[measure].upper);
      }
    }
    const bins = reportTable(report, 'calibration-bins');
    metrics.models[0]!.calibrationBins.forEach((bin, i) => {
      expect(Number(bins[i]!.observed)).toBe(bin.observed);
      expect(Number(bins[i]!.observedUpper)).toBe(bin.observedUpper);
    });
  });

  test.skipIf(skip)('DeLong, bootstrap, McNemar and Holm between the models', () => {
    const tests = metrics.comparisons.map((comparison) => {
      const other = models.get(comparison.name)!;
      const difference = auc(main.labels, main.scores) - auc(other.labels, other.scores);
      const z = difference / Math.sqrt(delongVariance(main.labels, main.scores, other.scores));
      near(comparison.delong.z, z, 1e-8);
      near(comparison.delong.p, twoSided(z), 1e-6);
      limits(
        comparison.difference,
        bootstrapDifferenceCi((l, s) => auc(l, s), main.labels, main.scores, other.scores, options()),
      );
      expect(comparison.mcnemar.onlyA).toBe(onlyRight(main, other));
      expect(comparison.mcnemar.onlyB).toBe(onlyRight(other, main));
      const within = withinFolds(main.rows, other.rows);
      near(comparison.withinFolds.difference, within.auc);
      near(comparison.withinFolds.z, within.auc / within.standardError, 1e-8);
      return comparison.delong.p;
    });
    // Two tests: the smaller p doubled, the larger at least that.
    const [low, high] = [Math.min(...tests), Math.max(...tests)];
    const adjusted = metrics.comparisons.map((each) => each.adjustedP).sort((x, y) => x - y);
    near(adjusted[0]!, Math.min(1, 2 * low));
    near(adjusted[1]!, Math.min(1, Math.max(2 * low, high)));
    for (const row of reportTable(report, 'baselines')) {
      const own = metrics.comparisons.find((each) => each.name === row.baseline)!;
      expect(Number(row.delongP)).toBe(own.delong.p);
      expect(Number(row.differenceLower)).toBe(own.difference.lower);
      expect(Number(row.holmP)).toBe(own.adjustedP);
    }
  });

  test.skipIf(skip)('the decision curve', () => {
    const benefit = (l: number[], s: number[], t: number) =>
      (l.filter((label, i) => label === 1 && s[i]! >= t).length -
        (l.filter((label, i) => label === 0 && s[i]! >= t).length * t) / (1 - t)) /
      l.length;
    const share = mean(main.labels);
    const all = (t: number) => share - ((1 - share) * t) / (1 - t);
    for (const model of metrics.models) {
      const { labels, scores } = models.get(model.name)!;
      for (const point of model.decisionCurve)
        near(point.netBenefit, benefit(labels, scores, point.threshold));
    }
    for (const { threshold, netBenefit, treatAll, gain, avoidedPer100 } of metrics.decisions.shown) {
      near(treatAll, all(threshold));
      limits(
        netBenefit,
        bootstrapCi((l, s) => benefit(l, s, threshold), main.labels, main.scores, options()),
      );
      const gained = (l: number[], s: number[]) => {
        const positive = mean(l);
        const treated = positive - ((1 - positive) * threshold) / (1 - threshold);
        return benefit(l, s, threshold) - Math.max(0, treated);
      };
      limits(gain, bootstrapCi(gained, main.labels, main.scores, options()));
      // Of all not called positive, those without the outcome, less what the missed positives are worth.
      const avoided = (l: number[], s: number[]) => {
        const spared = l.filter((label, i) => label === 0 && s[i]! < threshold).length;
        const missed = l.filter((label, i) => label === 1 && s[i]! < threshold).length;
        return (100 * (spared - (missed * (1 - threshold)) / threshold)) / l.length;
      };
      limits(avoidedPer100, bootstrapCi(avoided, main.labels, main.scores, options()));
    }
    for (const row of reportTable(report, 'decision-thresholds')) {
      const own = metrics.decisions.shown.find(({ threshold }) => threshold === Number(row.threshold))!;
      expect(Number(row.treatAll)).toBe(own.treatAll);
      for (const name of ['netBenefit', 'gain', 'avoidedPer100'] as const) {
        limits(numbers(row, name, `${name}Lower`, `${name}Upper`), own[name]);
      }
    }
    for (const { model, ...row } of reportTable(report, 'decision-curves')) {
      const { labels, scores } = models.get(model!)!;
      const t = Number(row.threshold);
      near(Number(row.treatAll), all(t));
      near(Number(row.interventionsAvoided), ((benefit(labels, scores, t) - all(t)) * (1 - t)) / t);
    }
    const curves = reportTable(report, 'decision-curves');
    const expected = metrics.models.flatMap((model) => model.decisionCurve);
    expect(curves.map(({ netBenefit }) => Number(netBenefit))).toEqual(
      expected.map((each) => each.netBenefit),
    );
  });

  test.skipIf(skip)('the tables and points of the curves', () => {
    const share = (own: Pooled, label: number, threshold: number) => {
      const those = own.scores.filter((_, i) => own.labels[i] === label);
      return those.filter((score) => score >= threshold).length / those.length;
    };
    const precision = ({ labels, scores }: Pooled, threshold: number) => {
      const called = labels.filter((_, i) => scores[i]! >= threshold);
      return called.filter((label) => label === 1).length / called.length;
    };
    for (const { model, threshold, ...point } of reportTable(report, 'roc-curves')) {
      const at = threshold === '' ? Number.POSITIVE_INFINITY : Number(threshold);
      near(Number(point.sensitivity), share(models.get(model!)!, 1, at));
      near(Number(point.one_minus_specificity), share(models.get(model!)!, 0, at));
    }
    for (const { model, threshold, ...point } of reportTable(report, 'precision-recall-curves')) {
      if (threshold === '') continue; // the end that no threshold reaches
      near(Number(point.recall), share(models.get(model!)!, 1, Number(threshold)));
      near(Number(point.precision), precision(models.get(model!)!, Number(threshold)));
    }
    for (const [name, own] of models) {
      const thresholds = [Number.POSITIVE_INFINITY, ...new Set(own.scores)];
      for (const row of reportTable(report, 'roc-operating-points')) {
        const reached = thresholds.filter((t) => 1 - share(own, 0, t) >= Number(row.Specificity) - 1e-12);
        near(Number(row[name]), Math.max(...reached.map((t) => share(own, 1, t))));
      }
      for (const row of reportTable(report, 'precision-at-recall')) {
        const reached = thresholds.filter((t) => share(own, 1, t) >= Number(row.Recall) - 1e-12);
        near(Number(row[name]), Math.max(...reached.map((t) => precision(own, t))));
      }
    }
    const [first] = metrics.models as [Found['models'][number]];
    const printed = new Map(
      reportTable(report, 'threshold').map((row) => [row.measure, Number(row.estimate)]),
    );
    expect(printed.get('Sensitivity')).toBe(first.sensitivity.estimate);
    expect(printed.get('Negative predictive value')).toBe(first.negativePredictiveValue.estimate);
    const measures = new Map(
      reportTable(report, 'calibration-measures').map((row) => [row.Measure, Number(row.Value)]),
    );
    expect(measures.get('Slope')).toBe(first.calibration.slope);
    expect(measures.get('Brier score')).toBe(first.brierScore);
    const all = reportTable(report, 'cohort').find(({ Part }) => Part === 'all')!;
    expect([all.Cases, all.Positives].map(Number)).toEqual([first.cases, first.positives]);
  });

  test.skipIf(skip)('the band of the ROC curve', () => {
    const printed = reportTable(report, 'roc-band');
    expect(printed.length).toBe(101);
    for (const at of [0, 5, 10, 20, 35, 50, 80, 100]) {
      const [x, row] = [at / 100, printed[at]!];
      const { lower, upper } = bootstrapCi(
        (l, s) => sensitivityAt(l, s, x),
        main.labels,
        main.scores,
        options(),
      );
      expect(Number(row.one_minus_specificity)).toBe(x);
      near(Number(row.lower), lower);
      near(Number(row.upper), upper);
    }
  });

  test.skipIf(skip)(
    'every number of the tables of cohort, models, baselines, threshold and calibration',
    () => {
      const all = reportTable(report, 'cohort');
      const folds = [...new Set(main.rows.map(({ fold }) => fold))];
      for (const row of all) {
        const fold = row.Part!.replace(', test', '');
        const own = main.rows.filter((each) => row.Part === 'all' || each.fold === fold);
        const cases = new Map(own.map((each) => [each.case, each]));
        const positives = [...cases.values()].filter(({ label }) => label === 1).length;
        expect([row.Cases, row.Patients, row.Positives].map(Number)).toEqual([
          cases.size,
          new Set(own.map(({ patient }) => patient)).size,
          positives,
        ]);
        near(Number(row.Prevalence), positives / cases.size);
      }
      expect(all.length).toBe(1 + folds.filter((fold) => fold.startsWith('repeat-0')).length);

      const volume = models.get('Lesion volume only')!;
      for (const row of reportTable(report, 'models')) {
        if (row.model === 'Lesion volume only') continue;
        sameDifference(row, models.get(row.model!)!, volume, 'aucDifference');
        near(Number(row.threshold), mean(models.get(row.model!)!.thresholds));
      }
      for (const row of reportTable(report, 'baselines')) {
        const other = models.get(row.baseline!)!;
        sameDifference(row, main, other, 'difference');
        near(Number(row.aucMain), auc(main.labels, main.scores));
        near(Number(row.aucBaseline), auc(other.labels, other.scores));
        const error = Math.sqrt(delongVariance(main.labels, main.scores, other.scores));
        near(Number(row.delongLower), Number(row.difference) - 1.959963984540054 * error);
        near(Number(row.delongUpper), Number(row.difference) + 1.959963984540054 * error);
        const [onlyA, onlyB] = [onlyRight(main, other), onlyRight(other, main)];
        expect([row.onlyMainRight, row.onlyBaselineRight].map(Number)).toEqual([onlyA, onlyB]);
        const [below, at] = fairCoin(onlyA + onlyB, Math.min(onlyA, onlyB));
        near(Number(row.mcnemarExactP), Math.min(1, 2 * (below + at)));
        near(Number(row.mcnemarMidP), Math.min(1, 2 * below + at));
      }

      const called = main.scores.map((score, i) => Number(score >= main.thresholds[i]!));
      const count = (label: number, call: number) =>
        called.filter((own, i) => own === call && main.labels[i] === label).length;
      const [tp, fp, tn, fn] = [count(1, 1), count(0, 1), count(0, 0), count(1, 0)];
      const counted = [
        [tp, tp + fn],
        [tn, tn + fp],
        [tp, tp + fp],
        [tn, tn + fn],
        [tp + tn, main.labels.length],
      ] as const;
      reportTable(report, 'threshold').forEach((row, i) => {
        const [successes, total] = counted[i]!;
        expect([row.successes, row.total].map(Number)).toEqual([successes, total]);
        wilson(numbers(row, 'estimate', 'lower', 'upper'), successes, total);
      });

      const bins = tenBins(main.labels, main.scores);
      reportTable(report, 'calibration-bins').forEach((row, i) => {
        const { count, positives, predicted } = bins[i]!;
        expect([row.cases, row.positives].map(Number)).toEqual([count, positives]);
        near(Number(row.predicted), predicted);
        wilson(numbers(row, 'observed', 'observedLower', 'observedUpper'), positives, count);
      });
      const { slope, intercept } = cox(main.labels, main.scores);
      const share = mean(main.labels);
      const measures = reportTable(report, 'calibration-measures').map((row) => Number(row.Value));
      [
        slope,
        intercept,
        inTheLarge(main.labels, main.scores),
        bins.reduce(
          (sum, bin) => sum + (bin.count * Math.abs(bin.observed - bin.predicted)) / main.labels.length,
          0,
        ),
        mean(main.scores.map((score, i) => (score - main.labels[i]!) ** 2)),
        share * (1 - share),
      ].forEach((value, i) => {
        near(measures[i]!, value, 1e-7);
      });
      expect(measures.length).toBe(6);
    },
  );

  /** AUC of one model minus that of another, its interval, DeLong's z and p. */
  function sameDifference(row: Record<string, string>, own: Pooled, other: Pooled, name: string) {
    limits(
      numbers(row, name, `${name}Lower`, `${name}Upper`),
      bootstrapDifferenceCi((l, s) => auc(l, s), own.labels, own.scores, other.scores, options()),
    );
    const z =
      (auc(own.labels, own.scores) - auc(other.labels, other.scores)) /
      Math.sqrt(delongVariance(own.labels, own.scores, other.scores));
    near(Number(row.delongZ), z, 1e-8);
    near(Number(row.delongP), twoSided(z), 1e-6);
  }

  test.skipIf(skip)('how far the checklists are filled, and the METRICS score', () => {
    const [tripod, claim, score] = reportTable(report, 'checklists');
    for (const [name, row] of [
      ['tripod-ai', tripod!],
      ['claim', claim!],
    ] as const) {
      const states = reportTable(report, `checklist-${name}`).map(({ State }) => State);
      const count = (...wanted: string[]) => states.filter((state) => wanted.includes(state!)).length;
      expect([row.Items, row.Filled, row.Partly, row.Blank].map(Number)).toEqual([
        states.length,
        count('from the run', 'authors'),
        count('partly, from the run'),
        count('BLANK'),
      ]);
    }
    const items = reportTable(report, 'metrics-items');
    const weight = (...answers: string[]) =>
      items
        .filter(({ Answer }) => answers.includes(Answer!))
        .reduce((sum, { Weight }) => sum + Number(Weight), 0);
    const blank = items.filter(({ Answer }) => Answer === 'BLANK').length;
    expect([score!.Items, score!.Filled, score!.Blank].map(Number)).toEqual([
      items.length,
      items.length - blank,
      blank,
    ]);
    const [reached, reachable] = [weight('yes'), weight('yes', 'BLANK')].map((sum) =>
      ((100 * sum) / weight('yes', 'no', 'BLANK')).toFixed(1),
    );
    expect(report).toContain(`<strong class="whole">${reached}%</strong>`);
    expect(report).toContain(`at most ${reachable}%.`);
  });

  test.skipIf(skip)('subgroups', () => {
    const called = main.scores.map((score, i) => Number(score >= main.thresholds[i]!));
    let measured = 0;
    for (const [number, analysis] of metrics.subgroups.entries()) {
      const values = main.subgroups[number]!;
      const printed = reportTable(
        report,
        `subgroup-${number + 1}-${analysis.column.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`,
      );
      const inGroup = (group: string) =>
        values.flatMap((value, i) => (belongs(value, group, analysis.column) ? [i] : []));
      expect(analysis.groups.reduce((sum, { cases }) => sum + cases, 0)).toBe(main.labels.length);
      for (const [at, group] of analysis.groups.entries()) {
        const own = inGroup(group.group);
        expect(own.length).toBe(group.cases);
        const labels = own.map((i) => main.labels[i]!);
        const scores = own.map((i) => main.scores[i]!);
        expect(labels.filter((label) => label === 1).length).toBe(group.positives);
        if (group.rocAuc === null) continue;
        measured++;
        const clusters = main.clusters && own.map((i) => main.clusters![i]!);
        limits(
          group.rocAuc,
          bootstrapCi((l, s) => auc(l, s), labels, scores, { ...options(), ...(clusters && { clusters }) }),
        );
        wilson(
          group.sensitivity!,
          own.filter((i) => main.labels[i] === 1 && called[i] === 1).length,
          group.positives,
        );
        const counted = (label: number, call: number) =>
          own.filter((i) => main.labels[i] === label && called[i] === call).length;
        const [tp, fp, tn, fn] = [counted(1, 1), counted(0, 1), counted(0, 0), counted(1, 0)];
        wilson(group.specificity!, tn, tn + fp);
        if (group.positivePredictiveValue) wilson(group.positivePredictiveValue, tp, tp + fp);
        if (group.negativePredictiveValue) wilson(group.negativePredictiveValue, tn, tn + fn);
        near(group.brierScore!, mean(scores.map((score, i) => (score - labels[i]!) ** 2)));
        near(group.calibrationInTheLarge!, inTheLarge(labels, scores), 1e-7);
        if (group.againstRest) {
          const rest = analysis.groups
            .filter((other) => other !== group && other.rocAuc !== null)
            .flatMap((other) => inGroup(other.group));
          const restLabels = rest.map((i) => main.labels[i]!);
          const restScores = rest.map((i) => main.scores[i]!);
          const difference = auc(labels, scores) - auc(restLabels, restScores);
          const [ownVariance, restVariance] = [
            delongVariance(labels, scores),
            delongVariance(restLabels, restScores),
          ];
          const error = Math.sqrt(ownVariance + restVariance);
          const welch =
            (ownVariance + restVariance) ** 2 /
            (ownVariance ** 2 / (labels.length - 1) + restVariance ** 2 / (restLabels.length - 1));
          near(group.againstRest.difference, difference);
          near(studentTwoSided((difference - group.againstRest.lower) / error, welch), 0.05, 1e-6);
          near(group.againstRest.p, studentTwoSided(difference / error, welch), 1e-6);
        }
        const row = printed[at]!;
        expect([row.cases, row.positives].map(Number)).toEqual([group.cases, group.positives]);
        for (const name of [
          'rocAuc',
          'sensitivity',
          'specificity',
          'positivePredictiveValue',
          'negativePredictiveValue',
        ] as const) {
          if (group[name]) limits(numbers(row, name, `${name}Lower`, `${name}Upper`), group[name]);
        }
        expect(Number(row.brierScore)).toBe(group.brierScore);
        expect(Number(row.calibrationInTheLarge)).toBe(group.calibrationInTheLarge);
        if (group.againstRest) {
          const { difference, lower, upper, p } = group.againstRest;
          expect(
            ['aucMinusRest', 'aucMinusRestLower', 'aucMinusRestUpper', 'aucMinusRestP'].map((name) =>
              Number(row[name]),
            ),
          ).toEqual([difference, lower, upper, p]);
        }
      }
      const shares = analysis.groups
        .filter(({ rocAuc }) => rocAuc !== null)
        .map(({ group }) => {
          const calledOf = (label: number) => {
            const own = inGroup(group).filter((i) => main.labels[i] === label);
            return own.filter((i) => called[i] === 1).length / own.length;
          };
          return { sensitivity: calledOf(1), falsePositives: calledOf(0) };
        });
      const reach = (of: number[]) => Math.max(...of) - Math.min(...of);
      const gaps = [
        reach(shares.map(({ sensitivity }) => sensitivity)),
        reach(shares.map(({ falsePositives }) => falsePositives)),
      ];
      if (analysis.equalisedOdds) {
        near(analysis.equalisedOdds.sensitivityGap!, gaps[0]!);
        near(analysis.equalisedOdds.falsePositiveGap!, gaps[1]!);
        near(analysis.equalisedOdds.gap!.estimate, Math.max(...gaps));
        equalisedOdds(analysis, values, called);
      }
      const compared = analysis.groups.flatMap(({ againstRest }) => againstRest ?? []);
      const adjusted =
        compared.length === 2 ? compared.map(({ p }) => p) : stepDown(compared.map(({ p }) => p));
      compared.forEach(({ adjustedP }, i) => {
        near(adjustedP, adjusted[i]!);
      });
      expect(
        printed.flatMap((row) => (row.aucMinusRestHolmP === '' ? [] : Number(row.aucMinusRestHolmP))),
      ).toEqual(compared.map(({ adjustedP }) => adjustedP));
    }
    expect(measured).toBeGreaterThan(3);
  });

  /** The interval of the gap on the same resamples, and what chance gives by permutations of our own. */
  function equalisedOdds(
    analysis: TabularEvaluation['subgroups'][number],
    values: string[],
    called: number[],
  ) {
    const { gap, byChance, notDefined } = analysis.equalisedOdds!;
    const names = analysis.groups.flatMap(({ group, rocAuc }) => (rocAuc === null ? [] : group));
    const groupOf = values.map((value) => names.findIndex((group) => belongs(value, group, analysis.column)));
    // Group after group, as the page has them: which cases a resample draws goes by their order.
    const kept = names.flatMap((_, g) => groupOf.flatMap((group, i) => (group === g ? [i] : [])));
    const widest = (cases: readonly number[], group: (i: number) => number) =>
      Math.max(
        ...[0, 1].map((label) => {
          const shares = names.map((_, g) => {
            const own = cases.filter((i) => main.labels[i] === label && group(i) === g);
            return own.reduce((sum, i) => sum + called[i]!, 0) / own.length;
          });
          return Math.max(...shares) - Math.min(...shares);
        }),
      );
    const { clusters, ...resampling } = options();
    const again = bootstrapCi(
      (_, positions) => {
        const value = widest(positions, (i) => groupOf[i]!);
        if (Number.isNaN(value))
          throw new MetricsError({ code: 'ONE_CLASS', message: 'a group lacks a class' });
        return value;
      },
      kept.map((i) => main.labels[i]!),
      kept,
      { ...resampling, ...(clusters && { clusters: kept.map((i) => clusters[i]!) }) },
    );
    limits(gap, again);
    expect(gap.discarded).toBe(again.discarded);
    if (byChance === null) {
      expect(notDefined.byChance).toContain('differ in outcome or in group');
      return;
    }
    const random = lehmer(99);
    const chance = Array.from({ length: resamples }, () => {
      const shuffled = groupOf.slice();
      for (const label of [0, 1]) {
        const own = kept.filter((i) => main.labels[i] === label);
        own.forEach((i, at) => {
          const j = own[at + Math.floor(random() * (own.length - at))]!;
          [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
        });
      }
      return widest(kept, (i) => shuffled[i]!);
    });
    // Other permutations of the same kind: both are within four standard errors of what they estimate.
    const p = (1 + chance.filter((value) => value >= gap.estimate - 1e-12).length) / (1 + resamples);
    const spread = Math.sqrt(mean(chance.map((value) => (value - mean(chance)) ** 2)));
    expect(Math.abs(byChance.mean - mean(chance))).toBeLessThan(4 * spread * Math.sqrt(2 / resamples));
    const error = Math.sqrt((2 * Math.max(p * (1 - p), 1 / resamples)) / resamples);
    expect(Math.abs(byChance.p - p), `p ${byChance.p} against ${p}`).toBeLessThan(4 * error);
    expect(byChance.permutations).toBe(resamples);
  }

  test.skipIf(skip || name !== 'I-SPY2')('what is known of I-SPY2: 0.730 with volume, 0.699 without', () => {
    const [both, clinical] = metrics.models as [Found['models'][number], Found['models'][number]];
    expect(both).toMatchObject({ cases: 982, positives: 316 });
    // Repeated cross-validations with other folds (scikit-learn, seeds 0 to 2) give 0.729 to 0.730 and 0.694 to 0.698.
    expect(Math.abs(both.withinFolds.auc - 0.73)).toBeLessThan(0.004);
    expect(Math.abs(clinical.withinFolds.auc - 0.699)).toBeLessThan(0.006);
    expect(metrics.comparisons[0]!.withinFolds.p).toBeLessThan(0.01);
  });

  test.skipIf(skip)('no patient is named, and the same study gives the same bytes', async () => {
    const files = [
      'predictions.csv',
      'metrics.json',
      'report.html',
      'splits.json',
      'models.json',
      'run.json',
    ];
    for (const file of files) {
      expect(/ACRIN|ISPY2-\d|\bp\d{1,3},/.test(await readFile(join(out, file), 'utf8')), file).toBe(false);
    }
    if (name !== 'I-SPY2') {
      await runTabular(await write(), `${out} again`);
      for (const file of ['predictions.csv', 'metrics.json', 'splits.json', 'models.json']) {
        expect(await readFile(join(`${out} again`, file), 'utf8')).toBe(
          await readFile(join(out, file), 'utf8'),
        );
      }
    }
  });
});

/** `metrics.json`, of studies in which everything printed is defined. */
interface Found {
  models: (Defined<Omit<TabularEvaluation['models'][number], 'withinFolds'>> & {
    withinFolds: CrossValidatedAuc;
  })[];
  comparisons: (Defined<Omit<TabularEvaluation['comparisons'][number], 'withinFolds'>> & {
    withinFolds: CrossValidatedAucDifference;
  })[];
  decisions: TabularEvaluation['decisions'];
  subgroups: TabularEvaluation['subgroups'];
}
type Defined<T> = { [K in keyof T]: NonNullable<T[K]> };

/** One row of predictions.csv. */
interface Prediction {
  case: string;
  patient: string;
  label: number;
  fold: string;
  model: string;
  probability: number;
  threshold: number;
  subgroups: string[];
}

interface Pooled {
  labels: number[];
  scores: number[];
  thresholds: number[];
  clusters: string[] | undefined;
  /** [column][case] */
  subgroups: string[][];
  rows: Prediction[];
}

function pool(csv: string): Map<string, Pooled> {
  const rows = Papa.parse<Record<string, string>>(csv.trim(), { header: true }).data.map(
    (row): Prediction => ({
      case: row.case!,
      patient: row.patient!,
      label: Number(row.label),
      fold: row.fold!,
      model: row.model!,
      probability: Number(row.probability),
      threshold: Number(row.threshold),
      subgroups: Object.keys(row)
        .filter((key) => key.startsWith('subgroup '))
        .map((key) => row[key]!),
    }),
  );
  const names = [...new Set(rows.map(({ model }) => model))];
  return new Map(
    names.map((name) => {
      const own = rows.filter(({ model }) => model === name);
      const ids = [...new Set(own.map((row) => row.case))].sort();
      const byCase = new Map(ids.map((id) => [id, own.filter((row) => row.case === id)]));
      const cases = ids.map((id) => byCase.get(id)!);
      const patients = cases.map(([first]) => first!.patient);
      return [
        name,
        {
          labels: cases.map(([first]) => first!.label),
          scores: cases.map((each) => mean(each.map(({ probability }) => probability))),
          thresholds: cases.map((each) => mean(each.map(({ threshold }) => threshold))),
          clusters: new Set(patients).size < patients.length ? patients : undefined,
          subgroups: own[0]!.subgroups.map((_, column) => cases.map(([first]) => first!.subgroups[column]!)),
          rows: own,
        },
      ];
    }),
  );
}

/** A table of the report, from the CSV file that the page offers. */
function reportTable(html: string, name: string): Record<string, string>[] {
  const [, text] =
    html.match(new RegExp(`download="${name}\\.csv" href="data:text/csv;charset=utf-8,([^"]*)"`)) ?? [];
  expect(text, `${name}.csv in the report`).toBeDefined();
  return Papa.parse<Record<string, string>>(decodeURIComponent(text!).trim(), { header: true }).data;
}

/** The groups of both studies: printed words for 0 and 1, and ranges of age. */
function belongs(value: string, group: string, column: string): boolean {
  if (group === 'not known' || value === '') return group === 'not known' && value === '';
  if (column.toLowerCase() === 'age') {
    const [low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY] = group.startsWith('<')
      ? [undefined, Number(group.slice(2))]
      : group.replace('≥ ', '').split(' to < ').map(Number);
    return Number(value) >= low && Number(value) < high;
  }
  return value === group || { negative: 0, positive: 1 }[group] === Number(value);
}

function near(actual: number, expected: number, tolerance = 1e-9): void {
  expect(Math.abs(actual - expected), `${actual} against ${expected}`).toBeLessThanOrEqual(
    tolerance * Math.max(1, Math.abs(expected)),
  );
}
interface Limits {
  estimate: number;
  lower: number;
  upper: number;
}
function limits(actual: Limits, expected: Limits): void {
  for (const key of ['estimate', 'lower', 'upper'] as const) near(actual[key], expected[key]);
}

const numbers = (row: Record<string, string>, estimate: string, lower: string, upper: string): Limits => ({
  estimate: Number(row[estimate]),
  lower: Number(row[lower]),
  upper: Number(row[upper]),
});

/** Cases that the first model calls as they are, each at its own threshold, and the second does not. */
function onlyRight(own: Pooled, other: Pooled): number {
  const isRight = ({ scores, thresholds, labels }: Pooled, i: number) =>
    Number(scores[i]! >= thresholds[i]!) === labels[i];
  return own.labels.filter((_, i) => isRight(own, i) && !isRight(other, i)).length;
}

/** Of `n` throws of a fair coin: the chance of fewer than `k` heads, and of exactly `k`. */
function fairCoin(n: number, k: number): [number, number] {
  let [below, at] = [0, 0.5 ** n];
  for (let heads = 1; heads <= k; heads++) {
    below += at;
    at *= (n - heads + 1) / heads;
  }
  return [below, at];
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Uniform numbers in (0, 1), for what has to be random but not good. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 48271) >>> 0) % 2147483647;
    return state / 2147483647;
  };
}

/** Holm: sorted p times the number of those not yet rejected, never falling. */
function stepDown(p: readonly number[]): number[] {
  return p.map((own) =>
    Math.min(
      1,
      Math.max(
        ...p.filter((each) => each <= own).map((each) => each * p.filter((other) => other >= each).length),
      ),
    ),
  );
}

/** Sensitivity where 1 - specificity is `x`: the top of a step, else linear between the points beside it. */
function sensitivityAt(labels: readonly number[], scores: readonly number[], x: number): number {
  const order = scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  const positives = labels.reduce((sum, label) => sum + label, 0);
  let [fp, tp, before] = [0, 0, [0, 0] as [number, number]];
  for (let i = 0; i < order.length; ) {
    const value = scores[order[i]!];
    for (; i < order.length && scores[order[i]!] === value; i++) labels[order[i]!] === 1 ? tp++ : fp++;
    const point: [number, number] = [fp / (labels.length - positives), tp / positives];
    if (point[0] > x) {
      return before[1] + ((point[1] - before[1]) * (x - before[0])) / (point[0] - before[0]);
    }
    before = point;
  }
  return 1;
}

/** Mann-Whitney by ranks; ties count half. */
function auc(labels: readonly number[], scores: readonly number[]): number {
  const order = scores.map((_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  let [negatives, wins, positives] = [0, 0, 0];
  for (let i = 0; i < order.length; ) {
    let [p, n] = [0, 0];
    const value = scores[order[i]!];
    for (; i < order.length && scores[order[i]!] === value; i++) labels[order[i]!] === 1 ? p++ : n++;
    wins += p * (negatives + n / 2);
    positives += p;
    negatives += n;
  }
  return wins / (positives * negatives);
}

/** Average precision: at each distinct score, precision times the recall that it adds. */
function averagePrecision(labels: readonly number[], scores: readonly number[]): number {
  const order = scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  let [found, sum] = [0, 0];
  for (let i = 0; i < order.length; ) {
    const value = scores[order[i]!];
    let added = 0;
    for (; i < order.length && scores[order[i]!] === value; i++) added += labels[order[i]!]!;
    found += added;
    sum += added * (found / i);
  }
  return sum / found;
}

/** DeLong 1988 by all pairs: of one AUC, or of the difference of two. */
function delongVariance(labels: readonly number[], a: readonly number[], b?: readonly number[]): number {
  const [positive, negative] = placements(labels, a, b);
  const variance = (values: number[]) => {
    const centre = mean(values);
    return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
  };
  return variance(positive) / positive.length + variance(negative) / negative.length;
}

function placements(
  labels: readonly number[],
  a: readonly number[],
  b?: readonly number[],
): [number[], number[]] {
  const at = (label: number) => labels.flatMap((each, i) => (each === label ? [i] : []));
  const [positives, negatives] = [at(1), at(0)];
  const win = (p: number, n: number, scores: readonly number[]) =>
    scores[p]! > scores[n]! ? 1 : scores[p] === scores[n] ? 0.5 : 0;
  const pair = (p: number, n: number) => win(p, n, a) - (b ? win(p, n, b) : 0);
  return [
    positives.map((p) => mean(negatives.map((n) => pair(p, n)))),
    negatives.map((n) => mean(positives.map((p) => pair(p, n)))),
  ];
}

/** The mean over folds of the AUC (or the difference), and its standard error with the parts of one patient added up. */
function withinFolds(
  rows: readonly Prediction[],
  other?: readonly Prediction[],
): { auc: number; standardError: number } {
  const folds = [...new Set(rows.map(({ fold }) => fold))];
  const parts = new Map<string, number>();
  let total = 0;
  for (const fold of folds) {
    const at = rows.flatMap((row, i) => (row.fold === fold ? [i] : []));
    const labels = at.map((i) => rows[i]!.label);
    const [positive, negative] = placements(
      labels,
      at.map((i) => rows[i]!.probability),
      other && at.map((i) => other[i]!.probability),
    );
    const own = mean(positive);
    total += own / folds.length;
    let [p, n] = [0, 0];
    at.forEach((i, k) => {
      const [value, size] =
        labels[k] === 1 ? [positive[p++]!, positive.length] : [negative[n++]!, negative.length];
      const part = (value - own) / Math.sqrt(size * (size - 1)) / folds.length;
      parts.set(rows[i]!.patient, (parts.get(rows[i]!.patient) ?? 0) + part);
    });
  }
  return {
    auc: total,
    standardError: Math.sqrt([...parts.values()].reduce((sum, part) => sum + part ** 2, 0)),
  };
}

function wilson(actual: Limits, successes: number, total: number): void {
  const z = 1.959963984540054;
  const p = successes / total;
  const centre = (p + z ** 2 / (2 * total)) / (1 + z ** 2 / total);
  const half = (z * Math.sqrt((p * (1 - p)) / total + z ** 2 / (4 * total ** 2))) / (1 + z ** 2 / total);
  limits(actual, { estimate: p, lower: centre - half, upper: centre + half });
}

const logOdds = (p: number) => Math.log(p / (1 - p));

/** Logistic regression of the labels on the log-odds by plain Newton steps. */
function cox(labels: readonly number[], scores: readonly number[]): { slope: number; intercept: number } {
  let [slope, intercept] = [1, 0];
  for (let step = 0; step < 50; step++) {
    let [ga, gb, aa, ab, bb] = [0, 0, 0, 0, 0];
    scores.forEach((score, i) => {
      const x = logOdds(score);
      const p = 1 / (1 + Math.exp(-(slope * x + intercept)));
      const w = p * (1 - p);
      ga += (p - labels[i]!) * x;
      gb += p - labels[i]!;
      aa += w * x * x;
      ab += w * x;
      bb += w;
    });
    const determinant = aa * bb - ab * ab;
    slope -= (bb * ga - ab * gb) / determinant;
    intercept -= (aa * gb - ab * ga) / determinant;
  }
  return { slope, intercept };
}

/** The shift of the log-odds with which the probabilities add up to the positives, by bisection. */
function inTheLarge(labels: readonly number[], scores: readonly number[]): number {
  let [low, high] = [-30, 30];
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    const excess = scores.reduce(
      (sum, score, i) => sum + 1 / (1 + Math.exp(-(logOdds(score) + middle))) - labels[i]!,
      0,
    );
    if (excess > 0) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

function tenBins(labels: readonly number[], scores: readonly number[]) {
  return Array.from({ length: 10 }, (_, k) => {
    const inside = scores.flatMap((score, i) => (score > k / 10 && score <= (k + 1) / 10 ? [i] : []));
    return {
      count: inside.length,
      positives: inside.filter((i) => labels[i] === 1).length,
      predicted: mean(inside.map((i) => scores[i]!)),
      observed: mean(inside.map((i) => labels[i]!)),
    };
  }).filter(({ count }) => count > 0);
}

/** Two-sided p of Student's t, the density integrated over the angle whose tangent is t / sqrt(degrees). */
function studentTwoSided(t: number, degrees: number): number {
  const area = (from: number) => {
    const steps = 20_000;
    const width = (Math.PI / 2 - from) / steps;
    let sum = 0;
    for (let i = 0; i < steps; i++) sum += Math.cos(from + (i + 0.5) * width) ** (degrees - 1);
    return sum * width;
  };
  return area(Math.atan(Math.abs(t) / Math.sqrt(degrees))) / area(0);
}

/** Of the standard normal distribution, by the trapezoid rule on its density (to about 1e-10). */
function twoSided(z: number): number {
  const [steps, reach] = [200_000, 12];
  const from = Math.abs(z);
  const width = (reach - Math.min(from, reach - 1)) / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const x = from + i * width;
    sum += (i === 0 || i === steps ? 0.5 : 1) * Math.exp((-x * x) / 2);
  }
  return (2 * sum * width) / Math.sqrt(2 * Math.PI);
}
