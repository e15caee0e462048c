import { join } from 'node:path';
import type { Command } from 'commander';

/** `onco-train tabular`. */
export function registerTabular(program: Command): void {
  program
    .command('tabular')
    .description(
      'Logistic regressions on a table of patients: out-of-fold AUCs of named sets of features, DeLong between them, a report.',
    )
    .requiredOption('--config <file>', 'the study (YAML)')
    .requiredOption('--out <dir>', 'folder for the results')
    .addHelpText(
      'after',
      `
Example:
  onco-train tabular --config apps/train/examples/ispy2.yaml --out runs/ispy2

Writes report.html, metrics.json, predictions.csv, models.json, splits.json and run.json.
Patients are never named in them: case-0012 is the twelfth row of the table.`,
    )
    .action(async ({ config, out }: { config: string; out: string }) => {
      const { runTabular } = await import('./tabular.js');
      console.log(await runTabular(config, out));
      console.error(`report: ${join(out, 'report.html')}`);
    });
}
