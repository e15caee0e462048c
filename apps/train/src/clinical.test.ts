import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSmallStudy } from './__fixtures__/small-cohort.js';
import { readPredictions } from './predictions-csv.js';

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
let folder: string;

function onco(...args: string[]) {
  const { status, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ONCO_RESPONSE_CACHE: join(folder, 'cache') },
  });
  return { status, stderr };
}
const read = (...path: string[]) => readFile(join(folder, ...path), 'utf8');
const json = async (...path: string[]) => JSON.parse(await read(...path));

/** Row i of the table: the age is missing in every fifth, the stage in every seventh. */
const ageOf = (i: number) => (i % 5 === 0 ? '' : String(50 + i));
const stageOf = (i: number) => (i % 7 === 0 ? '' : ['III', 'IV'][i % 2]!);

async function writeTable(cohort: string, row: (i: number, caseId: string) => [string, string]) {
  const path = join(folder, cohort, 'cohort.csv');
  const [header, ...rows] = (await readFile(path, 'utf8')).trim().split('\n');
  const own = rows.map((line, i) => {
    const clinical = row(i, `case-${String(i + 1).padStart(4, '0')}`);
    return [...line.split(',').slice(0, 4), ...clinical].join();
  });
  const names = header!.split(',').slice(0, 4).join();
  await writeFile(path, `${names},age,stage\n${own.join('\n')}\n`);
}

async function copyCohort(name: string, row: Parameters<typeof writeTable>[1]) {
  await cp(join(folder, 'cohort'), join(folder, name), { recursive: true });
  await writeTable(name, row);
  return join(folder, name, 'study.yaml');
}

beforeAll(async () => {
  if (!existsSync(cli)) throw new Error(`build first (pnpm exec turbo run build): there is no ${cli}`);
  folder = await mkdtemp(join(tmpdir(), 'onco-clinical-'));
  const study = await writeSmallStudy(join(folder, 'cohort'), { cases: 30, epochs: 2 });
  await writeTable('cohort', (i) => [ageOf(i), stageOf(i)]);
  await writeFile(
    study,
    (await readFile(study, 'utf8')).replace('model:\n', 'model:\n  clinical: [age, stage]\n'),
  );
  const { status, stderr } = onco('fit', '--config', study, '--out', join(folder, 'fit'));
  if (status !== 0) throw new Error(stderr);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const rowOf = (caseId: string) => Number(caseId.slice(5)) - 1;

test('what is learnt of the clinical columns is that of the training cases alone', async () => {
  const { clinical } = await json('fit', 'bundle', 'bundle.json');
  const train: string[] = (await json('fit', 'splits.json')).cases.train;
  const ages = train.flatMap((caseId) => (ageOf(rowOf(caseId)) === '' ? [] : [Number(ageOf(rowOf(caseId)))]));
  const mean = ages.reduce((sum, age) => sum + age, 0) / ages.length;
  expect(clinical.fittedOn).toBe(train.length);
  const [age, stage] = clinical.columns;
  expect(age).toMatchObject({ kind: 'number', name: 'age', indicator: ages.length < train.length });
  expect(age.mean).toBeCloseTo(mean, 10);
  expect(age.standardDeviation).toBeCloseTo(
    Math.sqrt(ages.reduce((sum, each) => sum + (each - mean) ** 2, 0) / ages.length),
    10,
  );
  const sorted = ages.sort((a, b) => a - b);
  expect(age.median).toBe((sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[sorted.length >> 1]!) / 2);
  expect(stage).toMatchObject({ kind: 'category', name: 'stage', categories: ['III', 'IV'] });
});

test('a leak test: other clinical values of the test cases change neither weights nor statistics nor calibration', async () => {
  const test_ = new Set<string>((await json('fit', 'splits.json')).cases.test);
  const study = await copyCohort('other-tests', (i, caseId) =>
    test_.has(caseId) ? [String(1000 * i), stageOf(i + 1)] : [ageOf(i), stageOf(i)],
  );
  const out = join(folder, 'other-tests-out');
  const said = onco('fit', '--config', study, '--out', out);
  expect(said.status, said.stderr).toBe(0);
  const [ours, fitted] = [
    await json('other-tests-out', 'bundle', 'bundle.json'),
    await json('fit', 'bundle', 'bundle.json'),
  ];
  for (const part of ['clinical', 'calibration', 'threshold', 'files'])
    expect(ours[part], part).toEqual(fitted[part]);
  const rows = async (name: string, split: string) =>
    readPredictions(await read(name, 'predictions.csv')).filter((row) => row.split === split);
  expect(await rows('other-tests-out', 'validation')).toEqual(await rows('fit', 'validation'));
  expect(await rows('other-tests-out', 'test')).not.toEqual(await rows('fit', 'test'));
  // and the test tests something: another age of a training case does change them
  const train = new Set<string>((await json('fit', 'splits.json')).cases.train);
  const changed = await copyCohort('other-train', (i, caseId) =>
    train.has(caseId) && i % 5 === 1 ? ['90', stageOf(i)] : [ageOf(i), stageOf(i)],
  );
  const { status, stderr } = onco('fit', '--config', changed, '--out', join(folder, 'other-train-out'));
  expect(status, stderr).toBe(0);
  const other = await json('other-train-out', 'bundle', 'bundle.json');
  expect(other.clinical).not.toEqual(fitted.clinical);
  expect(other.files['head.safetensors']).not.toBe(fitted.files['head.safetensors']);
}, 120_000);

test.each<[string, (test: string) => Parameters<typeof writeTable>[1], RegExp]>([
  [
    'a category that no training case has',
    (only) => (i, caseId) => [ageOf(i), caseId === only ? 'II' : stageOf(i)],
    /hold-out, line \d+ of the cohort: stage is "II".*III, IV/,
  ],
  [
    'a column without a value in the training cases',
    (only) => (i, caseId) => [caseId === only ? '61' : '', stageOf(i)],
    /hold-out, its training cases: No training row has a value of age/,
  ],
])(
  '%s refuses the study when it is planned',
  async (name, rows, message) => {
    const [only] = (await json('fit', 'splits.json')).cases.test;
    const study = await copyCohort(name.replaceAll(/\W+/g, '-'), rows(only));
    const { status, stderr } = onco('plan', '--config', study, '--out', join(folder, `${name.length}-out`));
    expect(stderr).toContain('[INVALID_STUDY]');
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\bp\d+\b/);
    expect(status).toBe(42);
  },
  120_000,
);

test('values that were changed since the plan are refused, and a column that is not there', async () => {
  const study = await copyCohort('edited', (i) => [ageOf(i), stageOf(i)]);
  const out = join(folder, 'edited-out');
  expect(onco('plan', '--config', study, '--out', out).status).toBe(0);
  await writeTable('edited', (i) => [String(40 + i), stageOf(i)]);
  const { status, stderr } = onco('trial', '--out', out, '--index', '0');
  expect(stderr).toMatch(/\[STUDY_CHANGED\].*cohort\.csv holds other clinical values/);
  expect(status).toBe(42);
  await writeFile(study, (await readFile(study, 'utf8')).replace('[age, stage]', '[age, grade]'));
  expect(onco('plan', '--config', study, '--out', join(folder, 'none')).stderr).toMatch(
    /\[INVALID_STUDY\] model\.clinical names grade.*age, stage/,
  );
}, 120_000);
