import { authors, type Checklist, fillChecklist, type ItemRule, partly } from './checklist.js';
import type { MeasuredReport } from './report-model.js';
import {
  disjointFact,
  explanationFact,
  failureFact,
  measuresFact,
  modelFact,
  outcomeFact,
  performanceFact,
  robustnessFact,
  sampleFact,
  softwareFact,
  splitFact,
  syntheticFact,
} from './run-facts.js';

/**
 * The 44 items of CLAIM's 2024 update, in our own few words.
 *
 * @see Tejani et al. 2024, Radiology: Artificial Intelligence 6:e240300
 */
const RULES: readonly ItemRule[] = [
  {
    number: '1',
    section: 'Title and abstract',
    asks: 'Says that it is a study of AI, and of which kind',
    answer: (report) => partly(modelFact(report)),
  },
  { number: '2', section: 'Title and abstract', asks: 'Summary of design, methods, results, conclusions' },
  {
    number: '3',
    section: 'Introduction',
    asks: 'Background; intended use and role',
    answer: ({ study }) => authors(study?.background ?? study?.intendedUse),
  },
  {
    number: '4',
    section: 'Introduction',
    asks: 'Aims and hypotheses',
    answer: ({ target }) => partly(target),
  },
  {
    number: '5',
    section: 'Study design',
    asks: 'Prospective or retrospective',
    answer: ({ study }) => authors(study?.design),
  },
  { number: '6', section: 'Study design', asks: 'Goal of the study', answer: ({ target }) => partly(target) },
  {
    number: '7',
    section: 'Data',
    asks: 'Sources',
    answer: (report) => syntheticFact(report) ?? authors(report.study?.dataSource),
  },
  {
    number: '8',
    section: 'Data',
    asks: 'Inclusion and exclusion',
    answer: ({ study }) => authors(study?.eligibility),
  },
  { number: '9', section: 'Data', asks: 'Preprocessing' },
  { number: '10', section: 'Data', asks: 'Choice of subsets, such as lesions or slices' },
  {
    number: '11',
    section: 'Data',
    asks: 'De-identification',
    answer: ({ study }) => authors(study?.deidentification),
  },
  { number: '12', section: 'Data', asks: 'Missing data', answer: ({ study }) => authors(study?.missingData) },
  {
    number: '13',
    section: 'Data',
    asks: 'Image acquisition',
    answer: ({ study }) => authors(study?.imagingProtocol),
  },
  {
    number: '14',
    section: 'Reference standard',
    asks: 'Definition',
    answer: (report) =>
      report.study?.outcomeAssessment === undefined
        ? partly(outcomeFact(report))
        : authors(report.study.outcomeAssessment),
  },
  { number: '15', section: 'Reference standard', asks: 'Why this one' },
  {
    number: '16',
    section: 'Reference standard',
    asks: 'Source of the annotations',
    answer: ({ study }) => authors(study?.segmentation),
  },
  { number: '17', section: 'Reference standard', asks: 'Annotation of the test cases' },
  { number: '18', section: 'Reference standard', asks: 'Agreement between and within annotators' },
  {
    number: '19',
    section: 'Partitions',
    asks: 'How cases were assigned',
    answer: (report) => partly(splitFact(report)),
  },
  { number: '20', section: 'Partitions', asks: 'At which level parts are disjoint', answer: disjointFact },
  {
    number: '21',
    section: 'Test data',
    asks: 'Intended sample size',
    answer: (report) =>
      report.study?.sampleSize === undefined ? partly(sampleFact(report)) : authors(report.study.sampleSize),
  },
  {
    number: '22',
    section: 'Model',
    asks: 'Description in detail',
    answer: (report) => partly(modelFact(report)),
  },
  { number: '23', section: 'Model', asks: 'Software and versions', answer: softwareFact },
  {
    number: '24',
    section: 'Model',
    asks: 'Where the parameters started from',
    answer: (report) => partly(modelFact(report)),
  },
  {
    number: '25',
    section: 'Training',
    asks: 'Training in detail',
    answer: ({ history }) =>
      history?.length
        ? partly(`${history.length} epochs; training loss and validation AUC of each are in the report.`)
        : undefined,
  },
  {
    number: '26',
    section: 'Training',
    asks: 'How the final model was chosen',
    answer: ({ history }) => {
      const kept = history?.find((epoch) => epoch.kept);
      return kept && `The weights of epoch ${kept.epoch} were kept, by validation AUC.`;
    },
  },
  { number: '27', section: 'Training', asks: 'Ensembling' },
  { number: '28', section: 'Evaluation', asks: 'Measures of performance', answer: measuresFact },
  {
    number: '29',
    section: 'Evaluation',
    asks: 'Measures of uncertainty and significance',
    answer: measuresFact,
  },
  { number: '30', section: 'Evaluation', asks: 'Robustness or sensitivity analysis', answer: robustnessFact },
  { number: '31', section: 'Evaluation', asks: 'Explainability', answer: explanationFact },
  {
    number: '32',
    section: 'Evaluation',
    asks: 'Evaluation on internal data',
    answer: (report) => (report.study?.externalTest ? undefined : performanceFact(report)),
  },
  {
    number: '33',
    section: 'Evaluation',
    asks: 'Testing on external data',
    answer: (report) =>
      report.study?.externalTest === undefined
        ? undefined
        : report.study.externalTest
          ? performanceFact(report)
          : 'Not done: the test cases come from the same source as the training cases.',
  },
  {
    number: '34',
    section: 'Evaluation',
    asks: 'Registration of a trial',
    answer: ({ study }) => authors(study?.registration),
  },
  {
    number: '35',
    section: 'Results: data',
    asks: 'Numbers included and excluded',
    answer: (report) => partly(splitFact(report)),
  },
  {
    number: '36',
    section: 'Results: data',
    asks: 'Characteristics of the cases in each part',
    answer: (report) => partly(splitFact(report)),
  },
  {
    number: '37',
    section: 'Results: performance',
    asks: 'Measures with their uncertainty',
    answer: performanceFact,
  },
  {
    number: '38',
    section: 'Results: performance',
    asks: 'Diagnostic performance and its precision',
    answer: performanceFact,
  },
  {
    number: '39',
    section: 'Results: performance',
    asks: 'Analysis of failures',
    answer: (report) => partly(failureFact(report)),
  },
  {
    number: '40',
    section: 'Discussion',
    asks: 'Limitations',
    answer: ({ study }) => authors(study?.limitations),
  },
  {
    number: '41',
    section: 'Discussion',
    asks: 'Implications for practice',
    answer: ({ study }) => authors(study?.interpretation),
  },
  {
    number: '42',
    section: 'Other',
    asks: 'Protocol or further technical detail',
    answer: ({ study }) => authors(study?.protocol),
  },
  {
    number: '43',
    section: 'Other',
    asks: 'Availability of software, model and data',
    answer: ({ study }) =>
      authors(
        [study?.codeSharing, study?.modelSharing, study?.dataSharing].filter(Boolean).join(' ') || undefined,
      ),
  },
  {
    number: '44',
    section: 'Other',
    asks: 'Funding and the role of funders',
    answer: ({ study }) => authors(study?.funding),
  },
];

export const claim = (report: MeasuredReport): Checklist =>
  fillChecklist(
    {
      name: 'CLAIM, 2024 update',
      source:
        'Tejani et al. 2024, Radiology: Artificial Intelligence 6(4):e240300, doi 10.1148/ryai.240300. Items paraphrased.',
      rules: RULES,
    },
    report,
    report.checklists?.claim,
  );
