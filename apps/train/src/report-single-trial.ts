import { join } from 'node:path';
import { evaluatePredictions } from './evaluation.js';
import { writeReport } from './kept-report.js';
import { patientsByCase, type StudyPlan } from './study-plan.js';
import { studyReport } from './study-report.js';
import type { TrainedTrial } from './trial.js';
import { writeOutput } from './write-output.js';

/** `metrics.json` and `report.html` of a study that is one trial, while its model is in memory to show attention. */
export async function reportSingleTrial(plan: StudyPlan, trained: TrainedTrial): Promise<void> {
  const { out, origin } = plan;
  const { study, predicted, state } = trained;
  const last = state.history.at(-1);
  console.error(
    `trained ${state.history.length} epochs, best ${state.best?.epoch}; last validation AUC ${last?.validationAuc.toFixed(3)}`,
  );
  const evaluation = evaluatePredictions(predicted, study, patientsByCase(plan));
  const summary = {
    name: study.name,
    synthetic: origin !== undefined,
    positiveClass: study.positiveClass,
    reachableAuc: origin?.reachableAuc ?? null,
    bestEpoch: state.best?.epoch ?? null,
    ...evaluation.metrics,
    splitsSha256: plan.splitsSha256,
  };
  await writeReport(out, await studyReport({ ...trained, plan, origin, evaluation }));
  await writeOutput(join(out, 'metrics.json'), `${JSON.stringify(summary, null, 2)}\n`);
  const { model, volumeOnly } = evaluation.metrics;
  const { estimate, lower, upper } = model.rocAuc;
  console.error(
    `test AUC ${estimate.toFixed(3)} [${lower.toFixed(3)}, ${upper.toFixed(3)}]` +
      `${origin ? `, best reachable ${origin.reachableAuc.toFixed(3)}` : ''}, volume only ${volumeOnly.rocAuc.estimate.toFixed(3)}`,
  );
  console.error(`report: ${join(out, 'report.html')}`);
}
