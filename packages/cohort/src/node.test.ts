import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readMask, readVolume } from '@onco-response/imaging-io/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { phantomCase } from './index.js';
import { readManifest, writePhantomCohort } from './node.js';

const coarse = { size: [64, 64, 20], spacing: [5, 5, 10], seed: 5 } as const;
const code = (wrong: string) => expect.objectContaining({ code: wrong });
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onco-cohort-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a synthetic cohort is written, found again, and completed', async () => {
  const directory = join(folder, 'phantom');
  const stop = new AbortController();
  const begun = writePhantomCohort(directory, {
    ...coarse,
    cases: 4,
    signal: stop.signal,
    onProgress: ({ done }) => done === 2 && stop.abort(new Error('stopped')),
  });
  await expect(begun).rejects.toThrow('stopped');

  const progress: [number, boolean][] = [];
  const onProgress = ({ done, kept }: { done: number; kept: boolean }) => progress.push([done, kept]);
  const cohort = await writePhantomCohort(directory, { ...coarse, cases: 4, onProgress });
  expect(progress[0]).toEqual([1, true]);
  expect(progress[3]).toEqual([4, false]);
  expect((await readdir(join(directory, 'images'))).sort()).toEqual(
    [1, 2, 3, 4].map((number) => `synthetic-000${number}.nii.gz`),
  );
  expect(JSON.parse(await readFile(join(directory, 'phantom.json'), 'utf8'))).toEqual(cohort);
  expect(cohort.reachableAuc.population).toBeCloseTo(0.948, 3);

  const { cases } = await readManifest(join(directory, 'cohort.csv'));
  expect(cases.map(({ label }) => label)).toEqual(cohort.cases.map(({ label }) => label));
  const expected = phantomCase(5, 2, { size: coarse.size, spacing: coarse.spacing });
  const volume = await readVolume(cases[2]!.image);
  expect(Array.from(volume.data)).toEqual(Array.from(expected.volume.data));
  expect([volume.size, volume.spacing]).toEqual([
    [64, 64, 20],
    [5, 5, 10],
  ]);
  expect((await readMask(cases[2]!.mask!, { like: volume })).data).toEqual(expected.mask.data);

  const written = (await stat(cases[0]!.image)).mtimeMs;
  expect(await writePhantomCohort(directory, { ...coarse, cases: 4 })).toEqual(cohort);
  expect((await stat(cases[0]!.image)).mtimeMs).toBe(written);
  const grown = await writePhantomCohort(directory, { ...coarse, cases: 5 });
  expect(grown.cases.slice(0, 4)).toEqual(cohort.cases);
  await expect(writePhantomCohort(directory, { ...coarse, seed: 6 })).rejects.toThrow(code('OTHER_PHANTOM'));
  await expect(writePhantomCohort(directory, { ...coarse, strength: 1 })).rejects.toThrow(
    code('OTHER_PHANTOM'),
  );
  await expect(writePhantomCohort(directory, { ...coarse, cases: 0 })).rejects.toThrow(code('OPTIONS'));
});

test('a manifest, an image or a mask that is not there is named with its line', async () => {
  await expect(readManifest(join(folder, 'none.csv'))).rejects.toThrow(code('MISSING_FILE'));
  await writeFile(join(folder, 'a.nii'), '');
  const path = join(folder, 'cohort.csv');
  await writeFile(path, 'patient_id,image,mask,label\np1,a.nii,,1\np2,b.nii,,0\n');
  await expect(readManifest(path)).rejects.toThrow(
    expect.objectContaining({ code: 'MISSING_FILE', line: 3 }),
  );
  await writeFile(path, 'patient_id,image,mask,label\np1,a.nii,m.nii,1\n');
  await expect(readManifest(path)).rejects.toThrow(`the mask ${join(folder, 'm.nii')} cannot be read`);
});
