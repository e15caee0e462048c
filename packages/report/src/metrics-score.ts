import type { MeasuredReport } from './report-model.js';

export type MetricsAnswer = 'yes' | 'no' | 'not applicable' | 'blank';

export interface MetricsItem {
  /** 1 to 30 */
  number: number;
  category: string;
  name: string;
  weight: number;
  answer: MetricsAnswer;
  /** why, where the run knows */
  reason: string;
  from: 'run' | 'authors' | null;
}

/** The METRICS score of a study. Plain JSON. */
export interface MetricsScore {
  conditions: { number: string; name: string; answer: 'yes' | 'no'; from: 'run' | 'authors' | null }[];
  items: MetricsItem[];
  /** 0 to 100, blanks counted as "no", as the tool does */
  score: number;
  /** what it would be if every blank were "yes" */
  highest: number;
  band: 'very low' | 'low' | 'moderate' | 'good' | 'excellent';
}

export const METRICS_SOURCE =
  'Kocak et al. 2024, METhodological RadiomICs Score (METRICS), Insights into Imaging 15:8, doi 10.1186/s13244-023-01572-w (CC BY 4.0)';

const CONDITIONS = [
  ['c1', 'Is there segmentation?'],
  ['c2', 'Is it fully automated?'],
  ['c3', 'Are hand-crafted features extracted?'],
  ['c4', 'Are there tabular data (of features)?'],
  ['c5', 'Is there end-to-end deep learning?'],
] as const;
type Condition = (typeof CONDITIONS)[number][0];

/** [category, name, weight, conditions that all have to hold]; weights of the tool's version 1.0, in sum 1. */
const ITEMS: readonly (readonly [string, string, number, ...Condition[]])[] = [
  [
    'Study design',
    'Adherence to radiomics and/or machine learning-specific checklists or guidelines',
    0.0368,
  ],
  ['Study design', 'Eligibility criteria that describe a representative study population', 0.0735],
  ['Study design', 'High-quality reference standard with a clear definition', 0.0919],
  ['Imaging data', 'Multi-center', 0.0438],
  ['Imaging data', 'Clinical translatability of the imaging data source for radiomics analysis', 0.0292],
  ['Imaging data', 'Imaging protocol with acquisition parameters', 0.0438],
  ['Imaging data', 'The interval between imaging used and reference standard', 0.0292],
  ['Segmentation', 'Transparent description of segmentation methodology', 0.0337, 'c1'],
  ['Segmentation', 'Formal evaluation of fully automated segmentation', 0.0225, 'c1', 'c2'],
  ['Segmentation', 'Test set segmentation masks produced by a single reader or automated tool', 0.0112, 'c1'],
  [
    'Image processing and feature extraction',
    'Appropriate use of image preprocessing techniques with transparent description',
    0.0622,
  ],
  [
    'Image processing and feature extraction',
    'Use of standardized feature extraction software',
    0.0311,
    'c3',
  ],
  [
    'Image processing and feature extraction',
    'Transparent reporting of feature extraction parameters, otherwise a default configuration statement',
    0.0415,
  ],
  ['Feature processing', 'Removal of non-robust features', 0.02, 'c4'],
  ['Feature processing', 'Removal of redundant features', 0.02, 'c4'],
  ['Feature processing', 'Appropriateness of dimensionality compared to data size', 0.03, 'c4'],
  ['Feature processing', 'Robustness assessment of end-to-end deep learning pipelines', 0.02, 'c5'],
  ['Preparation for modeling', 'Proper data partitioning process', 0.0599],
  ['Preparation for modeling', 'Handling of confounding factors', 0.03],
  ['Metrics and comparison', 'Use of appropriate performance evaluation metrics for task', 0.0352],
  ['Metrics and comparison', 'Consideration of uncertainty', 0.0234],
  ['Metrics and comparison', 'Calibration assessment', 0.0176],
  ['Metrics and comparison', 'Use of uni-parametric imaging or proof of its inferiority', 0.0117],
  [
    'Metrics and comparison',
    'Comparison with a non-radiomic approach or proof of added clinical value',
    0.0293,
  ],
  ['Metrics and comparison', 'Comparison with simple or classical statistical models', 0.0176],
  ['Testing', 'Internal testing', 0.0375],
  ['Testing', 'External testing', 0.0749],
  ['Open science', 'Data availability', 0.0075],
  ['Open science', 'Code availability', 0.0075],
  ['Open science', 'Model availability', 0.0075],
];

/**
 * The METRICS score: 100 times the weights of the items answered "yes" over the weights of the items that apply. The run answers
 * the items that it can see (partition, measures, uncertainty, calibration, comparisons, testing, robustness); all that needs
 * a judgement of the study is blank until `checklists.metrics` answers it, and a blank counts as "no".
 *
 * Bands: below 20 very low, below 40 low, below 60 moderate, below 80 good, else excellent.
 *
 * @see Kocak et al. 2024, Insights into Imaging 15:8; https://metricsscore.github.io/metrics/METRICS.html
 */
export function metricsScore(report: MeasuredReport): MetricsScore {
  const given = report.checklists?.metrics ?? {};
  const seen = conditionsSeen(report);
  const conditions = CONDITIONS.map(([number, name]) => {
    const own = given[number];
    const found = own !== undefined ? own === 'yes' : seen[number];
    return {
      number,
      name,
      answer: found ? ('yes' as const) : ('no' as const),
      from: own !== undefined ? ('authors' as const) : seen[number] === undefined ? null : ('run' as const),
    };
  });
  const holds = new Set<string>(
    conditions.filter(({ answer }) => answer === 'yes').map(({ number }) => number),
  );
  const answers = answersOfRun(report, holds.has('c5'));
  const items = ITEMS.map(([category, name, weight, ...needed], i): MetricsItem => {
    const number = i + 1;
    const item = { number, category, name, weight };
    const unmet = needed.filter((condition) => !holds.has(condition));
    if (unmet.length > 0) {
      return {
        ...item,
        answer: 'not applicable',
        reason: `condition ${unmet.map((c) => c.slice(1)).join(', ')} does not hold`,
        from: 'run',
      };
    }
    const own = given[String(number)];
    if (own !== undefined) return { ...item, answer: own, reason: '', from: 'authors' };
    const found = answers[number];
    return found === undefined
      ? { ...item, answer: 'blank', reason: '', from: null }
      : { ...item, answer: found[0] ? 'yes' : 'no', reason: found[1], from: 'run' };
  });
  const sum = (answers: MetricsAnswer[]) =>
    items.reduce((total, { answer, weight }) => total + (answers.includes(answer) ? weight : 0), 0);
  const applicable = sum(['yes', 'no', 'blank']);
  const share = (value: number) => (applicable === 0 ? 0 : (100 * value) / applicable);
  const score = share(sum(['yes']));
  return { conditions, items, score, highest: share(sum(['yes', 'blank'])), band: bandOf(score) };
}

const bandOf = (score: number): MetricsScore['band'] =>
  score < 20 ? 'very low' : score < 40 ? 'low' : score < 60 ? 'moderate' : score < 80 ? 'good' : 'excellent';

function conditionsSeen({ study, attention }: MeasuredReport): Partial<Record<Condition, boolean>> {
  const kind = study?.modelKind ?? (attention.length > 0 ? 'deepLearning' : undefined);
  const masks =
    study?.segmentation !== undefined ||
    study?.automaticSegmentation !== undefined ||
    attention.some(({ slices }) => slices.some(({ lesion }) => lesion.some((inside) => inside !== 0)));
  return {
    ...(masks ? { c1: true } : {}),
    ...(study?.automaticSegmentation === undefined ? {} : { c2: study.automaticSegmentation }),
    ...(kind === undefined
      ? {}
      : { c3: kind === 'radiomics', c4: kind !== 'deepLearning', c5: kind === 'deepLearning' }),
  };
}

function answersOfRun(
  { study, cohort, main, baselines, threshold, stress = [], history = [] }: MeasuredReport,
  deep: boolean,
): Record<number, [boolean, string]> {
  const tested = baselines.filter(({ delong }) => delong !== null);
  const disjoint =
    cohort.perSplit.length > 1 &&
    cohort.perSplit.reduce((sum, part) => sum + part.patients, 0) === cohort.patients;
  const answers: Record<number, [boolean, string]> = {
    18: [
      disjoint,
      disjoint
        ? `parts are disjoint by patient; threshold chosen on ${threshold.chosenOn} cases`
        : 'the parts are not seen to be disjoint by patient',
    ],
    20: [
      !deep || history.length > 0,
      `ROC, precision-recall, confusion matrix${history.length > 0 ? ', loss curve' : deep ? '; no loss curve' : ''}`,
    ],
    21: [true, 'bootstrap, DeLong and Wilson intervals'],
    22: [
      main.evaluation.calibrationBins !== null,
      main.evaluation.calibrationBins === null
        ? 'the scores are no probabilities'
        : 'plot, slope, intercept, ECE, Brier score',
    ],
    24: [
      tested.length > 0,
      tested.length > 0
        ? `DeLong's test against ${tested.map(({ name }) => name).join(', ')}`
        : 'no baseline was given',
    ],
    25: [
      tested.length > 0,
      tested.length > 0
        ? `DeLong's test against ${tested.length} simple models, Holm's correction`
        : 'no baseline was given',
    ],
    17: [
      stress.length > 0,
      stress.length > 0 ? `${stress.length} perturbations` : 'no perturbation was tried',
    ],
  };
  if (study?.centres !== undefined) answers[4] = [study.centres > 1, `${study.centres} centres`];
  if (study?.imagingProtocol !== undefined) answers[6] = [true, study.imagingProtocol];
  if (study?.segmentation !== undefined) answers[8] = [true, study.segmentation];
  if (study?.externalTest !== undefined)
    answers[27] = [
      study.externalTest,
      study.externalTest ? 'test cases from another place' : 'test cases from the same source',
    ];
  if (study?.externalTest !== true)
    answers[26] = [
      disjoint,
      `${main.evaluation.cases} test cases${disjoint ? ' of patients not trained on' : ''}`,
    ];
  return answers;
}
