import { join } from 'node:path';
import { interruption } from '@onco-response/command-line/node';
import type { Command } from 'commander';
import { wholeNumber } from './whole-number.js';

interface Options {
  run: string;
  out?: string;
  variant?: string;
  cases?: number;
  seed: number;
  threads?: number;
}

/** `onco-train stress`. */
export function registerStress(program: Command): void {
  program
    .command('stress')
    .description(
      'Robustness of a finished run: its test cases with mask and image changed, how strange they are, conformal sets.',
    )
    .requiredOption('--run <dir>', 'the folder that fit wrote')
    .option('--out <dir>', 'folder for the results (else RUN/stress)')
    .option('--variant <name>', 'of a study with several variants (else the first)')
    .option('--cases <n>', 'change so many test cases only, drawn by the seed', wholeNumber(2))
    .option('--seed <n>', 'of the noise and the drawn cases', wholeNumber(0), 0)
    .option('--threads <n>', 'CPU threads (else as the study says)', wholeNumber(1))
    .addHelpText(
      'after',
      `
Examples:
  onco-train stress --run runs/quickstart
  onco-train stress --run runs/lidc --cases 60 --out runs/lidc-stress

Changes: mask eroded and dilated by 2 mm, the largest of several lesions missed, the lesion replaced, intensity shifted by 10 and
20 HU, noise of 10 and 20 HU, slices twice as thick. For each: AUC, its paired change with a bootstrap interval, decisions that flip at
the run's threshold, and the share of cases that lie further from the training cases than 95% of validation cases do.
Writes stress.json, stress.csv and stress-cases.csv. Research use only.`,
    )
    .action(async (options: Options) => {
      const { stressRun } = await import('./stress.js');
      const { renderAgain } = await import('./kept-report.js');
      console.log(await stressRun({ ...options, interrupted: interruption() }));
      console.error(`results: ${join(options.out ?? join(options.run, 'stress'), 'stress.json')}`);
      if (options.out === undefined) {
        await renderAgain(options.run);
        console.error(`report: ${join(options.run, 'report.html')}`);
      }
    });
}
