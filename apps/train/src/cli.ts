#!/usr/bin/env node
import { join } from 'node:path';
import { EXIT, interruption, reportError } from '@onco-response/command-line/node';
import { Command, InvalidArgumentError, Option } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { registerExplain } from './command-explain.js';
import { registerSegment } from './command-segment.js';
import { registerStress } from './command-stress.js';
import { registerTabular } from './command-tabular.js';
import { compareRuns } from './compare.js';
import { ENCODERS, type EncoderName, pullEncoder } from './encoder-store.js';
import { exportMlflow, type MlflowOptions } from './export-mlflow.js';
import { exportTensorboard } from './export-tensorboard.js';
import { fit } from './fit.js';
import { writeJobFiles } from './job-files.js';
import { RATE_RULE, writeLearningRate } from './learning-rate-finder.js';
import { makePhantomCohort } from './make-phantom-cohort.js';
import { printStudy } from './print-study.js';
import { loadStudy } from './study.js';
import { planStudy, readPlan, type Trial } from './study-plan.js';
import { showStatus, studyStatus } from './study-status.js';
import { TrainError } from './train-error.js';
import { runTrial } from './trial.js';

const whole = (least: number) => (text: string) => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new InvalidArgumentError(`a whole number from ${least} on is needed.`);
};
const positiveNumber = (text: string) => {
  const value = Number(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('a number above 0 is needed.');
};

const program = new Command('onco-train')
  .description(
    'Trains and evaluates predictors of treatment response from CT and MRI volumes. Research use only.',
  )
  .version(manifest.version)
  .showHelpAfterError('(onco-train COMMAND --help shows examples)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage));

program
  .command('phantom')
  .description('Write a synthetic abdominal CT cohort with a planted signal of known strength.')
  .requiredOption('--out <dir>', 'folder for images, masks, cohort.csv and phantom.json')
  .option('--cases <n>', 'how many cases', whole(2), 200)
  .option('--seed <n>', 'the same seed gives the same cohort', whole(0), 0)
  .option('--strength <s>', 'how strongly lesion morphology decides the label', positiveNumber)
  .option(
    '--confound-volume <c>',
    'how strongly lesion volume points the other way (0 = not at all)',
    positiveNumber,
  )
  .addHelpText('after', '\nExample:\n  onco-train phantom --out runs/phantom-cohort --cases 200 --seed 7')
  .action((options) => makePhantomCohort(options));

program
  .command('pull')
  .description(`Fetch pretrained encoder weights by pinned hash: ${Object.keys(ENCODERS).join(', ')}.`)
  .addArgument(program.createArgument('<encoder>').choices(Object.keys(ENCODERS)))
  .addHelpText('after', '\nExample:\n  onco-train pull dinov2-small')
  .action(async (name: EncoderName) => console.log(await pullEncoder(name)));

const EXIT_CODES =
  'Exit codes: 0 done, 42 the study or its input is wrong, 75 interrupted (run it again), 1 a defect.';

program
  .command('fit')
  .description('Preprocess, train, calibrate, evaluate and report one study; resumes where it stopped.')
  .requiredOption('--config <file>', 'the study (YAML)')
  .addOption(new Option('--out <dir>', 'folder for the results').conflicts('printConfig'))
  .option('--workers <n>', 'child processes that share the cores (or take a card each)', whole(1), 1)
  .option('--patient-ids', 'name the patients of each split in the log')
  .option('--print-config', 'print the study with every default filled in, and stop')
  .addHelpText(
    'after',
    `
Examples:
  onco-train fit --config examples/phantom/study.yaml --out runs/quickstart
  onco-train fit --config ablation.yaml --out runs/ablation --workers 4
  onco-train fit --config study.yaml --print-config

A study with several folds, seeds or variants is many trials; what is done is not done again.
Ctrl-C saves the state; the same command goes on from there.
${EXIT_CODES}`,
  )
  .action(
    async (options: {
      config: string;
      out?: string;
      workers: number;
      patientIds?: true;
      printConfig?: true;
    }) => {
      if (options.printConfig) return console.log(printStudy((await loadStudy(options.config)).study));
      if (!options.out) program.error("error: required option '--out <dir>' not specified");
      const table = await fit({
        configPath: options.config,
        out: options.out as string,
        workers: options.workers,
        patientIds: options.patientIds ?? false,
        interrupted: interruption(),
      });
      if (table) console.log(table);
    },
  );

program
  .command('plan')
  .description('Draw the folds and list the trials of a study, with job files for Slurm and Kubernetes.')
  .requiredOption('--config <file>', 'the study (YAML)')
  .requiredOption(
    '--out <dir>',
    'folder for splits.json, manifest.jsonl and the job files; trials write there too',
  )
  .option('--threads <n>', 'CPU threads of one trial (the study file may say it instead)', whole(1), 4)
  .addHelpText(
    'after',
    `
Examples:
  onco-train plan --config study.yaml --out runs/study
  sbatch runs/study/job.slurm
  kubectl apply -f runs/study/job.kubernetes.yaml

Then: onco-train status runs/study; onco-train collect --out runs/study`,
  )
  .action(async ({ config, out, threads }: { config: string; out: string; threads: number }) => {
    const { trials } = await planStudy(config, out, { interrupted: interruption(), threads });
    const { study } = trials[0] as Trial;
    await writeJobFiles({
      out,
      trials: trials.length,
      threads: study.threads ?? threads,
      gpu: study.gpu,
      command: [process.execPath, process.argv[1] as string],
    });
    console.log(`${trials.length} trials in ${join(out, 'manifest.jsonl')}`);
  });

program
  .command('trial')
  .description('Run one trial of a planned study; a trial that is done is left as it is.')
  .requiredOption('--out <dir>', 'the folder that plan wrote')
  .option(
    '--index <n>',
    'row of manifest.jsonl, from 0 (else from SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX)',
    whole(0),
  )
  .option('--threads <n>', 'CPU threads (the study file may say it instead)', whole(1))
  .option('--patient-ids', 'name the patients of each split in the log')
  .addHelpText(
    'after',
    `
Examples:
  onco-train trial --out runs/study --index 3
  SLURM_ARRAY_TASK_ID=3 onco-train trial --out runs/study --threads 4

SIGTERM, SIGINT and SIGUSR1 save the state.
${EXIT_CODES}`,
  )
  .action(
    async ({
      out,
      index,
      ...options
    }: {
      out: string;
      index?: number;
      threads?: number;
      patientIds?: true;
    }) => {
      const interrupted = interruption();
      if (process.send) {
        // A child of fit: when the parent is gone, nobody collects; save the state and end.
        process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
        process.channel?.unref();
      }
      const plan = await readPlan(out);
      const trial = plan.trials[index ?? indexFromEnvironment()];
      if (!trial) {
        throw new TrainError({
          code: 'NO_TRIAL',
          message: `${join(out, 'manifest.jsonl')} has ${plan.trials.length} trials, 0 to ${plan.trials.length - 1}: give one of them as --index`,
        });
      }
      const { already } = await runTrial(plan, trial, { ...options, interrupted });
      console.error(`trial ${trial.index} ${already ? 'was done already' : 'is done'}`);
    },
  );

program
  .command('collect')
  .description(
    'Merge the trials of a study: out-of-fold predictions, metrics, the table of variants, the report.',
  )
  .requiredOption('--out <dir>', 'the folder that plan wrote')
  .addHelpText(
    'after',
    '\nExample:\n  onco-train collect --out runs/study\n\nRefuses a study with trials that are not done, and names them.',
  )
  .action(async ({ out }: { out: string }) => {
    const { collectStudy } = await import('./collect.js');
    console.log(await collectStudy(out));
  });

program
  .command('status')
  .description('How each trial of a running or finished study stands.')
  .argument('<dir>', 'the folder that fit or plan wrote')
  .option('--json', 'the same as JSON')
  .addHelpText(
    'after',
    '\nExamples:\n  onco-train status runs/study\n  watch -n 5 onco-train status runs/study',
  )
  .action(async (folder: string, { json }: { json?: true }) => {
    const trials = await studyStatus(folder);
    console.log(json ? JSON.stringify(trials, null, 2) : showStatus(trials));
  });

program
  .command('find-lr')
  .description(
    'Range test of the learning rate on the first trial of a study: a curve as CSV and a suggestion.',
  )
  .requiredOption('--config <file>', 'the study (YAML)')
  .requiredOption('--out <dir>', 'folder for learning-rate.csv and learning-rate.json')
  .option('--steps <n>', 'steps of the ramp', whole(10), 100)
  .addHelpText(
    'after',
    `\nExample:\n  onco-train find-lr --config study.yaml --out runs/rate\n\nSuggested is ${RATE_RULE}.`,
  )
  .action(async ({ config, out, steps }: { config: string; out: string; steps: number }) => {
    const suggested = await writeLearningRate({
      configPath: config,
      out,
      steps,
      interrupted: interruption(),
    });
    console.log(
      `training.learningRate: ${suggested.toPrecision(2)} (${RATE_RULE}); see ${join(out, 'learning-rate.csv')}`,
    );
  });

const logs = program
  .command('logs')
  .description('Hand the log of a run, or of every run below a folder, to another program.');

logs
  .command('tensorboard')
  .description('Write TensorBoard summaries.')
  .argument('<dir>', 'the folder that fit or plan wrote')
  .option('--out <dir>', 'folder for the summaries (else DIR/tensorboard)')
  .addHelpText(
    'after',
    '\nExample:\n  onco-train logs tensorboard runs/study && tensorboard --logdir runs/study/tensorboard',
  )
  .action(async (folder: string, { out }: { out?: string }) =>
    console.log(await exportTensorboard(folder, out)),
  );

logs
  .command('mlflow')
  .description('Send it to an MLflow tracking server; sent again, it goes into the same run.')
  .argument('<dir>', 'the folder that fit or plan wrote')
  .requiredOption('--url <url>', 'the tracking server')
  .option('--experiment <name>', "the experiment (else the folder's name)")
  .addHelpText('after', '\nExample:\n  onco-train logs mlflow runs/study --url http://127.0.0.1:5000')
  .action(async (folder: string, options: MlflowOptions) => {
    for (const id of await exportMlflow(folder, options)) console.log(id);
  });

program
  .command('compare')
  .description(
    'Compare finished runs of the same test cases: AUC with CI, DeLong against volume only and the first run.',
  )
  .argument('<run...>', 'folders that fit wrote')
  .option('--out <file>', 'write the table there too (Markdown)')
  .addHelpText('after', '\nExample:\n  onco-train compare runs/lidc-frozen runs/lidc-lora --out runs/lidc.md')
  .action(async (runs: string[], { out }: { out?: string }) => console.log(await compareRuns(runs, out)));

registerTabular(program);
registerStress(program);
registerExplain(program);
registerSegment(program);

/** The row that a scheduler gives to this process. */
function indexFromEnvironment(): number {
  const { SLURM_ARRAY_TASK_ID: slurm, JOB_COMPLETION_INDEX: kubernetes } = process.env;
  const given = slurm ?? kubernetes;
  if (given === undefined) {
    program.error("error: option '--index <n>' is needed outside a Slurm array and a Kubernetes Indexed Job");
  }
  return Number(given);
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportError('onco-train', error);
}
