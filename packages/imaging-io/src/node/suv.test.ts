import { describe, expect, test } from 'vitest';
import { type Attributes, dicomWith } from '../test-dicom-attributes.js';
import { temporaryFolder } from '../test-dicom-folder.js';
import { readDicomSeries } from './read-dicom-series.js';

const tracer: Attributes = {
  '0018,1072': '100000.00', // injected at 10:00:00
  '0018,1074': '370000000', // 370 MBq
  '0018,1075': '6600', // 110 min
};
const header: Attributes = {
  '0008,0060': 'PT',
  '0008,0021': '20010203',
  '0008,0022': '20010203',
  '0008,0031': '115000',
  '0008,0032': '115000',
  '0010,1030': '70',
  '0028,0051': 'DECY\\ATTN\\SCAT',
  '0054,0016': tracer,
  '0054,1001': 'BQML',
  '0054,1102': 'START',
};

/** Attributes without some of them. */
const without = (attributes: Attributes, ...tags: string[]): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([tag]) => !tags.includes(tag)));

/** The first voxel of each of two slices of 1000 stored, with slopes 5 and 20, as SUV. */
async function suvOf(
  attributes: Attributes,
  second: Attributes = attributes,
): Promise<{ values: number[]; warnings: readonly string[] }> {
  const folder = temporaryFolder(
    [attributes, second].map((each, n) =>
      dicomWith(
        {
          position: [0, 0, 3 * n],
          slope: n === 0 ? 5 : 20,
          intercept: 0,
          bitsStored: 16,
          pixels: new Uint16Array(6).fill(1000),
        },
        each,
      ),
    ),
  );
  const { volume, series } = await readDicomSeries(folder, { units: 'suvBodyWeight' });
  expect(volume.data).toBeInstanceOf(Float32Array);
  return { values: [volume.data[0]!, volume.data[6]!], warnings: series.warnings };
}
const refusal = (attributes: Attributes): Promise<Error & { code: string }> =>
  suvOf(attributes).then(
    () => expect.unreachable('was not refused'),
    (error) => error,
  );

// float32 voxels: 7 digits
const DIGITS = 5;

describe('worked example', () => {
  test('one half-life between injection and scan', async () => {
    // delay          11:50:00 - 10:00:00       = 110 min = one half-life
    // dose left      370 MBq / 2               = 185 000 000 Bq
    // factor         70 kg x 1000 / 185e6      = 70 000 / 185 000 000 = 3.783784e-4 g/Bq
    // slice 1        1000 x  5 =  5 000 Bq/ml  -> 1.891892 g/ml
    // slice 2        1000 x 20 = 20 000 Bq/ml  -> 7.567568 g/ml (its own slope)
    const { values, warnings } = await suvOf(header);
    expect(values[0]).toBeCloseTo(1.891892, DIGITS);
    expect(values[1]).toBeCloseTo(7.567568, DIGITS);
    expect(warnings).toEqual([]);
  });
  test('an hour of fluorine-18', async () => {
    // delay 3600 s, half-life 6588 s: 2^(3600 / 6588) = e^(0.5464481 x 0.6931472) = e^0.3787690 = 1.460486
    // factor 70 000 / 370e6 x 1.460486 = 1.891892e-4 x 1.460486 = 2.763082e-4; x 20 000 Bq/ml = 5.526164
    const { values } = await suvOf({
      ...header,
      '0008,0031': '110000',
      '0008,0032': '110500',
      '0054,0016': { ...tracer, '0018,1075': '6588' },
    });
    expect(values[1]).toBeCloseTo(5.526164, DIGITS);
  });
  test('ADMIN: corrected to the injection already, no time is needed', async () => {
    // 70 000 / 370e6 = 1.891892e-4; x 5 000 = 0.945946
    const { values } = await suvOf({
      ...without(header, '0008,0021', '0008,0022', '0008,0031', '0008,0032'),
      '0054,0016': { '0018,1074': '370000000' },
      '0054,1102': 'ADMIN',
    });
    expect(values[0]).toBeCloseTo(0.945946, DIGITS);
  });
});

describe('when the scan started', () => {
  // injected at 10:00; 110 minutes later the factor gives 1.891892, see above
  const reprocessed = { ...header, '0008,0031': '160000' };
  test.each<[string, Attributes, RegExp]>([
    ['the first acquisition, where the series time is later', reprocessed, /first AcquisitionTime/],
    [
      "GE's own scan time",
      {
        ...reprocessed,
        '0008,0032': '120000',
        '0009,0010': 'GEMS_PETD_01',
        '0009,100d': '20010203115000.00',
      },
      /GE's own/,
    ],
    [
      "GE's block may lie elsewhere",
      {
        ...reprocessed,
        '0008,0032': '120000',
        '0009,0011': 'GEMS_PETD_01',
        '0009,110d': '20010203115000.00',
      },
      /GE's own/,
    ],
    ['only the acquisition time', without(header, '0008,0031'), /AcquisitionTime alone/],
    ['only the series time', without(header, '0008,0032'), /SeriesTime alone/],
  ])('%s', async (_, attributes, warning) => {
    const { values, warnings } = await suvOf(attributes);
    expect(values[0]).toBeCloseTo(1.891892, DIGITS);
    expect(warnings.join()).toMatch(warning);
    expect(warnings.join()).not.toMatch(/2001|0203/);
  });
  test('counted back from the frame reference time', async () => {
    // Bed at 12:00:00, frame 120 s. Its counts were average after T/2 - lambda T^2/24 = 60 - 0.0630 = 59.937 s
    // (lambda = ln 2 / 6600 s). 659.937 s counted back from 12:00:59.937 is 11:50:00.
    const { values, warnings } = await suvOf({
      ...reprocessed,
      '0008,0032': '120000',
      '0018,1242': '120000',
      '0054,1300': '659937',
    });
    expect(values[0]).toBeCloseTo(1.891892, DIGITS);
    expect(warnings.join()).toMatch(/FrameReferenceTime/);
  });
  test('the first acquisition of all slices', async () => {
    const { values } = await suvOf({ ...reprocessed, '0008,0032': '123000' }, reprocessed);
    expect(values[0]).toBeCloseTo(1.891892, DIGITS);
  });
  test('over midnight, with and without the date of injection', async () => {
    const night = {
      ...header,
      '0008,0021': '20010204',
      '0008,0022': '20010204',
      '0008,0031': '002000',
      '0008,0032': '002000',
    };
    for (const injection of [{ '0018,1072': '223000' }, { '0018,1078': '20010203223000' }]) {
      const { values } = await suvOf({
        ...night,
        '0054,0016': { '0018,1074': '370000000', '0018,1075': '6600', ...injection },
      });
      expect(values[0]).toBeCloseTo(1.891892, DIGITS);
    }
  });
  test('a date and time with another offset from UTC than the file', async () => {
    const { values } = await suvOf({
      ...header,
      '0008,0201': '+0200',
      '0054,0016': { ...tracer, '0018,1078': '20010203080000.00+0000' },
    });
    expect(values[0]).toBeCloseTo(1.891892, DIGITS);
  });
});

describe('Philips counts', () => {
  const counts = {
    ...header,
    '0054,1001': 'CNTS',
    '7053,0010': 'Philips PET Private Group',
  };
  test('its own SUV factor, of each slice', async () => {
    const { values } = await suvOf(
      { ...counts, '7053,1000': '0.0002' },
      { ...counts, '7053,1000': '0.0003' },
    );
    expect(values[0]).toBeCloseTo(1, DIGITS); // 5 000 x 0.0002
    expect(values[1]).toBeCloseTo(6, DIGITS); // 20 000 x 0.0003
  });
  test('else its factor to Bq/ml', async () => {
    const { values } = await suvOf({ ...counts, '7053,1000': '0', '7053,1009': '2' });
    expect(values[0]).toBeCloseTo(3.783784, DIGITS); // twice the worked example
  });
  test('neither', async () => {
    const error = await refusal(counts);
    expect(error.code).toBe('MISSING_ATTRIBUTE');
    expect(error.message).toMatch(/\(7053,1000\).*\(7053,1009\)/);
  });
});

test('values in g/ml are SUV already', async () => {
  const grams = { '0008,0060': 'PT', '0054,1001': 'GML' };
  expect((await suvOf(grams)).values).toEqual([5000, 20000]);
  expect((await refusal({ ...grams, '0054,1006': 'LBM' })).code).toBe('UNSUPPORTED');
});

describe('refused', () => {
  test.each<[string, Attributes, string[]]>([
    ['weight', without(header, '0010,1030'), ['PatientWeight (0010,1030)']],
    ['weight 0', { ...header, '0010,1030': '0' }, ['PatientWeight (0010,1030)']],
    ['dose', { ...header, '0054,0016': without(tracer, '0018,1074') }, ['RadionuclideTotalDose (0018,1074)']],
    [
      'half-life',
      { ...header, '0054,0016': without(tracer, '0018,1075') },
      ['RadionuclideHalfLife (0018,1075)'],
    ],
    [
      'injection time',
      { ...header, '0054,0016': without(tracer, '0018,1072') },
      ['RadiopharmaceuticalStartTime (0018,1072)'],
    ],
    ['units', without(header, '0054,1001'), ['Units (0054,1001)']],
    ['decay correction', without(header, '0054,1102'), ['DecayCorrection (0054,1102)']],
    [
      'scan time',
      without(header, '0008,0031', '0008,0032'),
      ['SeriesTime (0008,0031) or AcquisitionTime (0008,0032)'],
    ],
    [
      'date of injection for zirconium-89',
      { ...header, '0054,0016': { ...tracer, '0018,1075': '282240' } },
      ['RadiopharmaceuticalStartDateTime (0018,1078)'],
    ],
    [
      'everything about the tracer, all named at once',
      without(header, '0054,0016', '0010,1030'),
      ['(0010,1030)', '(0018,1074)', '(0018,1075)', '(0018,1072)'],
    ],
  ])('missing: %s', async (_, attributes, named) => {
    const error = await refusal(attributes);
    expect(error.code).toBe('MISSING_ATTRIBUTE');
    for (const attribute of named) expect(error.message).toContain(attribute);
    const others = [
      '0010,1030',
      '0018,1074',
      '0018,1075',
      '0018,1072',
      '0054,1001',
      '0054,1102',
      '0008,0031',
    ];
    const expected = others.filter((tag) => named.some((attribute) => attribute.includes(tag)));
    expect(others.filter((tag) => error.message.includes(tag))).toEqual(expected);
    expect(error.message).not.toMatch(/2001|0203|Doe|SECRET/);
  });
  test.each<[string, Attributes, string]>([
    ['CT', { ...header, '0008,0060': 'CT' }, 'UNSUPPORTED'],
    ['no decay correction', { ...header, '0054,1102': 'NONE' }, 'UNSUPPORTED'],
    ['no attenuation correction', { ...header, '0028,0051': 'DECY\\SCAT' }, 'UNSUPPORTED'],
    ['other units', { ...header, '0054,1001': 'PROPCPS' }, 'UNSUPPORTED'],
    ['a dose in MBq', { ...header, '0054,0016': { ...tracer, '0018,1074': '370' } }, 'MALFORMED'],
    [
      'an injection after the scan',
      { ...header, '0054,0016': { ...tracer, '0018,1078': '20010203120000' } },
      'MALFORMED',
    ],
    [
      'an injection half a day before',
      { ...header, '0008,0031': '093000', '0008,0032': '093000' },
      'MALFORMED',
    ],
  ])('%s', async (_, attributes, code) => {
    const error = await refusal(attributes);
    expect(error.code).toBe(code);
    expect(error.message).not.toMatch(/2001|0203/);
  });
  test('slices that disagree about the patient', async () => {
    await expect(suvOf(header, { ...header, '0010,1030': '71' })).rejects.toMatchObject({
      code: 'MALFORMED',
    });
  });
});
