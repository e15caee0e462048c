import { describe, expect, test } from 'vitest';
import { ImagingError } from '../imaging-error.js';
import { imageOf } from '../read-image.js';
import { memoryInput, randomNumbers, testReading } from '../test-fuzz.js';
import { filesOf, type InputKind, inputKinds, voxelDigest } from '../test-input-kinds.js';
import { useNativeCodecs } from './native-codecs.js';

useNativeCodecs();

/** Every byte of every file with ONCO_RESPONSE_FUZZ_SECONDS, which takes minutes. */
const everywhere = process.env.ONCO_RESPONSE_FUZZ_SECONDS !== undefined;
const LIMIT_MS = everywhere ? 600_000 : 20_000;
/** Headers of images that are not DICOM are shorter than this. */
const SMALL_HEADER = 352;
const ENDS = 6;
const SAMPLE = 12;

/** What may be said of a file of which not all is there. */
const CODES = new Set(['TRUNCATED', 'CORRUPT', 'MALFORMED', 'UNSUPPORTED', 'NOT_FOUND']);

function cuts(length: number, kind: InputKind['kind'], random: (below: number) => number): number[] {
  if (everywhere) return Array.from({ length }, (_, at) => at);
  const places = new Set<number>();
  for (let at = 0; at < (kind === 'DICOM' ? 0 : Math.min(length, SMALL_HEADER)); at++) places.add(at);
  for (let at = 0; at < Math.min(length, ENDS); at++) places.add(length - 1 - at);
  for (let count = 0; count < SAMPLE; count++) places.add(random(length));
  return [...places];
}

/** The code it is refused with, or `equal`: what was cut off lay behind the voxels. */
async function outcome(kind: InputKind, files: Map<string, Uint8Array>): Promise<string> {
  try {
    const volume = await imageOf(memoryInput(files, kind.open), {}, testReading());
    const equal = voxelDigest(volume.data) === kind.voxels && String(volume.size) === String(kind.size);
    return equal ? 'equal' : 'wrong voxels';
  } catch (error) {
    if (!ImagingError.isInstance(error)) return `threw ${String(error)}`;
    return error.code;
  }
}

describe('a file cut off anywhere is refused, or nothing of it is missing', () => {
  test.each(inputKinds.map((kind) => [kind.name, kind] as const))(
    '%s',
    async (_, kind) => {
      const files = filesOf(kind);
      const random = randomNumbers(6);
      let refused = 0;
      for (const [path, bytes] of files) {
        for (const cut of cuts(bytes.length, kind.kind, random)) {
          const code = await outcome(kind, new Map(files).set(path, bytes.subarray(0, cut)));
          // a slice of which so little is left that it is no DICOM file is a slice that is missing
          const lost = code === 'MISSING_SLICES' && files.size > 1;
          if (CODES.has(code) || lost) refused++;
          // an empty file of any name is nothing: the first or last slice may go unnoticed
          else if (cut === 0 && !path.endsWith('.dcm')) continue;
          else if (code !== 'equal') expect.fail(`${path} cut to ${cut} of ${bytes.length} bytes: ${code}`);
        }
      }
      expect(refused).toBeGreaterThan(10);
    },
    LIMIT_MS,
  );
});
