import { describe, expect, test } from 'vitest';
import { type Attributes, dicomWith } from '../test-dicom-attributes.js';
import { temporaryFolder } from '../test-dicom-folder.js';
import { listDicomSeries } from './list-dicom-series.js';
import { readDicomSeries } from './read-dicom-series.js';

/** A series of `count` slices. */
const slices = (
  seriesUid: string,
  count: number,
  {
    description,
    modality = 'CT',
    thickness = 2,
  }: { description: string; modality?: string; thickness?: number },
  more: Attributes = {},
): Uint8Array[] =>
  Array.from({ length: count }, (_, n) =>
    dicomWith(
      { seriesUid, thickness, position: [0, 0, 2 * n] },
      { '0008,0060': modality, '0008,103e': description, ...more },
    ),
  );
const study = (): string =>
  temporaryFolder([
    ...slices('1.1', 4, { description: 'CHEST Portal venous', thickness: 5 }),
    ...slices('1.2', 6, { description: 'CHEST portal thin', thickness: 1 }),
    ...slices('1.3', 2, { description: 'Bolus timing', thickness: 1 }),
    ...slices('1.4', 5, { description: 'PET WB', modality: 'PT', thickness: 3 }),
  ]);

describe('rules', () => {
  test.each([
    ['modality', { modality: 'PT' }, '1.4'],
    ['modality in lower case', { modality: 'pt' }, '1.4'],
    ['text', { description: 'BOLUS' }, '1.3'],
    ['pattern', { description: /portal\s+thin$/ }, '1.2'],
    ['a global pattern used over and over', { description: /timing/g }, '1.3'],
    ['thickness and slices', { modality: 'CT', maximumThicknessMm: 1.5, minimumSlices: 3 }, '1.2'],
    ['slices', { minimumSlices: 6 }, '1.2'],
    ['description, thick', { description: /portal/i, maximumThicknessMm: 1 }, '1.2'],
  ])('%s', async (_, rules, uid) => {
    const folder = study();
    expect((await readDicomSeries(folder, rules)).series.seriesUid).toBe(uid);
    expect((await listDicomSeries(folder, rules)).map((s) => s.seriesUid)).toEqual([uid]);
  });
  test('several meet them: all of those are listed, no other', async () => {
    const error: Error = await readDicomSeries(study(), { description: /chest/i }).catch((e) => e);
    expect(error).toMatchObject({ code: 'SEVERAL_SERIES' });
    expect(error.message).toContain('1.1 (CT, "CHEST Portal venous", 4 slices, 5.00 mm)');
    expect(error.message).toContain('1.2 (CT, "CHEST portal thin", 6 slices, 1.00 mm)');
    expect(error.message).not.toContain('Bolus');
  });
  test('none meets them: what is there is listed', async () => {
    const error: Error = await readDicomSeries(study(), { modality: 'MR' }).catch((e) => e);
    expect(error).toMatchObject({ code: 'NOT_FOUND' });
    expect(error.message).toContain('1.4 (PT, "PET WB", 5 slices, 3.00 mm)');
    expect(await listDicomSeries(study(), { modality: 'MR' })).toEqual([]);
  });
  test('without SliceThickness the distance of slices counts', async () => {
    const folder = temporaryFolder(slices('1.1', 3, { description: 'x', thickness: 0 }));
    expect((await listDicomSeries(folder))[0]!.thicknessMm).toBe(2);
    await expect(readDicomSeries(folder, { maximumThicknessMm: 1 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('a patient in the description', () => {
  const personal = { '0010,0010': 'Li^Anneke', '0010,0020': 'K4711', '0008,0050': 'ACC99' };
  test.each([
    ['Anneke CT Li thorax', '* CT * thorax'],
    ['CT_ANNEKE_k4711', 'CT_*_*'],
    ['limbs and liver', 'limbs and liver'],
    ['CT 2021-03-04 acc99', 'CT * *'],
    ['CT 20210304 thin 1.5', 'CT * thin 1.5'],
    ['born 4.3.1960', 'born *'],
  ])('%s', async (description, shown) => {
    const folder = temporaryFolder([
      ...slices('1.1', 2, { description }, personal),
      ...slices('1.2', 2, { description: 'other' }, personal),
    ]);
    const error: Error = await readDicomSeries(folder).catch((e) => e);
    expect(error.message).toContain(`"${shown}"`);
    expect((await listDicomSeries(folder))[0]!.description).toBe(shown);
    // what the rules see is what was written
    expect((await readDicomSeries(folder, { description })).series.seriesUid).toBe('1.1');
  });
});
