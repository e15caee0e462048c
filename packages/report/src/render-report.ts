import type { Markup } from './markup.js';
import { renderPage } from './page.js';
import type { ReportInput } from './report-input.js';
import { type MeasuredReport, measure } from './report-model.js';
import { ablationsSection, learningCurveSection } from './section-ablations.js';
import { attentionSection } from './section-attention.js';
import { baselinesSection } from './section-baselines.js';
import { calibrationSection } from './section-calibration.js';
import { checklistsSection } from './section-checklists.js';
import { cohortSection } from './section-cohort.js';
import { decisionSection } from './section-decision.js';
import { prSection, rocSection } from './section-discrimination.js';
import { explanationSection } from './section-explanation.js';
import { modelsSection } from './section-models.js';
import { robustnessSection } from './section-robustness.js';
import { runSection, warningsSection } from './section-run.js';
import { subgroupsSection } from './section-subgroups.js';
import { summarySection } from './section-summary.js';
import { thresholdSection } from './section-threshold.js';
import { trainingSection } from './section-training.js';

/**
 * Renders an evaluation as one HTML file without scripts and without anything fetched: it can be mailed, archived and
 * printed. The same input gives the same file, byte by byte. All text of the input is escaped.
 *
 * @throws ReportError for models on unequal cases, images that do not fill their size, or no model; MetricsError for scores
 *   that cannot be measured
 * @example
 * await writeFile('report.html', renderReport({ title: 'Response to chemotherapy', synthetic: false, ...rest }))
 */
export function renderReport(input: ReportInput): string {
  return reportPage(measure(input)).text;
}

/** The report as a page with its downloads. */
export function reportPage(report: MeasuredReport): Markup {
  const filled = <T>(values: readonly T[] | undefined): values is readonly T[] =>
    values !== undefined && values.length > 0;
  return renderPage({
    kicker: 'Evaluation report',
    title: report.title,
    lead: report.target,
    quiet: `Positive class: ${report.positiveClass}`,
    synthetic: report.synthetic,
    sections: [
      summarySection(report),
      cohortSection(report),
      rocSection(report),
      prSection(report),
      calibrationSection(report),
      thresholdSection(report),
      decisionSection(report),
      baselinesSection(report),
      modelsSection(report),
      ...(report.subgroupResults.length > 0 ? [subgroupsSection(report)] : []),
      ...(filled(report.ablations) ? [ablationsSection(report.ablations)] : []),
      ...(filled(report.learningCurve) ? [learningCurveSection(report.learningCurve)] : []),
      ...(filled(report.history) ? [trainingSection([...report.history])] : []),
      ...(report.attention.length > 0 ? [attentionSection(report)] : []),
      ...(report.explanation ? [explanationSection(report.explanation, report.positiveClass)] : []),
      ...(filled(report.stress) || report.outOfDistribution || report.conformal
        ? [robustnessSection(report)]
        : []),
      checklistsSection(report),
      runSection(report),
      warningsSection(report),
    ],
  });
}
