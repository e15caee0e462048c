import { describe, expect, test } from 'vitest';
import { type Attributes, dicomWith } from '../test-dicom-attributes.js';
import { temporaryFolder } from '../test-dicom-folder.js';
import { readDicomPhases } from './read-dicom-phases.js';
import { readDicomSeries } from './read-dicom-series.js';

const HEIGHTS = [0, 2, 4];
const PHASES = [0, 1, 2];

/** Slices of three phases at three heights, in mixed order; voxels are 100 x phase + height. */
const dynamic = (attributes: (phase: number, height: number) => Attributes | undefined): string => {
  const files = PHASES.flatMap((phase) =>
    HEIGHTS.flatMap((height) => {
      const more = attributes(phase, height);
      if (more === undefined) return [];
      const pixels = new Uint16Array(6).fill(100 * phase + height);
      const tags = { position: [0, 0, height], intercept: 0, pixels };
      return [dicomWith(tags, { '0008,0060': 'MR', ...more })];
    }),
  );
  return temporaryFolder([...files.filter((_, at) => at % 2), ...files.filter((_, at) => at % 2 === 0)]);
};
const orderly = [
  [0, 2, 4],
  [100, 102, 104],
  [200, 202, 204],
];
async function read(
  folder: string,
): Promise<{ seconds: (number | undefined)[]; planes: number[][]; note: string }> {
  const phases = await readDicomPhases(folder);
  return {
    seconds: phases.map((phase) => phase.seconds),
    planes: phases.map(({ volume }) => HEIGHTS.map((_, z) => volume.data[6 * z]!)),
    note: phases[0]!.series.warnings.join(),
  };
}
const clock = (seconds: number): string => {
  const pad = (value: number): string => String(value).padStart(2, '0');
  const inDay = seconds % 86_400;
  return `${pad(Math.floor(inDay / 3600))}${pad(Math.floor(inDay / 60) % 60)}${pad(Math.floor(inDay % 60))}`;
};

describe('phases are told apart by', () => {
  test.each<[string, (phase: number, height: number) => Attributes, (number | undefined)[]]>([
    [
      'TemporalPositionIdentifier',
      (phase) => ({ '0020,0100': String(phase + 1), '0018,1060': String(90_500 * phase) }),
      [0, 90.5, 181],
    ],
    [
      'TemporalPositionIdentifier',
      (phase) => ({ '0020,0100': String(phase + 1) }),
      [undefined, undefined, undefined],
    ],
    // the same identifier everywhere says nothing
    [
      'TriggerTime',
      (phase) => ({ '0020,0100': '1', '0018,1060': String(60_000 * phase + 4000) }),
      [0, 60, 120],
    ],
    [
      'AcquisitionTime',
      (phase) => ({ '0018,1060': '0', '0008,0032': clock(36_000 + 75 * phase) }),
      [0, 75, 150],
    ],
    [
      'AcquisitionTime', // each slice at its own time
      (phase, height) => ({ '0008,0032': clock(36_000 + 75 * phase + 10 * height) }),
      [0, 75, 150],
    ],
    ['AcquisitionTime', (phase) => ({ '0008,0032': clock(86_300 + 75 * phase) }), [0, 75, 150]], // over midnight
    [
      'AcquisitionTime', // over midnight, with dates
      (phase) => ({
        '0008,0022': phase < 2 ? '20010203' : '20010204',
        '0008,0032': clock(86_300 + 75 * phase),
      }),
      [0, 75, 150],
    ],
    [
      'ContentTime',
      (phase) => ({ '0008,0032': '100000', '0008,0033': clock(36_000 + 60 * phase) }),
      [0, 60, 120],
    ],
  ])('%s', async (attribute, attributes, seconds) => {
    const { planes, note, ...phases } = await read(dynamic(attributes));
    expect(planes).toEqual(orderly);
    expect(phases.seconds).toEqual(seconds);
    expect(note).toContain(`3 phases by ${attribute}`);
    expect(note).not.toMatch(/2001|0203/);
  });
  test('times, where the identifiers are numbered against them', async () => {
    const { planes, seconds } = await read(
      dynamic((phase) => ({ '0020,0100': String(3 - phase), '0018,1060': String(1000 * phase) })),
    );
    expect(planes).toEqual(orderly);
    expect(seconds).toEqual([0, 1, 2]);
  });
});

test('readDicomSeries still refuses them', async () => {
  const folder = dynamic((phase) => ({ '0020,0100': String(phase + 1) }));
  await expect(readDicomSeries(folder)).rejects.toMatchObject({ code: 'DUPLICATE_SLICES' });
});

test('a series without repeated positions is one phase', async () => {
  const phases = await readDicomPhases(dynamic((phase) => (phase === 0 ? {} : undefined)));
  expect(phases.map(({ volume, seconds }) => [volume.size[2], seconds])).toEqual([[3, 0]]);
});

describe('refused', () => {
  const at = (phase: number): Attributes => ({ '0020,0100': String(phase + 1) });
  test('a phase that lacks a slice, naming its position', async () => {
    const folder = dynamic((phase, height) => (phase === 1 && height === 2 ? undefined : at(phase)));
    const error: Error = await readDicomPhases(folder).catch((e) => e);
    expect(error).toMatchObject({ code: 'UNEVEN_PHASES', message: expect.stringContaining('2 at 2.00 mm') });
    expect(error.message).toContain('series 1.2.3.4');
  });
  test('as many slices everywhere, but not of the same phases', async () => {
    // phases 1 and 2 at two heights, 2 and 3 at the third
    const folder = dynamic((phase, height) => (phase === (height === 4 ? 0 : 2) ? undefined : at(phase)));
    await expect(readDicomPhases(folder)).rejects.toMatchObject({ code: 'UNEVEN_PHASES' });
  });
  test('the same by time', async () => {
    const folder = dynamic((phase, height) =>
      phase === (height === 4 ? 0 : 2) ? undefined : { '0008,0032': clock(36_000 + 60 * phase + height) },
    );
    await expect(readDicomPhases(folder)).rejects.toMatchObject({ code: 'UNEVEN_PHASES' });
  });
  test('nothing that tells them apart', async () => {
    await expect(readDicomPhases(dynamic(() => ({ '0008,0032': '100000' })))).rejects.toMatchObject({
      code: 'UNEVEN_PHASES',
    });
  });
  test('every phase lacks the same slice', async () => {
    const folder = temporaryFolder(
      PHASES.flatMap((phase) => [0, 2, 6].map((z) => dicomWith({ position: [0, 0, z] }, at(phase)))),
    );
    await expect(readDicomPhases(folder)).rejects.toMatchObject({ code: 'MISSING_SLICES' });
    const phases = await readDicomPhases(folder, { onUnevenSpacing: 'resample' });
    expect(phases.map(({ volume }) => volume.size[2])).toEqual([4, 4, 4]);
  });
});
