import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMask, readVolume } from '@onco-response/imaging-io/node';
import { sharedData } from '@onco-response/tooling-vitest/data';
import { connectedComponents, dilate, type Mask, ring, type Vec3 } from '@onco-response/volume';
import { describe, expect, test } from 'vitest';
import { functionalTumourVolume, percentEnhancement } from './functional-tumour-volume.js';
import { growLesion } from './grow-lesion.js';
import { LesionMaskError } from './lesion-mask-error.js';
import { countVoxels } from './mask-step.js';
import { peritumouralRing } from './peritumoural-ring.js';

interface Summary {
  voxels: number;
  sha256: string;
}
interface ComponentSizes {
  count: number;
  largest: number[];
  sha256: string;
}
const golden = JSON.parse(
  readFileSync(new URL('./__fixtures__/simpleitk-shared.json', import.meta.url), 'utf8'),
) as {
  masks: (Summary & {
    name: string;
    file?: string;
    segment?: number;
    functionalTumourVolumeMm3?: number;
    byMm: Record<string, { dilate: Summary; ring: Summary }>;
    components: Record<'6' | '26', ComponentSizes>;
  })[];
  rings: (Summary & { label: number; mm: number; tissue: number })[];
  grown: (Summary & { voxel: [number, number, number]; minimum: number; maximum: number })[];
};
const data = sharedData();
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const summary = (mask: Mask): Summary => {
  const inside = mask.data.map((v) => (v === 0 ? 0 : 1));
  return { voxels: countVoxels(inside), sha256: hash(inside) };
};
const only = ({ voxels, sha256 }: Summary): Summary => ({ voxels, sha256 });

describe.skipIf(!data)('voxel for voxel as SimpleITK on the shared volumes', () => {
  test.each(golden.masks)(
    'dilation, ring and components of $name',
    async ({ name, file, segment, ...each }) => {
      const mask = file
        ? await readMask(join(data!, file), segment === undefined ? {} : { segment })
        : await tumour(name);
      expect(summary(mask)).toEqual(only(each));
      for (const [mm, expected] of Object.entries(each.byMm)) {
        expect(summary(dilate(mask, Number(mm)))).toEqual(expected.dilate);
        expect(summary(ring(mask, Number(mm)))).toEqual(expected.ring);
      }
      for (const connectivity of [6, 26] as const) {
        const found = connectedComponents(mask, { connectivity });
        const sizes = Uint32Array.from(found.components, (component) => component.voxels);
        expect({
          count: found.count,
          largest: [...sizes.slice(0, 5)],
          sha256: hash(new Uint8Array(sizes.buffer)),
        }).toEqual(each.components[connectivity]);
      }
    },
  );

  test.each(golden.rings)('a ring of $mm mm around label $label that stops at air and bone', async (each) => {
    const ct = await readVolume(join(data!, 'ct-organs/example_ct_sm.nii.gz'));
    const organ = await readMask(join(data!, 'ct-organs/example_seg.nii.gz'), {
      like: ct,
      segment: each.label,
    });
    const { mask, steps } = peritumouralRing(ct, organ, { mm: each.mm });
    expect(summary(mask)).toEqual(only(each));
    expect(steps.map((step) => [step.step, step.voxelsAfter])).toEqual([
      ['ring', countVoxels(ring(organ, each.mm).data)],
      ['limits', each.tissue],
      ['joinedToLesion', each.voxels],
    ]);
  });

  test.each(golden.grown)('growth from $voxel between $minimum and $maximum HU', async (each) => {
    const ct = await readVolume(join(data!, 'ct-organs/example_ct_sm.nii.gz'));
    const { voxel, minimum, maximum } = each;
    const grow = () =>
      growLesion(
        ct,
        { voxel: voxel as Vec3 },
        {
          limits: { minimum, maximum },
          radiusMm: 1000,
          leak: 'report',
          fillHoles: false,
        },
      );
    if (each.voxels > 0) {
      expect(summary(grow().mask)).toEqual(only(each));
      return;
    }
    expect(grow).toThrow(/its values run from -804 to -804, the limits from 40 to 90/);
    try {
      grow();
    } catch (error) {
      expect(LesionMaskError.isInstance(error) && error.code).toBe('NO_LESION');
    }
  });

  test.each([
    ['NACT_06', 41.1],
    ['NACT_08', 42.8],
  ])('functional tumour volume of %s is %f ml', async (name, ml) => {
    const { volumeMm3, steps } = functionalTumourVolume(...(await enhancement(name)));
    const expected = golden.masks.find((each) => each.name === name)!;
    expect(volumeMm3).toBeCloseTo(expected.functionalTumourVolumeMm3!, 6);
    expect((volumeMm3 / 1000).toFixed(1)).toBe(ml.toFixed(1));
    expect(steps.map((step) => step.step)).toEqual(['percentEnhancement', 'signalEnhancementRatio']);
    expect(steps[1]!.voxelsAfter).toBe(expected.voxels);
  });

  test('percent enhancement from the phases is what the scanner team stored, cut to whole numbers', async () => {
    const read = (what: string) => readVolume(join(data!, `nact-dce-mri/NACT_06_${what}.nii.gz`));
    const [before, after, stored] = [await read('phase0'), await read('phase1'), await read('PE1')];
    const computed = percentEnhancement(before, after);
    let [compared, equal] = [0, 0];
    stored.data.forEach((v, at) => {
      if (v < 70) return;
      compared++;
      if (Math.floor(computed.data[at]! + 1e-4) === v) equal++;
    });
    expect(compared).toBeGreaterThan(40_000);
    expect(equal / compared).toBeGreaterThan(0.99);
  });
});

async function enhancement(name: string) {
  const read = (what: string) => readVolume(join(data!, `nact-dce-mri/${name}_${what}.nii.gz`));
  return [await read('PE1'), await read('SER')] as const;
}

async function tumour(name: string): Promise<Mask> {
  return functionalTumourVolume(...(await enhancement(name))).mask;
}
