import { compareModels, type ModelComparison } from './compare-models.js';
import { evaluateModel, type ModelEvaluation } from './evaluate-model.js';
import { checkSlice } from './lesion-outline.js';
import { ReportError } from './report-error.js';
import type { ReportInput, ReportModel } from './report-input.js';

export interface MeasuredModel extends ReportModel {
  evaluation: ModelEvaluation;
  /** this model minus the baseline; undefined for the baseline itself and where there is none */
  comparison?: ModelComparison;
  isBaseline: boolean;
}

/** The report's input with every number in it computed once. */
export interface MeasuredReport extends Omit<ReportInput, 'models'> {
  models: MeasuredModel[];
  main: MeasuredModel;
  baseline: MeasuredModel | undefined;
}

/** Raises `ReportError` for input that cannot be printed, `MetricsError` for scores that cannot be measured. */
export function measure(input: ReportInput): MeasuredReport {
  check(input);
  const baselineIndex = findBaseline(input.models);
  const baselineScores = input.models[baselineIndex]?.scores;
  const models = input.models.map((model, i): MeasuredModel => {
    const clusters = model.clusters === undefined ? {} : { clusters: model.clusters };
    const options = { bootstrap: input.bootstrap, ...clusters };
    const measured: MeasuredModel = {
      ...model,
      isBaseline: i === baselineIndex,
      evaluation:
        model.evaluation ??
        evaluateModel(model.labels, model.scores, {
          threshold: model.threshold ?? input.threshold.value,
          ...options,
        }),
    };
    if (baselineScores && i !== baselineIndex) {
      measured.comparison = compareModels(model.labels, model.scores, baselineScores, options);
    }
    return measured;
  });
  return { ...input, models, main: models[0]!, baseline: models[baselineIndex] };
}

function findBaseline(models: ReportModel[]): number {
  const marked = models.findIndex((model) => model.baseline === true);
  return marked >= 0 ? marked : models.findIndex((model, i) => i > 0 && /volume/i.test(model.name));
}

function check({ models, attention }: ReportInput): void {
  const first = models[0];
  if (!first) {
    throw new ReportError({
      code: 'INVALID_INPUT',
      message: 'models is empty: a report needs the main model, first.',
    });
  }
  for (const model of models) {
    if (
      model.labels.length !== first.labels.length ||
      model.labels.some((label, i) => label !== first.labels[i])
    ) {
      throw new ReportError({
        code: 'LENGTH_MISMATCH',
        message: `The labels of model "${model.name}" are not those of "${first.name}": all models are compared on the same cases in the same order.`,
      });
    }
  }
  for (const { slices } of attention) slices.forEach(checkSlice);
}
