import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sharedData } from '@onco-response/tooling-vitest/data';
import { orientationOf, reorient, sameGrid, volumeMm3 } from '@onco-response/volume';
import { afterAll, describe, expect, test } from 'vitest';
import { readDicomSeries } from './read-dicom-series.js';
import { readMask } from './read-mask.js';
import { readVolume } from './read-volume.js';

const temporary: string[] = [];
afterAll(() => {
  for (const folder of temporary) rmSync(folder, { recursive: true });
});

const sts = sharedData('sts');
describe.skipIf(!sts)('soft-tissue sarcoma (TCIA)', () => {
  test('the DICOM series of STS_002 equals its NIfTI voxel for voxel, its mask lies on it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'imaging-io-sts-'));
    temporary.push(folder);
    execFileSync('tar', ['xzf', join(sts!, 'STS_002_CT_dicom_rtstruct.tar.gz'), '-C', folder]);
    const { volume, series } = await readDicomSeries(join(folder, 'STS_002/CT/image'));
    const nifti = await readVolume(join(sts!, 'full/STS_002/CT_image.nii.gz'));
    expect(series.modality).toBe('CT');
    expect(volume.data).toBeInstanceOf(Int16Array);
    expect(sameGrid(volume, nifti)).toBe(true);
    expect(volume.data.every((v, at) => v === nifti.data[at])).toBe(true);
    const mask = await readMask(join(sts!, 'full/STS_002/CT_mask.nii.gz'), { like: volume });
    expect(volumeMm3(mask) / 1000).toBeCloseTo(53.3, 1); // ml
  });
});

const nact = sharedData('nact-dce-mri');
describe.skipIf(!nact)('breast DCE-MRI (TCIA)', () => {
  // data/README.md: functional tumour volume = PE1 >= 70 and SER > 0
  test.each([
    ['NACT_06', 41.1],
    ['NACT_08', 42.8],
  ] as const)('%s runs PIR and has %f ml of tumour', async (id, ml) => {
    const [enhancement, ratio] = await Promise.all(
      ['PE1', 'SER'].map((map) => readVolume(join(nact!, `${id}_${map}.nii.gz`))),
    );
    expect(orientationOf(enhancement!)).toBe('PIR');
    const tumour = Uint8Array.from(enhancement!.data, (v, at) => (v >= 70 && ratio!.data[at]! > 0 ? 1 : 0));
    const axial = reorient({ ...enhancement!, data: tumour }, 'LPS');
    expect(axial.size).toEqual([60, 256, 256]);
    expect(volumeMm3(axial) / 1000).toBeCloseTo(ml, 1);
  });
});

const slices = sharedData('dicom-seg');
describe.skipIf(!slices)('dcmqi', () => {
  test('three CT slices', async () => {
    const { volume } = await readDicomSeries(join(slices!, 'ct-3slice'));
    expect(volume.size).toEqual([512, 512, 3]);
    expect(volume.spacing.map((v) => v.toFixed(4))).toEqual(['0.8105', '0.8105', '1.0000']);
    // SimpleITK 2.5: sum of all voxels and one of them
    expect((volume.data as Int16Array).reduce((sum: number, v: number) => sum + v, 0)).toBe(-750951030);
    expect(volume.data[300 + 512 * (200 + 512)]).toBe(-16);
  });
  test('an enhanced multi-frame file equals its single slices', async () => {
    const single = await readVolume(join(slices!, '23x38x3/image'));
    const multi = await readVolume(join(slices!, '23x38x3/multiframe/mf.dcm'));
    expect(sameGrid(single, multi)).toBe(true);
    expect([...multi.data]).toEqual([...single.data]);
  });
});
