import { runInPool } from './local-pool.js';
import { isSingle, planStudy, type StudyPlan, type Trial, trialFolder } from './study-plan.js';
import { TrainError } from './train-error.js';
import { runTrial, type TrialOptions } from './trial.js';

export interface FitOptions {
  configPath: string;
  out: string;
  /** Child processes that run trials side by side; 1 runs them in this process, one after the other. */
  workers?: number;
  /** Name the patients of each split in the log. */
  patientIds?: boolean;
  /** Asked between cases and between steps: true saves the state and stops. */
  interrupted?: () => boolean;
}

/**
 * One study from its file to a report: plan, all trials, collect. Every step finds what an earlier process left in `out`
 * and in the cache; a finished study is only evaluated again.
 *
 * @returns the table of variants where there is more than one trial
 */
export async function fit({
  configPath,
  out,
  workers = 1,
  patientIds = false,
  interrupted = () => false,
}: FitOptions): Promise<string | undefined> {
  const plan = await planStudy(configPath, out, { interrupted });
  console.error(describePlan(plan));
  if (isSingle(plan)) {
    await runTrial(plan, plan.trials[0] as Trial, { interrupted, patientIds, again: true });
    return undefined;
  }
  if (workers > 1) await runInPool(plan, { workers, interrupted, patientIds });
  else await runInTurn(plan, { interrupted, patientIds });
  const { collectStudy } = await import('./collect.js');
  const table = await collectStudy(out);
  console.error(`report: ${out}/report.html`);
  return table;
}

/** A trial whose training fails does not keep the others from running; `collect` names it. An image that cannot be read does. */
async function runInTurn(plan: StudyPlan, options: TrialOptions): Promise<void> {
  for (const trial of plan.trials) {
    const said = await runTrial(plan, trial, options).then(
      ({ already }) => `${already ? 'was done' : 'is done'}: ${trialFolder(plan, trial)}`,
      (error) => {
        if (!TrainError.isInstance(error) || error.code === 'INTERRUPTED') throw error;
        return `failed: [${error.code}] ${error.message}`;
      },
    );
    console.error(`${describeProgress(plan, trial)} ${said}`);
  }
}

const describeProgress = ({ trials }: StudyPlan, { index, variant, fold, seed }: Trial) =>
  `trial ${index + 1}/${trials.length} (${variant}, ${fold}, seed ${seed})`;

function describePlan(plan: StudyPlan): string {
  const { cases, external, origin, folds, trials } = plan;
  const { study } = trials[0] as Trial;
  const [fold] = folds;
  const kind = `${study.name}: ${cases.length} ${origin ? 'SYNTHETIC ' : ''}cases`;
  const outside = external.length > 0 ? `, external ${external.length}` : '';
  if (isSingle(plan)) {
    return `${kind}; train ${fold?.train.length}, validation ${fold?.validation.length}, test ${fold?.test.length}${outside}`;
  }
  const count = (values: readonly unknown[], name: string) => {
    const { size } = new Set(values);
    return `${size} ${name}${size === 1 ? '' : 's'}`;
  };
  return `${kind}${outside}; ${trials.length} trials: ${count(
    trials.map(({ variant }) => variant),
    'variant',
  )}, ${count(
    trials.map(({ seed }) => seed),
    'seed',
  )}, ${count(
    folds.map(({ name }) => name),
    'fold',
  )}`;
}
