#!/usr/bin/env node
import { EXIT, reportError } from '@onco-response/command-line/node';
import { Command, InvalidArgumentError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { type PredictOptions, predict } from './predict.js';

/** `age=61` into a record of what was given before. */
function clinicalValue(text: string, before: Record<string, number | null> = {}) {
  const [, name, value = ''] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  const number = value.trim() === '' ? null : Number(value);
  if (name === undefined || Number.isNaN(number)) {
    throw new InvalidArgumentError('NAME=NUMBER is needed, or NAME= for a value that is not known.');
  }
  return { ...before, [name]: number };
}

const program = new Command('onco-infer')
  .description('Predicts treatment response with a bundle that onco-train made. Research use only.')
  .version(manifest.version)
  .showHelpAfterError('(onco-infer COMMAND --help shows examples)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage));

program
  .command('predict')
  .description('Predict one case: prediction.json and an overlay of the most attended slices.')
  .requiredOption('--model <bundle>', 'bundle folder, e.g. runs/quickstart/bundle')
  .requiredOption('--image <path>', 'CT as NIfTI, or a folder of one DICOM series')
  .requiredOption('--mask <path>', "lesion mask on the image's grid")
  .requiredOption('--out <dir>', 'folder for the results')
  .option(
    '--clinical <name=value...>',
    'clinical values, for a model that was trained with them; NAME= for one that is not known',
    clinicalValue,
  )
  .option('--threads <n>', 'CPU threads', Number)
  .option('--gpu', 'run on a card; refused where there is none')
  .addHelpText(
    'after',
    `
Example:
  onco-infer predict --model runs/quickstart/bundle --image case.nii.gz --mask mask.nii.gz --out out/

Exit codes: 0 done, 42 the input is wrong, 1 a defect.`,
  )
  .action(async (options: PredictOptions) => {
    const { probability, positiveClass, class: decided, out } = await predict(options);
    console.log(
      `${positiveClass}: probability ${probability.toFixed(3)}, ${decided ? 'positive' : 'negative'}; see ${out}`,
    );
  });

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportError('onco-infer', error);
}
