import type { CaseReportInput } from '../case-report-input.js';
import type { PngImage } from '../encode-png.js';
import { evaluateModel } from '../evaluate-model.js';
import type { ReportInput } from '../report-input.js';
import { madeUpRandom, madeUpReport } from './made-up-report.js';

/** A warm spot on grey, as a heat map over a slice would look. */
function madeUpMap(size: number, centre: number): PngImage {
  const data = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const heat = Math.exp(-(((x - centre) / (0.12 * size)) ** 2) - ((y - 0.45 * size) / (0.12 * size)) ** 2);
      const grey = Math.hypot(x / size - 0.5, (y / size - 0.5) * 1.2) < 0.42 ? 110 : 8;
      data.set([grey + (255 - grey) * heat, grey * (1 - 0.4 * heat), grey * (1 - heat)], (y * size + x) * 3);
    }
  }
  return { width: size, height: size, channels: 3, data };
}

/** The made-up report with every optional part. All of it is synthetic. */
export function madeUpFullReport({ cases = 160, size = 96 }: { cases?: number; size?: number } = {}): ReportInput {
  const report = madeUpReport({ cases, size });
  const random = madeUpRandom(11);
  const main = report.models[0]!;
  const { labels, clusters } = main;
  // Patients have two cases: what belongs to a patient is alike in both.
  const ofPatient = <T>(make: () => T): T[] => {
    const drawn: T[] = [];
    return labels.map((_, i) => {
      const patient = Math.floor(i / 2);
      drawn[patient] ??= make();
      return drawn[patient];
    });
  };
  const clinical = labels.map((label) => 1 / (1 + Math.exp(-(2.2 * (random() - 0.5) + 0.9 * (label - 0.5)))));
  const both = clinical.map((value, i) => 0.5 * value + 0.5 * report.models[2]!.scores[i]!);
  return {
    ...report,
    cohort: {
      cases: 480,
      patients: 240,
      positives: 240,
      perSplit: [
        { split: 'training', cases: 240, patients: 120, positives: 120 },
        { split: 'validation', cases: 240 - cases, patients: 120 - cases / 2, positives: 120 - cases / 2 },
        { split: 'test', cases, patients: cases / 2, positives: cases / 2 },
      ],
    },
    models: [
      main,
      { ...report.models[1]!, role: 'variant' },
      { ...report.models[2]!, role: 'volumeOnly', baseline: true },
      { name: 'Clinical variables only', labels, scores: clinical, clusters: clusters!, role: 'clinicalOnly' },
      { name: 'Volume + clinical', labels, scores: both, clusters: clusters!, role: 'volumeAndClinical' },
    ],
    threshold: { ...report.threshold, target: 'balanced errors' },
    decision: { from: 0.1, to: 0.6, action: 'another line of chemotherapy', reason: 'The range is made up, as everything here.' },
    subgroups: [
      { name: 'Scanner', values: ofPatient(() => ['A', 'A', 'B', 'C'][Math.floor(4 * random())]!) },
      { name: 'Age', values: ofPatient(() => Math.round(45 + 30 * random())), cuts: [55, 65] },
      { name: 'Stage', values: ofPatient(() => (random() < 0.1 ? 'IV' : random() < 0.1 ? null : 'III')) },
    ],
    ablations: [
      { name: 'Whole method', rocAuc: { estimate: 0.87, lower: 0.81, upper: 0.92 }, cases },
      { name: 'Without the contrastive loss', description: 'classification loss alone', rocAuc: { estimate: 0.84, lower: 0.77, upper: 0.9 }, difference: { estimate: -0.03, lower: -0.07, upper: 0.01 }, p: 0.17 },
      { name: 'Mean in place of attention', rocAuc: { estimate: 0.8, lower: 0.72, upper: 0.87 }, difference: { estimate: -0.07, lower: -0.13, upper: -0.01 }, p: 0.0004 },
    ],
    learningCurve: [60, 120, 180, 240].map((trainingCases, i) => ({
      trainingCases,
      rocAuc: { estimate: 0.72 + 0.05 * Math.sqrt(3 * i), lower: 0.64 + 0.05 * Math.sqrt(3 * i), upper: 0.79 + 0.05 * Math.sqrt(3 * i) },
      repetitions: 3,
    })),
    explanation: {
      maps: [0, 1, 2, 3].flatMap((i) =>
        ['integrated gradients', 'attention rollout'].map((method) => ({
          caseLabel: 'case 12',
          method,
          sliceIndex: 46 + 2 * i,
          image: madeUpMap(size, size * (0.5 + 0.05 * i)),
          attention: 0.2 - 0.03 * i,
          insideLesion: 0.61 - 0.1 * i,
        })),
      ),
      sanityChecks: [
        { method: 'integrated gradients', randomised: 'last four blocks', correlation: 0.08, limit: 0.3, passed: true },
        { method: 'attention rollout', randomised: 'last four blocks', correlation: 0.44, limit: 0.3, passed: false },
      ],
      similarityName: 'Cosine similarity',
      nearest: [
        {
          caseLabel: 'case 12',
          label: 1,
          probability: 0.81,
          neighbours: [0.97, 0.95, 0.91].map((similarity, i) => ({ caseLabel: `training case ${31 + 7 * i}`, label: i === 2 ? 0 : 1, similarity })),
        },
      ],
      importance: [
        { variable: 'lesion volume', aucDrop: 0.071, lower: 0.04, upper: 0.1 },
        { variable: 'age', aucDrop: 0.012, lower: -0.01, upper: 0.03 },
        { variable: 'stage', aucDrop: -0.004, lower: -0.02, upper: 0.01 },
      ],
      importanceNote: '20 permutations, test cases',
    },
    stress: [
      { name: 'mask eroded by 2 mm', cases, excluded: 3, auc: { estimate: 0.84 }, aucChange: { estimate: -0.03, lower: -0.06, upper: 0.0 }, flips: 14, meanProbabilityChange: 0.06 },
      { name: 'mask dilated by 2 mm', cases, auc: { estimate: 0.86 }, aucChange: { estimate: -0.01, lower: -0.03, upper: 0.02 }, flips: 8, meanProbabilityChange: 0.04 },
      { name: 'largest lesion dropped', cases: cases - 20, excluded: 20, auc: { estimate: 0.71 }, aucChange: { estimate: -0.16, lower: -0.23, upper: -0.09 }, flips: 41 },
      { name: 'CT +20 HU', cases, auc: { estimate: 0.87 }, aucChange: { estimate: 0, lower: -0.02, upper: 0.02 }, flips: 3 },
    ],
    outOfDistribution: {
      method: 'Mahalanobis distance of the embedding, shrunk covariance',
      scores: labels.map(() => 6 + 9 * random() * random()),
      threshold: 12.5,
      rule: '97.5th percentile of the validation cases',
      detectionAuc: [{ name: 'noise in place of CT', auc: 0.999 }],
    },
    conformal: {
      method: 'Split conformal, class-conditional',
      calibrationCases: 80,
      levels: [
        { target: 0.9, covered: Math.round(0.91 * cases), cases, singletons: Math.round(0.6 * cases), both: cases - Math.round(0.6 * cases), empty: 0, perClass: [{ label: 1, covered: Math.round(0.46 * cases), cases: cases / 2 }, { label: 0, covered: Math.round(0.45 * cases), cases: cases / 2 }] },
        { target: 0.8, covered: Math.round(0.7 * cases), cases, singletons: Math.round(0.8 * cases), both: Math.round(0.15 * cases), empty: Math.round(0.05 * cases) },
      ],
    },
    study: { segmentation: 'Masks are made up.', centres: 1, externalTest: false, limitations: 'Nothing here is real.' },
    checklists: { tripodAi: { '13': 'No method for class imbalance was used.' }, metrics: { '2': 'no', '29': 'yes' } },
  };
}

/** One prediction, made up. */
export function madeUpCase(size = 96): CaseReportInput {
  const report = madeUpFullReport({ size });
  const [shown] = report.attention;
  const main = report.models[0]!;
  const evaluation = evaluateModel(main.labels, main.scores, { threshold: 0.47, bootstrap: { resamples: 50, seed: 1, level: 0.95 } });
  return {
    title: report.title,
    synthetic: true,
    caseLabel: 'case 12',
    positiveClass: 'responder',
    target: report.target,
    model: { name: main.name, description: main.description! },
    probability: 0.81,
    calibration: {
      calibrated: true,
      method: 'Platt scaling',
      fittedOn: 'validation cases',
      similar: { lower: 0.76, upper: 0.86, cases: 24, positives: 19, of: 'test cases' },
    },
    prevalence: 0.5,
    threshold: {
      value: 0.47,
      rule: 'largest sensitivity + specificity (Youden)',
      target: 'sensitivity of at least 0.80',
      chosenOn: 'validation',
      reached: { of: '160 test cases', sensitivity: evaluation.sensitivity, specificity: evaluation.specificity, positivePredictiveValue: evaluation.positivePredictiveValue },
    },
    spread: { lower: 0.74, upper: 0.88, meaning: 'Lowest and highest of five models' },
    predictionSet: { level: 0.9, labels: [1], method: 'split conformal' },
    slices: shown!.slices,
    lesion: { volumeMm3: 84_200, parts: 2, largerThan: 0.97, usualMm3: [1200, 61_000], source: 'made up' },
    distribution: { method: 'Mahalanobis distance of the embedding', score: 13.1, threshold: 12.5, rule: '97.5th percentile of the validation cases', strangerThan: 0.98 },
    explanation: { maps: report.explanation!.maps!, nearest: report.explanation!.nearest! },
    run: report.run,
    warnings: ['The case is unlike the training cases.', '3 slices were narrower than the window and were padded.'],
  };
}
