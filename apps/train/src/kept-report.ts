import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ReportInput, reportFiles } from '@onco-response/report';
import { readExplanation, readStress } from './read-findings.js';
import { writeOutput } from './write-output.js';

/** A run's report as data, so that what `stress` and `explain` find later joins it without the model. */
export interface KeptReport {
  input: ReportInput;
  /** The cases of the report's models, in their order. */
  caseIds: readonly string[];
}

const KEPT = 'report-input.json';

/** Keeps the report's data in the run and writes the report. */
export async function writeReport(run: string, report: KeptReport): Promise<void> {
  await writeOutput(join(run, KEPT), JSON.stringify(report, encodeBytes));
  await renderAgain(run);
}

/** Writes a run's report, checklists, model card and tables from its kept data and what has been found out since. */
export async function renderAgain(run: string): Promise<void> {
  const { input, caseIds } = await readKept(run);
  const explanation = await readExplanation(run);
  await writeReportFiles(
    run,
    reportFiles({ ...input, ...(await readStress(run, caseIds)), ...(explanation && { explanation }) }),
  );
}

/** Writes a report's files below a folder, the page last: where it lies, the others do. */
export async function writeReportFiles(
  out: string,
  { 'report.html': page, ...others }: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [path, text] of Object.entries(others)) await writeOutput(join(out, path), text);
  if (page !== undefined) await writeOutput(join(out, 'report.html'), page);
}

async function readKept(run: string): Promise<KeptReport> {
  return JSON.parse(await readFile(join(run, KEPT), 'utf8'), decodeBytes);
}

interface EncodedBytes {
  base64: string;
}

/** Pixels, the only typed arrays of a report. */
function encodeBytes(_: string, value: unknown): unknown {
  if (!ArrayBuffer.isView(value)) return value;
  if (!(value instanceof Uint8Array)) throw new TypeError('a report holds numbers in plain arrays');
  return { base64: Buffer.from(value).toString('base64') } satisfies EncodedBytes;
}

function decodeBytes(_: string, value: unknown): unknown {
  const isBytes = typeof value === 'object' && value !== null && 'base64' in value;
  return isBytes ? new Uint8Array(Buffer.from((value as EncodedBytes).base64, 'base64')) : value;
}
