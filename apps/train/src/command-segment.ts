import { interruption } from '@onco-response/command-line/node';
import type { Command } from 'commander';

interface Options {
  config: string;
  out: string;
  compare?: string;
  planOnly?: true;
}

/** `onco-train segment`. */
export function registerSegment(program: Command): void {
  program
    .command('segment')
    .description(
      "Train a network that segments lesions, by nnU-Net's rules, and measure it on patients that it never saw.",
    )
    .requiredOption('--config <file>', 'the study (YAML): cohort, labels, plan, training')
    .requiredOption('--out <dir>', 'folder for the model and the results')
    .option('--compare <dir>', 'an nnU-Net model folder to run on the same test cases')
    .option('--plan-only', 'stop when the network is planned and the cases are prepared')
    .addHelpText(
      'after',
      `
Examples:
  onco-train segment --config examples/lidc/segment.yaml --out runs/lidc-segment
  onco-train segment --config segment.yaml --out runs/segment --plan-only
  onco-train segment --config segment.yaml --out runs/segment --compare nnUNetTrainer__nnUNetPlans__3d_fullres

The cohort is a CSV file with patient_id, image, mask (and split, if you bring one). Writes model/, a folder that
loadNnUnet, onco-infer and a study's segmentation take; metrics.json; sheets/*.png (drawn in blue, predicted in orange);
predictions/*.nii.gz. Names of patients are in none of them.

Ctrl-C saves the state; the same command goes on from there, also after the process was killed.
Exit codes: 0 done, 42 the study or its input is wrong, 75 interrupted (run it again), 1 a defect.`,
    )
    .action(async (options: Options) => {
      const { runSegment } = await import('./segment.js');
      const { config: configPath, ...rest } = options;
      console.log(await runSegment({ ...rest, configPath, interrupted: interruption() }));
      console.error(`results: ${options.out}`);
    });
}
