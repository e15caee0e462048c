#!/usr/bin/env node
import { EXIT, interruption, reportError } from '@onco-response/command-line/node';
import { Command, InvalidArgumentError, Option } from 'commander';
import { stringify } from 'yaml';
import manifest from '../package.json' with { type: 'json' };
import { compareRuns } from './compare.js';
import { ENCODERS, type EncoderName, pullEncoder } from './encoder-store.js';
import { fit } from './fit.js';
import { makePhantomCohort } from './make-phantom-cohort.js';
import { loadStudy } from './study.js';

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

program
  .command('fit')
  .description('Preprocess, train, calibrate, evaluate and report one study; resumes where it stopped.')
  .requiredOption('--config <file>', 'the study (YAML)')
  .addOption(new Option('--out <dir>', 'folder for the results').conflicts('printConfig'))
  .option('--print-config', 'print the study with every default filled in, and stop')
  .addHelpText(
    'after',
    `
Examples:
  onco-train fit --config examples/phantom/study.yaml --out runs/quickstart
  onco-train fit --config study.yaml --print-config

Ctrl-C saves the state; the same command goes on from there.
Exit codes: 0 done, 42 the study or its input is wrong, 75 interrupted (run it again), 1 a defect.`,
  )
  .action(async (options: { config: string; out?: string; printConfig?: true }) => {
    if (options.printConfig) return console.log(stringify((await loadStudy(options.config)).study).trimEnd());
    if (!options.out) program.error("error: required option '--out <dir>' not specified");
    await fit({ configPath: options.config, out: options.out as string, interrupted: interruption() });
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

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportError('onco-train', error);
}
