import { renderReport } from '@onco-response/report';
import type { CollectedStudy, StudyRow } from './collect.js';
import { poolCases } from './pool-cases.js';
import { casesOfFold } from './study-folds.js';
import { patientsByCase, type Trial } from './study-plan.js';
import { countCases, describeModel, flatten } from './study-report.js';
import { showInterval, showP } from './table.js';

/** The report of a study of several trials: out-of-fold predictions, one model a variant. */
export function pooledReport({ plan, rows, chosen, record, trainingSeconds }: CollectedStudy): string {
  const { study, splitSeed } = plan.trials[0] as Trial;
  const patientOf = patientsByCase(plan);
  const [first] = rows as [StudyRow];
  const pooled = poolCases(first.trials, 'test');
  const labels = pooled.map(({ label }) => label);
  const clusters = pooled.map(({ caseId }) => patientOf.get(caseId) as string);
  const outer = plan.folds.filter(({ innerOf }) => innerOf === null);
  const studyOf = (name: string) => plan.trials.find(({ variant }) => variant === name)?.study;
  const { resamples, level } = study.evaluation;
  return renderReport({
    title: study.name,
    synthetic: plan.origin !== undefined,
    positiveClass: study.positiveClass,
    target: study.target,
    cohort: {
      ...countCases(plan.cases),
      perSplit: outer.map((fold) => ({
        split: `${fold.name}, test`,
        ...countCases(casesOfFold(plan.cases, fold).test),
      })),
    },
    models: [
      ...rows.map(({ name, evaluation, trials }) => {
        const of = studyOf(name);
        return {
          name,
          description: `${of ? describeModel(of) : 'for each test fold the variant with the largest AUC on its inner folds'}; ${trials.length} trials`,
          labels,
          clusters,
          scores: poolCases(trials, 'test').map(({ probability }) => probability),
          evaluation: evaluation.model,
        };
      }),
      {
        name: 'Lesion volume only',
        description:
          'logistic regression on the logarithm of the lesion volume, fitted on training cases of each fold',
        labels,
        clusters,
        scores: pooled.map(({ volumeOnlyProbability }) => volumeOnlyProbability),
        evaluation: first.evaluation.volumeOnly,
        baseline: true,
      },
    ],
    threshold: {
      value: first.evaluation.threshold,
      chosenOn: 'validation',
      rule: 'for each case by the models that never saw it: the largest Youden index on their validation cases; shown is the mean',
    },
    bootstrap: { resamples, level, seed: splitSeed },
    ...(plan.origin && {
      reachableAuc: { value: plan.origin.reachableAuc, description: plan.origin.description },
    }),
    attention: [],
    run: {
      ...flatten(
        { ...record.provenance, encoder: record.encoder, processor: record.processor, cores: record.cores },
        { ...record, trainingSeconds },
      ),
      trials: plan.trials.length,
    },
    warnings: [...new Set(rows.flatMap(({ trials }) => trials.flatMap(({ result }) => result.warnings)))],
    notes: [
      'Every prediction is out of fold: by models that never saw the patient. Probabilities are calibrated by Platt scaling on the validation cases of each trial, and averaged over seeds and repetitions.',
      'Confidence intervals resample patients with all their cases.',
      ...first.evaluation.folds.map(
        ({ fold, cases, rocAuc }) =>
          `${first.name}, ${fold}: ${cases} cases, AUC ${rocAuc ? showInterval(rocAuc) : 'not defined: one class'}.`,
      ),
      ...rows
        .slice(1)
        .map(({ name, evaluation: { againstFirst } }) =>
          againstFirst
            ? `${name} against ${first.name}: AUC difference ${showInterval(againstFirst.difference)}, DeLong p ${againstFirst.delong ? showP(againstFirst.delong.p) : 'not defined'}.`
            : name,
        ),
      ...rows.flatMap(({ name, evaluation: { external } }) =>
        external
          ? [
              `${name} on ${external.model.cases} external cases (mean of ${first.trials.length} models): AUC ${showInterval(external.model.rocAuc)}.`,
            ]
          : [],
      ),
      ...(chosen
        ? [`Chosen on the inner folds: ${[...chosen].map(([fold, name]) => `${fold} ${name}`).join('; ')}.`]
        : []),
    ],
  });
}
