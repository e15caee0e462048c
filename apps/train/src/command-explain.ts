import { join } from 'node:path';
import { interruption } from '@onco-response/command-line/node';
import type { Command } from 'commander';
import { wholeNumber } from './whole-number.js';

interface Options {
  run: string;
  out?: string;
  variant?: string;
  trial: number;
  cases: number;
  slices: number;
  steps: number;
  checked: number;
  repeats: number;
  seed: number;
  threads?: number;
}

/** `onco-train explain`. */
export function registerExplain(program: Command): void {
  program
    .command('explain')
    .description(
      'Why a finished run says what it says: maps of attended slices, checked against random weights; nearest training cases; importance.',
    )
    .requiredOption('--run <dir>', 'the folder that fit wrote')
    .option('--out <dir>', 'folder for the results (else RUN/explain)')
    .option('--variant <name>', 'of a study with several variants (else the first)')
    .option('--trial <n>', "which of the variant's trained models, from 0", wholeNumber(0), 0)
    .option('--cases <n>', 'so many of the best, worst and most uncertain test cases', wholeNumber(1), 2)
    .option('--slices <n>', 'most attended slices of each', wholeNumber(1), 2)
    .option('--steps <n>', 'points of the path of integrated gradients', wholeNumber(1), 50)
    .option('--checked <n>', 'cases whose maps are checked against random weights', wholeNumber(0), 2)
    .option('--repeats <n>', 'shuffles of each clinical column', wholeNumber(1), 5)
    .option('--seed <n>', 'of random weights and shuffles', wholeNumber(0), 0)
    .option('--threads <n>', 'CPU threads (else as the study says)', wholeNumber(1))
    .addHelpText(
      'after',
      `
Examples:
  onco-train explain --run runs/quickstart
  onco-train explain --run runs/lidc --cases 3 --slices 1 --steps 20

For each case CASE.png: a slice a row; the CT with the lesion's edge, integrated gradients of the logit (size, without sign), attention
rollout. A map whose rank correlation with a random model's map stays high shows the image and not the model: see the table.
Writes explain.json and PNGs, and puts them into the run's report; no patient is named. Research use only.`,
    )
    .action(async (options: Options) => {
      const { explainRun } = await import('./explain.js');
      const { renderAgain } = await import('./kept-report.js');
      console.log(await explainRun({ ...options, interrupted: interruption() }));
      console.error(`results: ${join(options.out ?? join(options.run, 'explain'), 'explain.json')}`);
      if (options.out === undefined) {
        await renderAgain(options.run);
        console.error(`report: ${join(options.run, 'report.html')}`);
      }
    });
}
