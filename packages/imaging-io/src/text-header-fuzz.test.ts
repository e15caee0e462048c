import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ImagingError } from './imaging-error.js';
import { readMetaImage } from './meta-image.js';
import { readNrrd } from './nrrd.js';
import { randomNumbers } from './test-fuzz.js';

const { cases } = JSON.parse(
  readFileSync(new URL('./__fixtures__/nrrd-metaimage.json', import.meta.url), 'utf8'),
) as { cases: { ending: string; file: string; dataFile?: string }[] };

const WORDS = [
  '-1',
  '0',
  '4294967296',
  '99999999999999999999',
  'nan',
  'inf',
  '(',
  ')',
  '\n',
  '\n\n',
  ': ',
  ' = ',
];

function mutate(original: Uint8Array, random: (below: number) => number): Uint8Array {
  const bytes = Array.from(original);
  for (let change = random(4); change >= 0; change--) {
    // most of these files is header: where mutations matter
    const at = random(bytes.length + 1);
    switch (random(6)) {
      case 0:
        bytes[Math.min(at, bytes.length - 1)] = random(256);
        break;
      case 1:
        bytes.splice(at, random(12));
        break;
      case 2:
        bytes.splice(at, random(3), ...Buffer.from(WORDS[random(WORDS.length)]!));
        break;
      case 3:
        bytes.splice(at, 0, ...bytes.slice(at, at + random(40)));
        break;
      case 4: {
        // one of the header's numbers becomes another
        const numbers = [...String.fromCharCode(...bytes.slice(0, 400)).matchAll(/\d+/g)];
        const number = numbers[random(numbers.length)];
        if (number) bytes.splice(number.index, number[0].length, ...Buffer.from(WORDS[random(6)]!));
        break;
      }
      default:
        if (random(4) === 0) bytes.length = at;
    }
  }
  return Uint8Array.from(bytes);
}

test.each([
  ['readNrrd', readNrrd, /n(rrd|hdr)/],
  ['readMetaImage', readMetaImage, /mh/],
] as const)(
  '%s: of 600 mutated files each is read or refused by an ImagingError, within 250 ms',
  async (_, read, ending) => {
    const random = randomNumbers(4);
    const files = cases.filter((golden) => ending.test(golden.ending));
    const codes = new Set<string>();
    for (let round = 0; round < 600; round++) {
      const { file, dataFile } = files[random(files.length)]!;
      const data = dataFile === undefined ? undefined : Uint8Array.from(Buffer.from(dataFile, 'base64'));
      const bytes = mutate(Uint8Array.from(Buffer.from(file, 'base64')), random);
      const start = performance.now();
      try {
        const volume = await read(bytes, data === undefined ? {} : { dataFile: data });
        expect(volume.data).toHaveLength(volume.size[0] * volume.size[1] * volume.size[2]);
      } catch (error) {
        if (!ImagingError.isInstance(error)) throw error;
        codes.add(error.code);
      }
      expect(performance.now() - start).toBeLessThan(250);
    }
    // the mutations reach further than the first line
    expect([...codes]).toEqual(
      expect.arrayContaining(['MALFORMED', 'TRUNCATED', 'UNSUPPORTED', 'TOO_LARGE']),
    );
  },
  20_000,
);
