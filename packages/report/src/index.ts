export type { DecisionAnalysis, DecisionRange } from './analyse-decisions.js';
export { analyseDecisions } from './analyse-decisions.js';
export type { SubgroupAnalysis, SubgroupOptions, SubgroupResult } from './analyse-subgroups.js';
export { analyseSubgroups } from './analyse-subgroups.js';
export type { CaseReportInput } from './case-report-input.js';
export type { Checklist, ChecklistItem, ItemStatus } from './checklist.js';
export type { ReportChecklists } from './checklist-document.js';
export { fillChecklists, renderChecklists } from './checklist-document.js';
export type { BaselineComparison, BaselineScores } from './compare-baselines.js';
export { compareBaselines } from './compare-baselines.js';
export type { ModelComparison } from './compare-models.js';
export { compareModels } from './compare-models.js';
export type { PngImage } from './encode-png.js';
export { encodePng } from './encode-png.js';
export type { EqualisedOdds } from './equalised-odds.js';
export { equalisedOdds } from './equalised-odds.js';
export type { CountedProportion, EvaluationOptions, ModelEvaluation } from './evaluate-model.js';
export { evaluateModel } from './evaluate-model.js';
export type { MetricsAnswer, MetricsItem, MetricsScore } from './metrics-score.js';
export type { ModelCardOptions } from './model-card.js';
export { renderModelCard } from './model-card.js';
export { renderCaseReport } from './render-case-report.js';
export { renderReport } from './render-report.js';
export type { ReportErrorCode } from './report-error.js';
export { ReportError } from './report-error.js';
export type {
  ExplanationMap,
  NearestCases,
  ReportExplanation,
  SanityCheck,
  VariableImportance,
} from './report-explanation.js';
export { reportCsv, reportFiles } from './report-files.js';
export type {
  AblationRow,
  AttentionCase,
  AttentionSlice,
  LearningCurvePoint,
  ModelRole,
  ReportInput,
  ReportModel,
} from './report-input.js';
export type { ConformalResult, Estimate, OutOfDistribution, StressResult } from './report-robustness.js';
export type { SubgroupColumn, SubgroupMinimum } from './report-subgroups.js';
export { slicesToPng } from './slices-to-png.js';
export type { ChecklistAnswers, StudyFacts } from './study-facts.js';
