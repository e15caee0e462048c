import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sharedData } from '@onco-response/tooling-vitest/data';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dicomBytes } from '../test-dicom.js';
import { readDicomSeries } from './read-dicom-series.js';
import { readMask } from './read-mask.js';
import { readVolume } from './read-volume.js';
import { goldenBytes, maskGolden } from './test-dicom-masks.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'imaging-io-masks-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

describe('the kind of a file is told from its content', () => {
  const { segmentations, structures } = maskGolden;
  const [binary] = segmentations.cases;
  test.each(['a.dcm', 'a.seg', 'a', '1.2.840.1'])('a segmentation called %s', async (name) => {
    writeFileSync(at(name), goldenBytes(binary!.file));
    const mask = await readMask(at(name), { like: segmentations.grid });
    expect(mask.data.join('')).toBe(binary!.labels);
  });
  test('a structure set', async () => {
    writeFileSync(at('RS'), goldenBytes(structures.single));
    const mask = await readMask(at('RS'), { like: structures.grid });
    expect(mask.data.filter((v) => v === 1)).toHaveLength(2 * structures.rois[0]!.voxels);
  });
  test('a deflated one, alone in its folder', async () => {
    const deflated = segmentations.cases.find(({ name }) => name === 'BINARY, deflated')!;
    mkdirSync(at('only'));
    writeFileSync(at('only/1-1.dcm'), goldenBytes(deflated.file));
    expect((await readMask(at('only'))).data.join('')).toBe(deflated.labels);
  });
  test('DICOM slices of labels', async () => {
    const pixels = Uint16Array.from([0, 1, 2, 0, 0, 3]);
    writeFileSync(at('labels.dcm'), dicomBytes({ pixels, intercept: 0 }));
    expect((await readMask(at('labels.dcm'))).data).toEqual(Uint8Array.from(pixels));
  });
  test('neither', async () => {
    writeFileSync(at('text'), 'hello, this is no mask');
    await expect(readMask(at('text'))).rejects.toMatchObject({ name: 'ImagingError' });
    await expect(readMask(at('missing'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

const dcmqi = sharedData('dicom-seg');
describe.skipIf(!dcmqi)('dcmqi: voxel for voxel the NRRD truth', () => {
  test.each(maskGolden.truths.map((t) => [t.file, t.segment, t] as const))(
    '%s, segment %s',
    async (file, segment, truth) => {
      const mask = await readMask(join(dcmqi!, file), { segment: segment ?? undefined });
      expect(mask.size).toEqual(truth.size);
      for (const axis of [0, 1, 2]) {
        expect(mask.spacing[axis]).toBeCloseTo(truth.spacing[axis]!, 6);
        expect(mask.origin[axis]).toBeCloseTo(truth.origin[axis]!, 4);
      }
      expect(mask.direction).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
      expect(mask.data.filter((v) => v > 0)).toHaveLength(truth.voxels);
      // with a segment the truth is that label as 1
      expect(createHash('sha256').update(mask.data).digest('hex')).toBe(truth.sha256);
    },
  );
  test('overlapping segments have to be named', async () => {
    await expect(readMask(join(dcmqi!, 'partial_overlaps.dcm'))).rejects.toMatchObject({
      code: 'OVERLAPPING_SEGMENTS',
    });
    const byLabel = await readMask(join(dcmqi!, 'partial_overlaps.dcm'), { segment: 'PURPLE' });
    expect(byLabel.data.filter((v) => v > 0)).toHaveLength(10743);
  });
  test('on the images they were drawn on, and on no other', async () => {
    const ct = await readVolume(join(dcmqi!, 'ct-3slice'));
    const phantom = await readVolume(join(dcmqi!, '23x38x3/image'));
    const liver = await readMask(join(dcmqi!, 'liver.dcm'), { like: ct });
    expect(liver.data.filter((v) => v > 0)).toHaveLength(107098);
    const label = await readMask(join(dcmqi!, '23x38x3/seg/label.seg'), { like: phantom });
    expect(label.data.filter((v) => v > 0)).toHaveLength(322);
    await expect(readMask(join(dcmqi!, 'liver.dcm'), { like: phantom })).rejects.toMatchObject({
      code: 'GRID_MISMATCH',
    });
  });
});

const sts = sharedData('sts');
test.skipIf(!sts)('STS_002 (TCIA): the structure set equals the mask that came with it', async () => {
  execFileSync('tar', ['xzf', join(sts!, 'STS_002_CT_dicom_rtstruct.tar.gz'), '-C', folder]);
  const { volume, series } = await readDicomSeries(at('STS_002/CT/image'));
  const { frameOfReferenceUid } = series;
  const mask = await readMask(at('STS_002/CT/mask/RS.dcm'), {
    like: volume,
    segment: 'GTV_Mass_CT',
    frameOfReferenceUid,
  });
  const truth = await readMask(join(sts!, 'full/STS_002/CT_mask.nii.gz'), { like: volume });
  let [both, sum] = [0, 0];
  for (let voxel = 0; voxel < truth.data.length; voxel++) {
    both += mask.data[voxel]! & truth.data[voxel]!;
    sum += mask.data[voxel]! + truth.data[voxel]!;
  }
  expect(sum).toBeGreaterThan(30_000);
  expect((2 * both) / sum).toBe(1); // the issue asks for 0.97
  await expect(
    readMask(at('STS_002/CT/mask'), { like: volume, frameOfReferenceUid: '1.2.3' }),
  ).rejects.toMatchObject({ code: 'GRID_MISMATCH' });
});
