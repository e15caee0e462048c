import { type CohortCase, phantomCase } from '@onco-response/cohort';
import { connectedComponents, createVolume, type Vec3 } from '@onco-response/volume';
import { expect, test } from 'vitest';
import { maskOutLesion } from './mask-out-lesion.js';
import { permuteLabels } from './permute-labels.js';
import { parseVariants } from './study.js';

/** `patients` patients of one to three cases each; a patient's cases share its label. */
const cohort = (prefix: string, patients: number): CohortCase[] =>
  Array.from({ length: patients }, (_, patient) =>
    Array.from({ length: 1 + (patient % 3) }, (_, each) => ({
      caseId: `${prefix}-${patient}-${each}`,
      line: 2,
      patientId: `${prefix}${patient}`,
      image: 'i',
      mask: 'm',
      label: (patient % 2) as 0 | 1,
      site: null,
      split: null,
      timePoint: null,
      clinical: {},
    })),
  ).flat();
const labels = (cases: readonly CohortCase[]) => cases.map(({ label }) => label);
const positives = (cases: readonly CohortCase[]) => labels(cases).filter((label) => label === 1).length;

test('labels are permuted within training and within validation, by the seed; test cases keep theirs', () => {
  const given = { train: cohort('a', 60), validation: cohort('b', 30), test: cohort('c', 20) };
  const permuted = permuteLabels(given, 1);
  for (const split of ['train', 'validation'] as const) {
    expect(positives(permuted[split])).toBe(positives(given[split]));
    expect(permuted[split].map(({ caseId }) => caseId)).toEqual(given[split].map(({ caseId }) => caseId));
    // Of independent labels about half agree; 5 standard deviations of 60 and more cases are above 0.3.
    const agree = permuted[split].filter(({ label }, i) => label === given[split][i]?.label).length;
    expect(Math.abs(agree / given[split].length - 0.5)).toBeLessThan(0.3);
  }
  expect(permuted.test).toBe(given.test);
  expect(permuteLabels(given, 1)).toEqual(permuted);
  expect(labels(permuteLabels(given, 2).train)).not.toEqual(labels(permuted.train));
});

test('where each patient has one case, the labels are a permutation of patients', () => {
  const single = {
    train: cohort('a', 30).filter(({ caseId }) => caseId.endsWith('-0')),
    validation: [],
    test: [],
  };
  const { train } = permuteLabels(single, 3);
  expect(positives(train)).toBe(15);
  expect(labels(train)).not.toEqual(labels(single.train));
});

/** A bright lesion of any outline in a striped background. */
function scene(inside: (x: number, y: number, z: number) => boolean) {
  const size: Vec3 = [40, 36, 20];
  const grid = { size, spacing: [1, 1, 2] as Vec3 };
  const image = new Int16Array(size[0] * size[1] * size[2]);
  const mask = new Uint8Array(image.length);
  for (let z = 0, voxel = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++) {
      for (let x = 0; x < size[0]; x++, voxel++) {
        mask[voxel] = inside(x - 20, y - 18, 2 * (z - 10)) ? 1 : 0;
        image[voxel] = mask[voxel] ? 1000 + x : (x % 7) - 3 * (y % 5) + z;
      }
    }
  }
  return { volume: createVolume({ data: image, ...grid }), lesion: createVolume({ data: mask, ...grid }) };
}

test('nothing of a lesion is left, far voxels and the given volume stay as they are', () => {
  const { volume, lesion } = scene((x, y, z) => Math.hypot(x, y, z) < 7 || Math.hypot(x - 9, y, z) < 4);
  const before = volume.data.slice();
  const { data, size } = maskOutLesion(volume, lesion);
  expect(volume.data).toEqual(before);
  expect(Math.max(...data)).toBeLessThan(100);
  const changed = [...data.keys()].filter((voxel) => data[voxel] !== volume.data[voxel]);
  expect(changed.length).toBeGreaterThan(lesion.data.reduce((sum, value) => sum + value, 0));
  const radii = changed.map((voxel) =>
    Math.hypot((voxel % size[0]) - 20, (Math.floor(voxel / size[0]) % size[1]) - 18),
  );
  expect(Math.max(...radii)).toBeLessThan(17);
});

test('what is filled does not tell the outline: two ellipsoids of the same volume leave the same image', () => {
  const wide = scene((x, y, z) => Math.hypot(x / 9, y / 5, z / 7) < 1);
  const deep = scene((x, y, z) => Math.hypot(x / 5, y / 9, z / 7) < 1);
  expect(wide.lesion.data).not.toEqual(deep.lesion.data);
  const one = maskOutLesion(wide.volume, wide.lesion);
  expect(one.data).toEqual(maskOutLesion(deep.volume, deep.lesion).data);
});

test('on synthetic CT every lesion is gone, one at the edge too', () => {
  const { volume, mask } = phantomCase(3, 1);
  const { data } = maskOutLesion(volume, mask);
  const { components, labels: found } = connectedComponents(mask);
  expect(components.length).toBeGreaterThan(0);
  for (const { label, voxels } of components) {
    let kept = 0;
    for (const [voxel, value] of found.data.entries()) {
      if (value === label && data[voxel] === volume.data[voxel]) kept++;
    }
    expect(kept / voxels).toBeLessThan(0.05); // equal by chance
  }
  const edge = scene((x, y) => Math.hypot(x + 20, y) < 6);
  expect(Math.max(...maskOutLesion(edge.volume, edge.lesion).data)).toBeLessThan(100);
});

test('a study names its control, for a variant too; one that would still show the mask is refused', () => {
  const least = 'name: a\npositiveClass: b\ntarget: c\ncohort: cohort.csv\n';
  const rows = parseVariants(
    `${least}vary:\n  - { name: real }\n  - { name: permuted, control: permutedLabels }\n  - { name: out, control: lesionMaskedOut, model.input.field: full }\n`,
    'study.yaml',
  ).variants;
  expect(rows.map(({ study }) => study.control)).toEqual(['none', 'permutedLabels', 'lesionMaskedOut']);
  for (const input of ['{ mode: maskedCt, field: full }', '{ mode: ct, field: lesionBox }']) {
    expect(() =>
      parseVariants(`${least}control: lesionMaskedOut\nmodel: { input: ${input} }\n`, 'study.yaml'),
    ).toThrow(
      /study\.yaml:5: control: lesionMaskedOut needs model\.input\.mode: ct and model\.input\.field: full/,
    );
  }
});
