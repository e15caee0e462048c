import { createVolume, IDENTITY, type Vec3 } from '@onco-response/volume';
import { describe, expect, test } from 'vitest';
import golden from './__fixtures__/planning.json' with { type: 'json' };
import { parseDataset } from './dataset-labels.js';
import { caseFingerprint, type DatasetFingerprint, datasetFingerprint } from './fingerprint.js';
import { type PlanOptions, planExperiment } from './plan-experiment.js';
import { resolveConfiguration } from './plans.js';

/** Every number within 1e-9 of the expected one, everything else equal; `path` says where. */
function expectSame(found: unknown, expected: unknown, path: string): void {
  if (typeof expected === 'number') {
    expect(Math.abs((found as number) / expected - 1 || 0), path).toBeLessThan(1e-9);
  } else if (typeof expected === 'object' && expected !== null) {
    expect(Object.keys(found as object).sort(), path).toEqual(Object.keys(expected).sort());
    for (const [key, value] of Object.entries(expected)) {
      expectSame((found as Record<string, unknown>)[key], value, `${path}.${key}`);
    }
  } else {
    expect(found, path).toBe(expected);
  }
}

describe('plans', () => {
  for (const [name, { dataset, fingerprint, plans }] of Object.entries(golden.plans)) {
    test(`${name}: every key of nnUNetPlans.json is nnU-Net's`, () => {
      const datasetName = plans.dataset_name;
      const found = planExperiment(fingerprint as DatasetFingerprint, parseDataset(dataset), { datasetName });
      expectSame(found, plans, name);
    });
  }
});

describe('a network for a CPU', () => {
  const { dataset, fingerprint } = golden.plans['thick slices'];
  const planned = (options: PlanOptions) =>
    resolveConfiguration(
      planExperiment(fingerprint as DatasetFingerprint, parseDataset(dataset), options),
      '3d_fullres',
    ) as unknown as {
      patch_size: number[];
      batch_size: number;
      architecture: { arch_kwargs: { features_per_stage: number[] } };
    };

  test('has the features, the patch and the batch that are asked for', () => {
    const { patch_size, batch_size, architecture } = planned({
      featuresBase: 4,
      maxFeatures: 16,
      maxPatch: [9, 40, 40],
      batchSize: 3,
    });
    expect(architecture.arch_kwargs.features_per_stage).toEqual([4, 8, 16, 16]);
    expect(patch_size).toEqual([10, 40, 40]); // halved once along z
    expect(batch_size).toBe(3);
  });

  test('needs less memory with a smaller budget', () => {
    const voxels = ({ patch_size }: { patch_size: number[] }) => patch_size.reduce((a, b) => a * b, 1);
    expect(voxels(planned({ memoryGb: 2 }))).toBeLessThan(voxels(planned({})) / 2);
  });
});

test('other architectures are the plain one with a name and numbers of their own', () => {
  const { dataset, fingerprint } = golden.plans['thick slices'];
  const planned = (options: PlanOptions) =>
    resolveConfiguration(
      planExperiment(fingerprint as DatasetFingerprint, parseDataset(dataset), options),
      '3d_fullres',
    ).architecture!;
  const plain = planned({});
  expect(planned({ architecture: 'plainUnet' })).toEqual(plain);
  expect(planned({ architecture: 'attentionUnet' })).toEqual({
    ...plain,
    network_class_name: 'onco_response.AttentionUNet',
  });
  expect(planned({ architecture: 'vectorQuantisedUnet' })).toEqual({
    ...plain,
    network_class_name: 'onco_response.VectorQuantisedUNet',
    arch_kwargs: { ...plain.arch_kwargs, codebook_size: 1024, codebook_features: 256, commitment: 0.25 },
  });
});

test("the fingerprint of four images is nnU-Net's, whose random sample of intensities it is the limit of", () => {
  const { cases, fingerprint } = golden.fingerprint;
  const found = datasetFingerprint(
    cases.map(({ shape, spacing, image, labels }) => {
      const grid = {
        size: [...shape].reverse() as unknown as Vec3,
        spacing: [...spacing].reverse() as unknown as Vec3,
        origin: [0, 0, 0] as Vec3,
        direction: IDENTITY,
      };
      const volume = createVolume({ ...grid, data: Int16Array.from(image) });
      return caseFingerprint([volume], createVolume({ ...grid, data: Uint8Array.from(labels) }));
    }),
  );
  expect(found.shapes_after_crop).toEqual(fingerprint.shapes_after_crop);
  found.spacings.flat().forEach((mm, at) => {
    expect(mm).toBeCloseTo(fingerprint.spacings.flat()[at]!, 6); // NIfTI keeps float32
  });
  expectSame(
    found.median_relative_size_after_cropping,
    fingerprint.median_relative_size_after_cropping,
    'relative',
  );
  const [own, reference] = [found, fingerprint].map(
    (each) => each.foreground_intensity_properties_per_channel['0' as never] as Record<string, number>,
  ) as [Record<string, number>, Record<string, number>];
  for (const [name, value] of Object.entries(reference)) {
    // 4 million draws: a standard error of 0.1 HU for the mean; order statistics of 300 voxels are up to 3 HU apart
    expect(Math.abs(own[name]! - value), name).toBeLessThan(name === 'mean' || name === 'std' ? 0.5 : 3);
  }
});
