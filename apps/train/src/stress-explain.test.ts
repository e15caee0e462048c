import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rocAuc } from '@onco-response/metrics';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSmallStudy } from './__fixtures__/small-cohort.js';
import { explainRun } from './explain.js';
import { fit } from './fit.js';
import { renderAgain } from './kept-report.js';
import { readPredictions } from './predictions-csv.js';
import { readExplanation, readStress } from './read-findings.js';
import { stressRun } from './stress.js';

let folder: string;
const run = () => join(folder, 'run');
const json = async (...path: string[]) => JSON.parse(await readFile(join(run(), ...path), 'utf8'));
const csv = async (...path: string[]) =>
  (await readFile(join(run(), ...path), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => line.split(','));

/** Two folds of a synthetic cohort with one clinical column that knows the label and one that does not. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onco-stress-'));
  process.env.ONCO_RESPONSE_CACHE = join(folder, 'cache');
  const study = await writeSmallStudy(join(folder, 'cohort'), { cases: 24, epochs: 6 });
  const edit = async (name: string, change: (text: string) => string) => {
    const path = join(folder, 'cohort', name);
    await writeFile(path, change(await readFile(path, 'utf8')));
  };
  await edit('cohort.csv', (text) =>
    text
      .trim()
      .split('\n')
      .map((line, i) => `${line},${i === 0 ? 'marker,other' : `${Number(line.at(-1)) * 3},${i % 5}`}\n`)
      .join(''),
  );
  await edit('study.yaml', (text) =>
    text
      .replace(/^splits:.*$/m, 'splits: { scheme: kFold, folds: 2, validation: 0.34 }')
      .replace('model:\n', 'model:\n  clinical: [marker, other]\n'),
  );
  await fit({ configPath: study, out: run() });
}, 400_000);
afterAll(async () => {
  delete process.env.ONCO_RESPONSE_CACHE;
  await rm(folder, { recursive: true });
});

test('stress: numbers follow from its own rows, and the unchanged input is what fit predicted', async () => {
  const table = await stressRun({ run: run(), seed: 3 });
  expect(table).toMatch(/noise of 20 HU/);
  const { stress, unchanged, outOfDistribution, conformal, conformalPerClass, models } = await json(
    'stress',
    'stress.json',
  );
  expect(models).toBe(2);
  const [, ...rows] = await csv('stress', 'stress-cases.csv');
  const of = (change: string) => rows.filter((row) => row[1] === change);
  const before = new Map(of('unchanged').map((row) => [row[0], row]));
  expect(before.size).toBe(24);
  const predictions = readPredictions(await readFile(join(run(), 'predictions.csv'), 'utf8'));
  for (const { caseId, probability } of predictions) {
    // fit read tokens that the cache keeps in 16 bits
    expect(Math.abs(Number(before.get(caseId)![3]) - probability)).toBeLessThan(5e-3);
  }
  const auc = (own: string[][]) =>
    rocAuc(
      own.map((row) => Number(row[2])),
      own.map((row) => Number(row[3])),
    );
  expect(unchanged.auc.estimate).toBeCloseTo(auc(of('unchanged')), 12);
  for (const each of stress) {
    const own = of(each.name);
    expect(own.length).toBe(each.cases);
    expect(each.cases + each.excluded).toBe(24);
    if (each.cases === 0) {
      expect(each.notDefined).toBeTruthy();
      continue;
    }
    const paired = own.map((row) => before.get(row[0]!)!);
    expect(each.aucChange.estimate).toBeCloseTo(auc(own) - auc(paired), 12);
    expect(each.aucChange.lower).toBeLessThanOrEqual(each.aucChange.estimate);
    const positive = (row: string[]) => Number(row[3]) >= Number(row[4]);
    expect(each.flips).toBe(own.filter((row, i) => positive(row) !== positive(paired[i]!)).length);
    expect(each.meanProbabilityChange).toBeGreaterThan(0);
  }
  expect(stress.find(({ name }: { name: string }) => /several/.test(name))).toMatchObject({
    cases: 0,
    excluded: 24,
  });
  expect(outOfDistribution.scores).toHaveLength(24);
  for (const sets of [conformal, conformalPerClass]) {
    expect(sets.levels.map(({ target }: { target: number }) => target)).toEqual([0.8, 0.9, 0.95]);
    for (const { cases, singletons, both, empty } of sets.levels)
      expect(singletons + both + empty).toBe(cases);
  }
  const caseIds = outOfDistribution.caseIds.toReversed();
  const report = await readStress(run(), caseIds);
  expect(report.stress).toHaveLength(stress.filter(({ auc }: { auc: unknown }) => auc).length);
  expect(report.outOfDistribution?.scores).toEqual(outOfDistribution.scores.toReversed());
  expect((await readStress(run(), caseIds.slice(1))).outOfDistribution).toBeUndefined();
  // Some of the cases again: what is drawn for a case does not depend on the others.
  await stressRun({ run: run(), seed: 3, cases: 4, out: join(run(), 'few') });
  const [, ...few] = await csv('few', 'stress-cases.csv');
  expect(new Set(few.map(([caseId]) => caseId)).size).toBeLessThan(12);
  const all = new Set(rows.map((row) => row.join()));
  for (const row of few) expect(all).toContain(row.join());
}, 400_000);

test('explain: complete maps as PNG, random weights, neighbours of the training cases, importance', async () => {
  const text = await explainRun({
    run: run(),
    trial: 1,
    cases: 1,
    slices: 1,
    steps: 24,
    checked: 1,
    seed: 3,
  });
  expect(text).toMatch(/marker/);
  const { maps, cases, sanityChecks, sanityStages, nearest, importance } = await json(
    'explain',
    'explain.json',
  );
  const gradients = maps.filter(({ method }: { method: string }) => method === 'integrated gradients');
  expect(gradients.length).toBe(cases.length);
  for (const { completenessError, logitChange, insideLesion, file } of gradients) {
    expect(Math.abs(completenessError)).toBeLessThan(0.02 + 0.02 * Math.abs(logitChange));
    expect(insideLesion).toBeGreaterThan(0);
    expect(insideLesion).toBeLessThan(1);
    const png = await readFile(join(run(), 'explain', file));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
  }
  expect((await readdir(join(run(), 'explain'))).filter((name) => name.endsWith('.png')).length).toBe(
    3 * cases.length,
  );
  const methods = new Set(sanityStages.map(({ method }: { method: string }) => method));
  expect(methods.size).toBe(3);
  expect(sanityChecks).toHaveLength(3);
  for (const { correlation, passed, limit } of sanityChecks) expect(passed).toBe(correlation < limit);
  const explanation = await readExplanation(run());
  expect(explanation?.maps).toHaveLength(maps.length);
  expect(await readExplanation(folder)).toBeUndefined();
  const splits = await json('splits.json');
  const test = splits.folds[1].test as string[];
  for (const { caseLabel, neighbours } of nearest) {
    expect(test).toContain(caseLabel);
    expect(neighbours).toHaveLength(5);
    for (const each of neighbours) expect(test).not.toContain(each.caseLabel);
  }
  const drop = Object.fromEntries(
    importance.map(({ variable, aucDrop }: { variable: string; aucDrop: number }) => [variable, aucDrop]),
  );
  expect(Object.keys(drop)).toEqual(['image', 'marker', 'other']);
  expect(drop.marker).toBeGreaterThan(drop.other);
}, 400_000);

test('what is not there is named', async () => {
  const wanted = (code: string) => expect.objectContaining({ code });
  await expect(stressRun({ run: join(folder, 'nothing') })).rejects.toThrow(wanted('MISSING_FILE'));
  await expect(stressRun({ run: run(), variant: 'other' })).rejects.toThrow(wanted('NO_TRIAL'));
  await expect(explainRun({ run: run(), trial: 2 })).rejects.toThrow(wanted('NO_TRIAL'));
  await expect(stressRun({ run: run(), interrupted: () => true })).rejects.toThrow(wanted('INTERRUPTED'));
});

test('the report, written again from what fit kept, holds both', async () => {
  const page = async () => readFile(join(run(), 'report.html'), 'utf8');
  const before = await page();
  expect(before).not.toMatch(/id="robustness"/);
  await renderAgain(run());
  const after = await page();
  expect(after).toMatch(/noise of 20 HU/);
  expect(after).toMatch(/integrated gradients/);
  const auc = /ROC-AUC of [0-9.]+ \([0-9.]+–[0-9.]+\)/;
  expect(after.match(auc)).toEqual(before.match(auc));
  expect(await readdir(join(run(), 'csv'))).toContain('stress.csv');
});
