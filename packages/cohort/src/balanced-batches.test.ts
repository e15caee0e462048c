import { describe, expect, test } from 'vitest';
import { balancedPatientBatches } from './index.js';

/** 13 negative and 5 positive patients; patient n has 1 + n % 3 cases. */
const rows = Array.from({ length: 18 }, (_, n) =>
  Array.from({ length: 1 + (n % 3) }, () => ({ patient: `p${n}`, label: n < 13 ? 0 : 1 })),
).flat();
const patients = rows.map(({ patient }) => patient);
const labels = rows.map(({ label }) => label);
const code = (wrong: string) => expect.objectContaining({ code: wrong });

describe('P x K', () => {
  const batches = balancedPatientBatches({ patients, labels, perClass: 4, seed: 7 });

  test('every batch has K different patients of each class', () => {
    expect(batches).toHaveLength(4); // 13 patients, 4 a batch
    for (const batch of batches) {
      expect(batch).toHaveLength(8);
      expect(new Set(batch.map((index) => patients[index])).size).toBe(8);
      expect(batch.filter((index) => labels[index] === 1)).toHaveLength(4);
    }
  });

  test('every patient is drawn; those of a class differ by at most one in how often', () => {
    for (const label of [0, 1]) {
      const drawn = new Map<string, number>();
      for (const index of batches.flat()) {
        if (labels[index] !== label) continue;
        drawn.set(patients[index]!, (drawn.get(patients[index]!) ?? 0) + 1);
      }
      expect(drawn.size).toBe(label === 0 ? 13 : 5);
      expect(Math.max(...drawn.values()) - Math.min(...drawn.values())).toBeLessThanOrEqual(1);
    }
  });

  test('no patient of the smaller class is repeated before each was drawn', () => {
    const order = batches.flat().flatMap((index) => (labels[index] === 1 ? [patients[index]!] : []));
    expect(order).toHaveLength(16);
    for (let start = 0; start + 5 <= order.length; start += 5) {
      expect(new Set(order.slice(start, start + 5)).size).toBe(5);
    }
  });
});

test('seed and epoch decide, and an epoch does not depend on those before', () => {
  const draw = (seed: number, epoch: number) =>
    balancedPatientBatches({ patients, labels, perClass: 2, seed, epoch });
  expect(draw(1, 3)).toEqual(draw(1, 3));
  expect(draw(1, 3)).not.toEqual(draw(1, 4));
  expect(draw(1, 3)).not.toEqual(draw(2, 3));
});

test('all cases of a patient have their turn over the epochs', () => {
  const seen = new Set(
    Array.from({ length: 40 }, (_, epoch) =>
      balancedPatientBatches({ patients, labels, perClass: 2, epoch }).flat(),
    ).flat(),
  );
  expect(seen.size).toBe(patients.length);
});

test('fewer classes a batch than there are: all are used as often, and no patient is left out', () => {
  const three = patients.map((patient) => Number(patient.slice(1)) % 3);
  const batches = balancedPatientBatches({ patients, labels: three, classesPerBatch: 2, perClass: 3 });
  expect(batches).toHaveLength(3); // 6 patients a class: 2 uses of 3 classes, 2 a batch
  const uses = [0, 1, 2].map(
    (label) => batches.filter((batch) => batch.some((i) => three[i] === label)).length,
  );
  expect(uses).toEqual([2, 2, 2]);
  expect(new Set(batches.flat().map((index) => patients[index])).size).toBe(18);
});

test('what cannot be balanced is refused', () => {
  expect(() => balancedPatientBatches({ patients, labels, perClass: 6 })).toThrow(code('TOO_FEW_PATIENTS'));
  expect(() => balancedPatientBatches({ patients, labels, perClass: 0 })).toThrow(code('OPTIONS'));
  expect(() => balancedPatientBatches({ patients, labels, perClass: 1, classesPerBatch: 3 })).toThrow(
    code('OPTIONS'),
  );
  expect(() => balancedPatientBatches({ patients, labels: [1], perClass: 1 })).toThrow(code('OPTIONS'));
  expect(() => balancedPatientBatches({ patients: [], labels: [], perClass: 1 })).toThrow(code('OPTIONS'));
});
