import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeOutput } from './write-output.js';

/** One line of `attention.jsonl`: what a trained model attended to in one of its test cases. */
export interface CaseAttention {
  caseId: string;
  /** Along the given volume's axis that runs to the head. */
  sliceIndices: number[];
  /** One weight a slice; they sum to 1. */
  weights: number[];
}

const NAME = 'attention.jsonl';

export async function writeAttention(folder: string, cases: readonly CaseAttention[]): Promise<void> {
  await writeOutput(join(folder, NAME), cases.map((each) => `${JSON.stringify(each)}\n`).join(''));
}

/** What `writeAttention` wrote; nothing where the file is missing or damaged, since no number follows from it. */
export async function readAttention(folder: string): Promise<CaseAttention[]> {
  try {
    const lines = (await readFile(join(folder, NAME), 'utf8')).split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}

/** The mean weights of several models that looked at the same slices of a case; undefined where they did not. */
export function meanAttention(models: readonly CaseAttention[]): CaseAttention | undefined {
  const [first] = models;
  if (!first || models.some(({ sliceIndices }) => sliceIndices.join() !== first.sliceIndices.join()))
    return undefined;
  const weights = first.weights.map(
    (_, slice) => models.reduce((sum, each) => sum + (each.weights[slice] as number), 0) / models.length,
  );
  return { ...first, weights };
}
