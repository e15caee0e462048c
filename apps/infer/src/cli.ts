#!/usr/bin/env node
import { EXIT, reportError } from '@onco-response/command-line/node';
import { Command, InvalidArgumentError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { type PredictOptions, predict } from './predict.js';

/** `age=61` into a record of what was given before. */
function clinicalValue(text: string, before: Record<string, string | null> = {}) {
  const [, name, value = ''] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (name === undefined) {
    throw new InvalidArgumentError('NAME=VALUE is needed, or NAME= for a value that is not known.');
  }
  return { ...before, [name]: value.trim() || null };
}

/** `1,9` as numbers. */
function labelList(text: string): number[] {
  const labels = text.split(',').map((part) => Number(part.trim() || Number.NaN));
  if (labels.every((label) => Number.isInteger(label) && label >= 1 && label <= 255)) return labels;
  throw new InvalidArgumentError('whole numbers from 1 to 255 with commas between are needed, such as 1,9.');
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
  .option('--mask <path>', "lesion mask on the image's grid")
  .option('--segmentation <folder>', 'model folder of nnU-Net v2 that derives a missing mask')
  .option(
    '--lesion-labels <labels>',
    'its labels that are lesion, e.g. 1,9 (else those of the training masks, or its only one)',
    labelList,
  )
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
Examples:
  onco-infer predict --model runs/quickstart/bundle --image case.nii.gz --mask mask.nii.gz --out out/
  onco-infer predict --model runs/quickstart/bundle --image dicom/ --segmentation nnUNetTrainer__nnUNetPlans__3d_fullres --lesion-labels 1,9 --out out/

Exit codes: 0 done, 3 no lesion was found and nothing predicted (prediction.json says so), 42 the input is wrong,
1 a defect.`,
  )
  .action(async (options: PredictOptions) => {
    const result = await predict(options);
    if (result.outcome === 'NO_LESION') {
      console.log(`NO_LESION: ${result.message}; nothing was predicted; see ${result.out}`);
      process.exitCode = EXIT.noLesion;
      return;
    }
    const { probability, positiveClass, class: decided, out } = result;
    console.log(
      `${positiveClass}: probability ${probability.toFixed(3)}, ${decided ? 'positive' : 'negative'}; see ${out}`,
    );
  });

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportError('onco-infer', error);
}
