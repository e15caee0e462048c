import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { sharedData } from '@onco-response/tooling-vitest/data';
import { createVolume, type Grid, type Mask, sameGrid } from '@onco-response/volume';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDicom } from '../dicom-dataset.js';
import { dicomWith } from '../test-dicom-attributes.js';
import type { DicomSegOptions } from '../write-dicom-seg.js';
import { encodeDicomSeg } from '../write-dicom-seg-browser.js';
import { readDicomSeries } from './read-dicom-series.js';
import { readMask } from './read-mask.js';
import { type WriteDicomSegOptions, writeDicomSeg } from './write-dicom-seg.js';

interface ReadBack {
  readonly now: string;
  readonly cases: readonly {
    readonly name: string;
    readonly grid: Grid;
    readonly files: readonly string[];
    readonly labels: string;
    readonly options: DicomSegOptions;
    readonly sha256: string;
    readonly highdicom: { readonly segments: Record<string, readonly string[]>; readonly frames: number };
  }[];
}

/**
 * What highdicom and dcmqi read back from files of these hashes: voxels, geometry, references, descriptions, equal to
 * what was written (tooling/reference/imaging_seg_readback.py).
 */
const { now, cases } = JSON.parse(
  readFileSync(new URL('../__fixtures__/dicom-seg-readback.json', import.meta.url), 'utf8'),
) as ReadBack;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'imaging-io-write-seg-'));
  for (const [at, { files }] of cases.entries()) {
    mkdirSync(join(folder, `${at}`));
    for (const [number, file] of files.entries()) {
      writeFileSync(join(folder, `${at}/${number}.dcm`), inflateSync(Buffer.from(file, 'base64')));
    }
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
const moment = new Date(now);
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const digits = ({ data }: Mask): string => data.join('');

/** The mask of a case, on the grid that reading its image gives. */
async function caseOf(index: number): Promise<{ mask: Mask; source: string }> {
  const source = at(`${index}`);
  const { volume } = await readDicomSeries(source);
  const data = Uint8Array.from(cases[index]!.labels, Number);
  return { mask: createVolume({ ...volume, data }) as Mask, source };
}

const code = async (promise: Promise<unknown>): Promise<string> => {
  const error = (await promise.then(
    () => ({ code: 'written' }),
    (thrown: unknown) => thrown,
  )) as { code: string; message?: string };
  expect(error.message ?? '').not.toMatch(/D.e\^|Jane|SECRET|1970/);
  return error.code;
};

describe('the bytes that highdicom and dcmqi read back', () => {
  test.each(cases.map((c, index) => [c.name, c, index] as const))('%s', async (_, c, index) => {
    const { mask, source } = await caseOf(index);
    expect(sameGrid(mask, c.grid)).toBe(true);
    const path = at(`${index}.dcm`);
    await writeDicomSeg(path, mask, { source, now: moment, ...c.options });
    expect(hash(readFileSync(path))).toBe(c.sha256);
    // and our own reader
    const back = await readMask(path, { like: mask });
    expect(digits(back)).toBe(c.labels);
    expect(back.warnings).toEqual([]);
    const own = await readMask(path);
    expect(own.data.filter((label) => label > 0)).toEqual(mask.data.filter((label) => label > 0));
    const [label, [name]] = Object.entries(c.highdicom.segments)[0]! as [string, readonly [string]];
    const one = await readMask(path, { like: mask, segment: name });
    expect(one.data).toEqual(mask.data.map((value) => (value === Number(label) ? 1 : 0)));
  });
  test('given a series, a list of files in any order, or what a browser has', async () => {
    for (const index of [0, 4]) {
      const { mask } = await caseOf(index);
      const { series } = await readDicomSeries(at(`${index}`));
      const options = { ...cases[index]!.options, now: moment };
      const files = readdirSync(at(`${index}`)).map((name) => join(at(`${index}`), name));
      for (const source of [series, files, [...files].reverse()]) {
        await writeDicomSeg(at('again.dcm'), mask, { source, ...options });
        expect(hash(readFileSync(at('again.dcm')))).toBe(cases[index]!.sha256);
      }
      const source = files.map((file) => new File([readFileSync(file)], basename(file)));
      expect(hash(await encodeDicomSeg(mask, { source, ...options }))).toBe(cases[index]!.sha256);
    }
  });
});

describe('what depends on what', () => {
  const uids = (bytes: Uint8Array): (string | undefined)[] => {
    const data = parseDicom(bytes);
    return ['x00080018', 'x0020000e', 'x00020003'].map((tag) => data.string(tag));
  };
  const encoded = async (change: Partial<WriteDicomSegOptions>, edit = (mask: Mask): Mask => mask) => {
    const { mask, source } = await caseOf(2);
    await writeDicomSeg(at('one.dcm'), edit(mask), { source, now: moment, ...change });
    return new Uint8Array(readFileSync(at('one.dcm')));
  };
  test('other voxels, names or moments are another instance; UIDs are valid', async () => {
    const flipped = (mask: Mask): Mask => ({ ...mask, data: mask.data.map((v, n) => (n === 0 ? 1 - v : v)) });
    const all = [
      await encoded({}),
      await encoded({}, flipped),
      await encoded({ segments: [{ label: 1, name: 'Other' }] }),
      await encoded({ now: new Date(moment.getTime() + 1000) }),
    ].map(uids);
    for (const [instance, series, meta] of all) {
      expect(meta).toBe(instance);
      for (const uid of [instance, series]) expect(uid).toMatch(/^2\.25\.[1-9]\d{0,38}$/);
    }
    expect(new Set(all.flat()).size).toBe(8);
    expect(await encoded({})).toEqual(await encoded({}));
  });
  test('series number, description and creator', async () => {
    const bytes = await encoded({
      seriesNumber: 77,
      seriesDescription: 'Lesions',
      contentCreator: 'Reader^One',
    });
    const data = parseDicom(bytes);
    expect(['x00200011', 'x0008103e', 'x00700084'].map((tag) => data.string(tag))).toEqual([
      '77',
      'Lesions',
      'Reader^One',
    ]);
  });
  test('labels with gaps keep their numbers', async () => {
    const twice = (mask: Mask): Mask => ({ ...mask, data: mask.data.map((label) => label * 3) });
    for (const kind of ['binary', 'labelmap'] as const) {
      writeFileSync(at('gap.dcm'), await encoded({ kind }, twice));
      const { mask } = await caseOf(2);
      expect(await readMask(at('gap.dcm'), { like: mask })).toMatchObject({ data: twice(mask).data });
      expect(await code(readMask(at('gap.dcm'), { segment: 2 }))).toBe('EMPTY_MASK');
    }
  });
  test('256 labels need all their bits', async () => {
    const every = (mask: Mask): Mask => ({ ...mask, data: mask.data.map((_, voxel) => 255 - voxel) });
    writeFileSync(at('many.dcm'), await encoded({}, every));
    const { mask } = await caseOf(2);
    expect((await readMask(at('many.dcm'), { like: mask })).data).toEqual(every(mask).data);
  });
});

describe('refused', () => {
  test('another grid, naming what differs', async () => {
    const { mask, source } = await caseOf(0);
    const moved = { ...mask, origin: [mask.origin[0] + 0.01, mask.origin[1], mask.origin[2]] as const };
    await expect(writeDicomSeg(at('no.dcm'), moved, { source })).rejects.toMatchObject({
      code: 'GRID_MISMATCH',
      message: expect.stringMatching(/origin -40\.49 .*image -40\.5/),
    });
    const other = await caseOf(1);
    expect(await code(writeDicomSeg(at('no.dcm'), other.mask, { source }))).toBe('GRID_MISMATCH');
    expect(readdirSync(folder).filter((name) => name.includes('no.dcm'))).toEqual([]);
  });
  test('an empty mask, unless allowed', async () => {
    const { mask, source } = await caseOf(0);
    const empty = { ...mask, data: new Uint8Array(mask.data.length) };
    for (const kind of ['binary', 'labelmap'] as const) {
      expect(await code(writeDicomSeg(at('empty.dcm'), empty, { source, kind }))).toBe('EMPTY_MASK');
      await writeDicomSeg(at('empty.dcm'), empty, { source, kind, allowEmpty: true });
      expect((await readMask(at('empty.dcm'))).data).toEqual(empty.data);
    }
  });
  test('labels and segments that do not fit each other', async () => {
    const { mask, source } = await caseOf(0); // labels 1 and 2
    const { segments } = cases[0]!.options;
    for (const wrong of [
      [segments![0]!],
      [...segments!, { label: 1 }],
      [...segments!, { label: 300 }],
      [...segments!, { label: 3, name: 'a\\b' }],
      [...segments!, { label: 3, name: '' }],
      [...segments!, { label: 3, name: 'x'.repeat(65) }],
      [...segments!, { label: 3, color: [0, 0, 256] as const }],
      [...segments!, { label: 3, type: { value: 'x'.repeat(17), scheme: 'SCT', meaning: 'x' } }],
    ]) {
      expect(await code(writeDicomSeg(at('no.dcm'), mask, { source, segments: wrong }))).toBe('INVALID_MASK');
    }
    const short = { ...mask, data: mask.data.subarray(1) };
    expect(await code(writeDicomSeg(at('no.dcm'), short, { source }))).toBe('INVALID_MASK');
  });
  test('images that cannot be referred to, or are not one series', async () => {
    const { mask } = await caseOf(0);
    mkdirSync(at('bare'));
    writeFileSync(at('bare/0.dcm'), dicomWith({}, { '0008,0016': '1.2', '0008,0018': '1.3' }));
    await expect(writeDicomSeg(at('no.dcm'), mask, { source: at('bare') })).rejects.toMatchObject({
      code: 'MISSING_ATTRIBUTE',
      message: expect.stringMatching(/StudyInstanceUID, FrameOfReferenceUID/),
    });
    mkdirSync(at('mixed'));
    for (const [name, frame] of [
      ['0', '1.5'],
      ['1', '1.6'],
    ] as const) {
      const uids = { '0008,0016': '1.2', '0008,0018': `1.3.${name}`, '0020,000d': '1.4', '0020,0052': frame };
      writeFileSync(at(`mixed/${name}.dcm`), dicomWith({ position: [0, 0, 2 * Number(name)] }, uids));
    }
    expect(await code(writeDicomSeg(at('no.dcm'), mask, { source: at('mixed') }))).toBe('SEVERAL_SERIES');
    expect(await code(writeDicomSeg(at('no.dcm'), mask, { source: at('missing') }))).toBe('NOT_FOUND');
    expect(await code(writeDicomSeg(at('none/no.dcm'), mask, { source: at('0') }))).toBe('NOT_FOUND');
  });
});

const sts = sharedData('sts');
test.skipIf(!sts)('STS_002 (TCIA): its mask written over its CT and read back is the same', async () => {
  execFileSync('tar', ['xzf', join(sts!, 'STS_002_CT_dicom_rtstruct.tar.gz'), '-C', folder]);
  const { volume, series } = await readDicomSeries(at('STS_002/CT/image'));
  const mask = await readMask(join(sts!, 'full/STS_002/CT_mask.nii.gz'), { like: volume });
  const segments = [{ label: 1, name: 'GTV_Mass_CT', algorithm: 'MANUAL' }] as const;
  await writeDicomSeg(at('sts.dcm'), mask, { source: series, segments });
  const { frameOfReferenceUid } = series;
  expect(volume.frameOfReferenceUid).toBe(frameOfReferenceUid);
  const back = await readMask(at('sts.dcm'), { like: volume, segment: 'GTV_Mass_CT' });
  expect(back.frameOfReferenceUid).toBe(frameOfReferenceUid);
  expect(Buffer.compare(back.data, mask.data)).toBe(0);
  // the same numbers in another frame of reference are another place
  const elsewhere = { ...volume, frameOfReferenceUid: '1.2.3' };
  expect(await code(readMask(at('sts.dcm'), { like: elsewhere }))).toBe('GRID_MISMATCH');
  const other = { ...mask, frameOfReferenceUid: '1.2.3' };
  expect(await code(writeDicomSeg(at('no.dcm'), other, { source: series }))).toBe('GRID_MISMATCH');
});

const dcmqi = sharedData('dicom-seg');
test.skipIf(!dcmqi)('dcmqi: its segmentations, written again over their images', async () => {
  for (const [image, seg] of [
    ['ct-3slice', 'liver.dcm'],
    ['23x38x3/image', '23x38x3/seg/label.seg'],
    ['23x38x3/multiframe/mf.dcm', '23x38x3/seg/label.seg'],
  ] as const) {
    const source = image.endsWith('.dcm') ? [join(dcmqi!, image)] : join(dcmqi!, image);
    const { volume } = await readDicomSeries(source);
    const mask = await readMask(join(dcmqi!, seg), { like: volume });
    await writeDicomSeg(at('again.dcm'), mask, { source });
    const again = await readMask(at('again.dcm'), { like: volume });
    expect(Buffer.compare(again.data, mask.data)).toBe(0);
  }
});
