import { authors, type Checklist, fillChecklist, type ItemRule, partly } from './checklist.js';
import type { MeasuredReport } from './report-model.js';
import {
  disjointFact,
  fairnessFact,
  measuresFact,
  modelFact,
  outcomeFact,
  performanceFact,
  sampleFact,
  softwareFact,
  splitFact,
  syntheticFact,
  thresholdFact,
} from './run-facts.js';

/**
 * The 27 items (52 with their parts) of TRIPOD+AI, paraphrased. What only the authors know comes from `StudyFacts`.
 *
 * @see Collins et al. 2024, BMJ 385:e078378, table 2 (CC BY 4.0)
 */
const RULES: readonly ItemRule[] = [
  {
    number: '1',
    section: 'Title',
    asks: 'Developing or evaluating a prediction model; population and outcome',
    answer: ({ title, target }) => partly(`\u201c${title}\u201d. ${target}`),
  },
  { number: '2', section: 'Abstract', asks: 'Abstract by TRIPOD+AI for Abstracts' },
  {
    number: '3a',
    section: 'Background',
    asks: 'Clinical context, rationale, existing models',
    answer: ({ study }) => authors(study?.background),
  },
  {
    number: '3b',
    section: 'Background',
    asks: 'Target population, purpose in the care pathway, users',
    answer: ({ study }) => authors(study?.intendedUse),
  },
  {
    number: '3c',
    section: 'Background',
    asks: 'Known health inequalities',
    answer: ({ study }) => authors(study?.healthInequalities),
  },
  {
    number: '4',
    section: 'Objectives',
    asks: 'Objectives; development, evaluation or both',
    answer: ({ target }) => partly(target),
  },
  {
    number: '5a',
    section: 'Data',
    asks: 'Sources of data for development and evaluation, why these, how representative',
    answer: (report) => syntheticFact(report) ?? authors(report.study?.dataSource),
  },
  {
    number: '5b',
    section: 'Data',
    asks: 'Dates of inclusion and of the end of follow-up',
    answer: ({ study }) => authors(study?.dates),
  },
  {
    number: '6a',
    section: 'Participants',
    asks: 'Setting; number and place of centres',
    answer: ({ study }) => authors(study?.setting),
  },
  {
    number: '6b',
    section: 'Participants',
    asks: 'Eligibility criteria',
    answer: ({ study }) => authors(study?.eligibility),
  },
  {
    number: '6c',
    section: 'Participants',
    asks: 'Treatments received, and how they were handled',
    answer: ({ study }) => authors(study?.treatments),
  },
  {
    number: '7',
    section: 'Data preparation',
    asks: 'Pre-processing and quality checks, alike across groups or not',
  },
  {
    number: '8a',
    section: 'Outcome',
    asks: 'Definition and time of the outcome, how assessed, why chosen',
    answer: (report) =>
      report.study?.outcomeAssessment === undefined
        ? partly(outcomeFact(report))
        : authors(`${outcomeFact(report)} ${report.study.outcomeAssessment}`),
  },
  { number: '8b', section: 'Outcome', asks: 'Who assessed an outcome that needs judgement' },
  { number: '8c', section: 'Outcome', asks: 'Blinding of the outcome assessment' },
  { number: '9a', section: 'Predictors', asks: 'Choice of the initial predictors' },
  {
    number: '9b',
    section: 'Predictors',
    asks: 'Definition and timing of all predictors; blinding',
    answer: ({ study }) => authors(study?.predictors),
  },
  {
    number: '9c',
    section: 'Predictors',
    asks: 'Who measured predictors that need judgement (the masks)',
    answer: ({ study }) => authors(study?.segmentation),
  },
  {
    number: '10',
    section: 'Sample size',
    asks: 'How the study size was arrived at, and that it suffices',
    answer: (report) =>
      report.study?.sampleSize === undefined ? partly(sampleFact(report)) : authors(report.study.sampleSize),
  },
  {
    number: '11',
    section: 'Missing data',
    asks: 'How missing data were handled; reasons for omissions',
    answer: ({ study }) => authors(study?.missingData),
  },
  {
    number: '12a',
    section: 'Analysis',
    asks: 'How the data were used and partitioned',
    answer: (report) => [splitFact(report), disjointFact(report)].filter(Boolean).join(' '),
  },
  { number: '12b', section: 'Analysis', asks: 'How predictors were handled (form, scaling)' },
  {
    number: '12c',
    section: 'Analysis',
    asks: 'Type of model, building steps, tuning, internal validation',
    answer: (report) => partly(modelFact(report)),
  },
  { number: '12d', section: 'Analysis', asks: 'Heterogeneity between clusters such as hospitals' },
  {
    number: '12e',
    section: 'Analysis',
    asks: 'Measures and plots of performance; comparison of models',
    answer: measuresFact,
  },
  { number: '12f', section: 'Analysis', asks: 'Updating of the model after evaluation' },
  {
    number: '12g',
    section: 'Analysis',
    asks: 'How predictions were calculated for the evaluation',
    answer: (report) => partly(softwareFact(report)),
  },
  {
    number: '13',
    section: 'Class imbalance',
    asks: 'Methods for class imbalance, and recalibration after them',
  },
  {
    number: '14',
    section: 'Fairness',
    asks: 'Approaches to fairness, and why',
    answer: (report) => partly(fairnessFact(report)),
  },
  {
    number: '15',
    section: 'Model output',
    asks: 'Output, classification, how thresholds were found',
    answer: thresholdFact,
  },
  {
    number: '16',
    section: 'Training and evaluation',
    asks: 'Differences between development and evaluation data',
    answer: ({ study }) =>
      study?.externalTest === undefined
        ? undefined
        : partly(
            study.externalTest
              ? 'The test cases come from another place than the training cases.'
              : 'The test cases come from the same source as the training cases.',
          ),
  },
  {
    number: '17',
    section: 'Ethics',
    asks: 'Ethics committee; consent or waiver',
    answer: ({ study }) => authors(study?.ethics),
  },
  {
    number: '18a',
    section: 'Open science',
    asks: 'Funding and the role of funders',
    answer: ({ study }) => authors(study?.funding),
  },
  {
    number: '18b',
    section: 'Open science',
    asks: 'Conflicts of interest',
    answer: ({ study }) => authors(study?.conflicts),
  },
  {
    number: '18c',
    section: 'Open science',
    asks: 'Protocol',
    answer: ({ study }) => authors(study?.protocol),
  },
  {
    number: '18d',
    section: 'Open science',
    asks: 'Registration',
    answer: ({ study }) => authors(study?.registration),
  },
  {
    number: '18e',
    section: 'Open science',
    asks: 'Availability of the data',
    answer: ({ study }) => authors(study?.dataSharing),
  },
  {
    number: '18f',
    section: 'Open science',
    asks: 'Availability of the code',
    answer: ({ study }) => authors(study?.codeSharing),
  },
  {
    number: '19',
    section: 'Patient involvement',
    asks: 'Involvement of patients and public, or that there was none',
    answer: ({ study }) => authors(study?.patientInvolvement),
  },
  {
    number: '20a',
    section: 'Participants',
    asks: 'Flow of participants, with and without the outcome',
    answer: splitFact,
  },
  {
    number: '20b',
    section: 'Participants',
    asks: 'Characteristics overall and by source; missing data',
    answer: (report) => partly(splitFact(report)),
  },
  { number: '20c', section: 'Participants', asks: 'Development and evaluation data compared' },
  {
    number: '21',
    section: 'Model development',
    asks: 'Participants and events in each analysis',
    answer: splitFact,
  },
  {
    number: '22',
    section: 'Model specification',
    asks: 'The full model, so that others can use it; restrictions',
    answer: (report) =>
      report.study?.modelSharing === undefined
        ? partly(modelFact(report))
        : authors(report.study.modelSharing),
  },
  {
    number: '23a',
    section: 'Model performance',
    asks: 'Performance with intervals, also in key subgroups',
    answer: (report) =>
      report.subgroupResults.length > 0
        ? performanceFact(report)
        : partly(`${performanceFact(report)} No subgroup was given.`),
  },
  {
    number: '23b',
    section: 'Model performance',
    asks: 'Heterogeneity of performance between clusters, if examined',
  },
  { number: '24', section: 'Model updating', asks: 'Results of any updating' },
  {
    number: '25',
    section: 'Interpretation',
    asks: 'Overall interpretation, with fairness and earlier studies',
    answer: ({ study }) => authors(study?.interpretation),
  },
  {
    number: '26',
    section: 'Limitations',
    asks: 'Limitations and what they do to bias and generalisability',
    answer: ({ study, warnings }) =>
      authors(study?.limitations) ??
      (warnings.length > 0 ? partly(`${warnings.length} warnings came with the run; see there.`) : undefined),
  },
  {
    number: '27a',
    section: 'Usability',
    asks: 'How poor or missing input is noticed and handled in use',
    answer: ({ outOfDistribution }) =>
      outOfDistribution ? partly(`${outOfDistribution.method}; limit ${outOfDistribution.rule}.`) : undefined,
  },
  { number: '27b', section: 'Usability', asks: 'What users have to do, and the expertise they need' },
  {
    number: '27c',
    section: 'Usability',
    asks: 'Next steps, with a view to applicability',
    answer: ({ study }) => authors(study?.futureWork),
  },
];

export const tripodAi = (report: MeasuredReport): Checklist =>
  fillChecklist(
    {
      name: 'TRIPOD+AI',
      source: 'Collins et al. 2024, BMJ 385:e078378, doi 10.1136/bmj-2023-078378. Items paraphrased.',
      rules: RULES,
    },
    report,
    report.checklists?.tripodAi,
  );
