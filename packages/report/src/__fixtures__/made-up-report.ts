import type { AttentionSlice, ReportInput } from '../report-input.js';

/** A small generator for made-up data (mulberry32), so that tests and the example need nothing else. */
export function madeUpRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** A disc of bright lesion in a grey oval body, with noise. */
export function madeUpSlice(
  index: number,
  weight: number,
  size: number,
  radius: number,
  random: () => number,
): AttentionSlice {
  const pixels = new Uint8Array(size * size);
  const lesion = new Uint8Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = y * size + x;
      const body = ((x - size / 2) / (0.45 * size)) ** 2 + ((y - size / 2) / (0.36 * size)) ** 2 < 1;
      const angle = Math.atan2(y - 0.45 * size, x - 0.6 * size);
      const edge = radius * (1 + 0.2 * Math.sin(3 * angle + index));
      const inLesion = Math.hypot(x - 0.6 * size, y - 0.45 * size) < edge;
      lesion[at] = inLesion ? 1 : 0;
      pixels[at] = Math.max(0, Math.min(255, (inLesion ? 165 : body ? 120 : 8) + 24 * (random() - 0.5)));
    }
  }
  return { index, weight, pixels, lesion, size };
}

/** A whole report of made-up data: two cases a patient, three models, twelve slices for each of two cases. */
export function madeUpReport({ cases = 96, size = 96 }: { cases?: number; size?: number } = {}): ReportInput {
  const random = madeUpRandom(4);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const clusters = Array.from({ length: cases }, (_, i) => `patient-${Math.floor(i / 2)}`);
  const labels = Array.from({ length: cases }, (_, i) => (Math.floor(i / 2) % 2 === 0 ? 1 : 0));
  const model = (shift: number) => labels.map((label) => sigmoid(normal() + shift * (label - 0.5)));
  const slices = (seed: number) => {
    const raw = Array.from(
      { length: 12 },
      (_, i) => Math.exp(-(((i - 5 - seed) / 2.5) ** 2)) + 0.1 * random(),
    );
    const sum = raw.reduce((total, value) => total + value, 0);
    return raw.map((value, i) =>
      madeUpSlice(40 + 2 * i, value / sum, size, size * (0.06 + 0.1 * Math.sin((i + 1) / 4)), random),
    );
  };
  const positives = labels.filter((label) => label === 1).length;
  return {
    title: 'Response to neoadjuvant chemotherapy from pre-treatment CT',
    synthetic: true,
    positiveClass: 'responder',
    target:
      'Predicts response to neoadjuvant chemotherapy from one contrast-enhanced CT taken before treatment and the mask of its lesions.',
    cohort: {
      cases: 480,
      patients: 240,
      positives: 236,
      perSplit: [
        { split: 'training', cases: 336, patients: 168, positives: 164 },
        {
          split: 'validation',
          cases: 480 - 336 - cases,
          patients: 240 - 168 - cases / 2,
          positives: 236 - 164 - positives,
        },
        { split: 'test', cases, patients: cases / 2, positives },
      ],
    },
    models: [
      {
        name: 'LoRA + attention, three losses',
        description: 'ViT-S/14 with LoRA in the last four blocks, contextual attention over slices.',
        labels,
        scores: model(1.6),
        clusters,
      },
      {
        name: 'Frozen encoder + attention',
        description: 'The same encoder without LoRA.',
        labels,
        scores: model(1.1),
        clusters,
      },
      {
        name: 'Lesion volume only',
        description: 'Logistic regression on the logarithm of the lesion volume.',
        labels,
        scores: model(0.3),
        clusters,
      },
    ],
    threshold: { value: 0.47, chosenOn: 'validation', rule: 'largest sensitivity + specificity (Youden)' },
    bootstrap: { resamples: 1000, seed: 20261122, level: 0.95 },
    reachableAuc: { value: 0.91, description: 'of the planted signal, computed from the generator' },
    history: Array.from({ length: 30 }, (_, i) => ({
      epoch: i + 1,
      trainLoss: 0.35 + 0.75 * Math.exp(-i / 9) + 0.03 * random(),
      validationAuc: 0.79 - 0.27 * Math.exp(-i / 7) + 0.04 * (random() - 0.5),
    })),
    attention: [
      { caseLabel: 'case 12', label: 1, probability: 0.81, slices: slices(0) },
      { caseLabel: 'case 31', label: 0, probability: 0.22, slices: slices(3) },
    ],
    run: {
      'onco-response': '0.1.0',
      recipe: 'sha256:8f14e45fceea167a5a36dedd4bea2543a1d0c6e83f027327d8461063f4ac58a6',
      encoder: 'dinov2-small (sha256:9b2c…)',
      'split file': 'sha256:1679091c5a880faf6fb5e6087eb1b2dc4f0f3a3e0c5a1f2e3d4c5b6a79808182',
      seed: 7,
      'training time': '4 min 12 s',
      engine: 'libtensorflow 2.20, 2 threads',
    },
    warnings: ['3 slices of case 31 were narrower than the window and were padded.'],
    notes: ['Slices were resampled to 1 mm before the choice of 12 slices a case.'],
  };
}
