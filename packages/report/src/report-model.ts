import { type DecisionPoint, decisionCurve, MetricsError } from '@onco-response/metrics';
import { analyseDecisions, type DecisionAnalysis, decisionThresholds } from './analyse-decisions.js';
import { analyseSubgroups, type SubgroupAnalysis } from './analyse-subgroups.js';
import { type BaselineComparison, compareBaselines } from './compare-baselines.js';
import { compareModels, type ModelComparison } from './compare-models.js';
import { evaluateModel, type ModelEvaluation } from './evaluate-model.js';
import { checkSlice } from './lesion-outline.js';
import { ReportError } from './report-error.js';
import type { ModelRole, ReportInput, ReportModel } from './report-input.js';

export interface MeasuredModel extends ReportModel {
  evaluation: ModelEvaluation;
  /** this model minus the baseline; undefined for the baseline itself and where there is none */
  comparison?: ModelComparison;
  isBaseline: boolean;
  /** `role`, or what it is taken to be; undefined for the first model unless it says */
  effectiveRole: ModelRole | undefined;
}

/** A model's decision curve; null where its scores are no probabilities. */
export interface MeasuredDecisions {
  name: string;
  curve: DecisionPoint[] | null;
}

/** The report's input with every number in it computed once. */
export interface MeasuredReport extends Omit<ReportInput, 'models'> {
  models: MeasuredModel[];
  main: MeasuredModel;
  baseline: MeasuredModel | undefined;
  /** the first model against every model whose role is a baseline */
  baselines: BaselineComparison[];
  decisions: MeasuredDecisions[];
  /** of the first model; the reason as text where its scores are no probabilities */
  decisionAnalysis: DecisionAnalysis | string;
  subgroupResults: SubgroupAnalysis[];
}

/** Raises `ReportError` for input that cannot be printed, `MetricsError` for scores that cannot be measured. */
export function measure(input: ReportInput): MeasuredReport {
  check(input);
  const baselineIndex = findBaseline(input.models);
  const baselineScores = input.models[baselineIndex]?.scores;
  const models = input.models.map((model, i): MeasuredModel => {
    const options = optionsOf(input, model);
    const measured: MeasuredModel = {
      ...model,
      isBaseline: i === baselineIndex,
      effectiveRole: roleOf(model, i, i === baselineIndex),
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
  const main = models[0]!;
  const options = { threshold: main.threshold ?? input.threshold.value, ...optionsOf(input, main) };
  const range = input.decision ?? {};
  const { thresholds } = decisionThresholds(range);
  return {
    ...input,
    models,
    main,
    baseline: models[baselineIndex],
    baselines: compareBaselines(
      main.labels,
      main.scores,
      models.slice(1).filter(({ effectiveRole }) => effectiveRole !== 'variant'),
      options,
    ),
    decisions: models.map(({ name, labels, scores }) => {
      const curve = orReason(() => decisionCurve(labels, scores, thresholds));
      return { name, curve: typeof curve === 'string' ? null : curve };
    }),
    decisionAnalysis: orReason(() =>
      analyseDecisions(main.labels, main.scores, range, optionsOf(input, main)),
    ),
    subgroupResults: (input.subgroups ?? []).map((column) =>
      analyseSubgroups(main.labels, main.scores, column, {
        ...options,
        ...(input.subgroupMinimum === undefined ? {} : { minimum: input.subgroupMinimum }),
      }),
    ),
  };
}

const optionsOf = ({ bootstrap }: ReportInput, { clusters }: ReportModel) => ({
  bootstrap,
  ...(clusters === undefined ? {} : { clusters }),
});

/** A value, or the reason why there is none. */
function orReason<T>(compute: () => T): T | string {
  try {
    return compute();
  } catch (error) {
    if (!MetricsError.isInstance(error)) throw error;
    return error.message;
  }
}

function findBaseline(models: ReportModel[]): number {
  const marked = models.findIndex((model) => model.baseline === true);
  if (marked >= 0) return marked;
  const role = models.findIndex((model, i) => i > 0 && model.role === 'volumeOnly');
  return role >= 0 ? role : models.findIndex((model, i) => i > 0 && /volume/i.test(model.name));
}

function roleOf(
  { role, baseline, name }: ReportModel,
  index: number,
  isReference: boolean,
): ModelRole | undefined {
  if (role !== undefined) return role;
  if (index === 0) return undefined;
  if (isReference || baseline === true) return /volume/i.test(name) ? 'volumeOnly' : 'otherBaseline';
  return 'variant';
}

function check({ models, attention, outOfDistribution }: ReportInput): void {
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
  if (outOfDistribution && outOfDistribution.scores.length !== first.labels.length) {
    throw new ReportError({
      code: 'LENGTH_MISMATCH',
      message: `outOfDistribution has ${outOfDistribution.scores.length} scores for ${first.labels.length} test cases: it needs one a case, in the same order.`,
    });
  }
  for (const { slices } of attention) slices.forEach(checkSlice);
}
