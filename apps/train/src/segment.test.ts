import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256OfFolder } from './__fixtures__/sha256-of-folder.js';
import { writeSmallStudy } from './__fixtures__/small-cohort.js';
import { readSegmentCohort } from './segment-cohort.js';
import { quantile, type SegmentedCase, summarise } from './segment-evaluate.js';
import { parseSegmentStudy } from './segment-study.js';

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
let folder: string;

beforeAll(async () => {
  if (!existsSync(cli)) throw new Error(`build first (pnpm exec turbo run build): there is no ${cli}`);
  folder = await mkdtemp(join(tmpdir(), 'onco-segment-'));
  await writeSmallStudy(join(folder, 'cohort'), { cases: 12, epochs: 1 });
  await writeFile(
    join(folder, 'segment.yaml'),
    `name: synthetic discs
synthetic: true
cohort: cohort/cohort.csv
threads: 1
seed: 4
splits: { train: 0.5, validation: 0.2, test: 0.3 }
plan: { featuresBase: 2, maxFeatures: 4, maxPatch: [4, 16, 16] }
training: { epochs: 5, stepsPerEpoch: 3, validateEvery: 2 }
evaluation: { sheets: 2, mirror: false }
`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the study; with `killAfter`, kills it when its history has so many epochs. */
async function segment(
  out: string,
  killAfter?: number,
): Promise<{ end: string | number | null; said: string }> {
  const child = spawn(process.execPath, [
    cli,
    'segment',
    '--config',
    join(folder, 'segment.yaml'),
    '--out',
    out,
  ]);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (said += part));
  let ended = false;
  const end = new Promise<string | number | null>((done) => {
    child.on('close', (code, signal) => {
      ended = true;
      done(signal ?? code);
    });
  });
  const epochs = async (): Promise<number> =>
    JSON.parse(await readFile(join(out, 'history.json'), 'utf8').catch(() => '[]')).length;
  if (killAfter !== undefined) {
    while (!ended && (await epochs()) < killAfter) await setTimeout(5);
    child.kill('SIGKILL');
  }
  return { end: await end, said };
}

test('from a cohort to a model, masks, sheets and numbers; killed in the middle, to the same bytes', async () => {
  const [calm, killed] = [join(folder, 'calm'), join(folder, 'killed')];
  const { end, said } = await segment(calm);
  expect(said).toContain('| synthetic discs | lesion |');
  expect(end).toBe(0);
  const metrics = JSON.parse(await readFile(join(calm, 'metrics.json'), 'utf8'));
  expect(metrics).toMatchObject({ synthetic: true, patients: { train: 6, validation: 2, test: 4 } });
  expect(metrics.cases).toHaveLength(4);
  expect(metrics.test.lesion.cases).toBe(4);
  expect(metrics.best.epoch % 2 === 0 || metrics.best.epoch === 5).toBe(true);
  expect((await readdir(join(calm, 'sheets'))).every((name) => /^case-\d{4}\.png$/.test(name))).toBe(true);
  expect(await readdir(join(calm, 'predictions'))).toHaveLength(4);
  const written = await Promise.all(
    ['metrics.json', 'splits.json', 'run.json', 'history.json'].map((name) =>
      readFile(join(calm, name), 'utf8'),
    ),
  );
  expect(written.join('\n')).not.toMatch(/"p\d+"/); // no patient is named

  expect((await segment(killed, 2)).end).toBe('SIGKILL');
  expect(existsSync(join(killed, 'metrics.json'))).toBe(false);
  expect((await segment(killed)).end).toBe(0);
  for (const part of ['model', 'predictions', 'sheets']) {
    expect(await sha256OfFolder(join(killed, part)), part).toBe(await sha256OfFolder(join(calm, part)));
  }
  expect(await readFile(join(killed, 'history.json'), 'utf8')).toBe(written[3]);

  // another plan in the same folder is refused, not mixed in
  const config = join(folder, 'segment.yaml');
  await writeFile(config, (await readFile(config, 'utf8')).replace('seed: 4', 'seed: 5'));
  const other = await segment(calm);
  expect([other.end, other.said.includes('STUDY_CHANGED')]).toEqual([42, true]);
}, 240_000);

describe('the study file', () => {
  test('unknown keys and gaps between labels are refused with their place', () => {
    expect(() => parseSegmentStudy('name: a\ncohort: b.csv\nplan:\n  featureBase: 3\n', 's.yaml')).toThrow(
      /s\.yaml:4: unknown key "plan\.featureBase"/,
    );
    expect(() => parseSegmentStudy('name: a\ncohort: b.csv\nlabels: { a: 1, b: 3 }\n', 's.yaml')).toThrow(
      /not 1, 3/,
    );
  });

  test('other architectures than the plain one are named; a codebook is of the one that has it', () => {
    const plan = (lines: string) => parseSegmentStudy(`name: a\ncohort: b.csv\n${lines}`, 's.yaml').plan;
    expect(Object.keys(plan(''))).toEqual(['configuration', 'featuresBase', 'memoryGb']); // an old run's identity stays
    const codebook = 'plan: { architecture: vectorQuantisedUnet, codebook: { size: 64 } }';
    expect(plan(codebook)).toMatchObject({ architecture: 'vectorQuantisedUnet', codebook: { size: 64 } });
    expect(() => plan('plan: { codebook: { size: 64 } }')).toThrow(/codebook is of .* not of plainUnet/);
    expect(() => plan('plan: { architecture: transformer }')).toThrow(/architecture/);
  });

  test('no patient is in two splits; a given split is kept', async () => {
    const cohort = join(folder, 'split.csv');
    const row = (patient: string, split: string) => `${patient},segment.yaml,segment.yaml,${split}`;
    const study = { ...parseSegmentStudy('name: a\ncohort: x\n', 's.yaml'), cohort };
    const write = (rows: string[]) => writeFile(cohort, ['patient_id,image,mask,split', ...rows].join('\n'));
    await write(Array.from({ length: 20 }, (_, at) => row(`p${at >> 1}`, '')));
    const { cases } = await readSegmentCohort(study);
    for (const patient of new Set(cases.map(({ patientId }) => patientId))) {
      const own = cases.filter(({ patientId }) => patientId === patient);
      expect([own.length, new Set(own.map(({ split }) => split)).size]).toEqual([2, 1]);
    }
    await write([row('a', 'train'), row('b', 'validation'), row('c', 'test')]);
    expect((await readSegmentCohort(study)).cases.map(({ split }) => split)).toEqual([
      'train',
      'validation',
      'test',
    ]);
    await write([row('a', 'train'), row('a', 'validation'), row('c', 'test')]);
    await expect(readSegmentCohort(study)).rejects.toMatchObject({ code: 'LEAK' });
    await writeFile(cohort, 'patient_id,image,mask\na,segment.yaml,\n');
    await expect(readSegmentCohort(study)).rejects.toThrow(/row 1: mask is empty/);
  });
});

test('summaries leave out what has no value and count what was missed', () => {
  const none = { averageSurfaceMm: null, hausdorff95Mm: null, relativeVolumeError: null, volumeErrorMm3: 0 };
  const of = (dice: number | null, volumeMm3: number, referenceVolumeMm3: number): SegmentedCase => ({
    caseId: 'case-0001',
    labels: { lesion: { ...none, dice, volumeMm3, referenceVolumeMm3 } },
  });
  const { lesion } = summarise([of(0.8, 9, 10), of(0, 0, 10), of(null, 0, 0), of(0, 5, 0)], ['lesion']);
  expect(lesion).toMatchObject({
    cases: 3,
    medianDice: 0,
    missed: 1,
    invented: 1,
    medianHausdorff95Mm: null,
  });
  expect(quantile([3, 1, 2, 10], 0.25)).toBe(1.75);
  expect(quantile([], 0.5)).toBeNull();
});
