import { type ChildProcess, fork } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, Progress } from '@onco-response/command-line/node';
import { type StudyPlan, type Trial, trialFolder } from './study-plan.js';
import { TrainError } from './train-error.js';
import type { TrialResult } from './trial.js';
import { readResult } from './trial-journal.js';

export interface PoolOptions {
  workers: number;
  interrupted: () => boolean;
  /** Name the patients of each split in the logs. */
  patientIds?: boolean;
}

/** A child that was stopped or killed is started so many times more; one that says that its input is wrong is not. */
const RETRIES = 1;

/**
 * Runs the trials that are not done, each in a child process of its own, so many at a time. The cores are shared among
 * the children; on a machine with cards each child sees one. What a child says is appended to its trial's `output.log`.
 */
export async function runInPool(
  plan: StudyPlan,
  { workers, interrupted, patientIds = false }: PoolOptions,
): Promise<void> {
  const waiting: Trial[] = [];
  for (const trial of plan.trials) {
    const result = await readResult<TrialResult>(trialFolder(plan, trial));
    if (result?.trialId !== trial.trialId) waiting.push(trial);
  }
  const threads = Math.max(1, Math.floor(availableParallelism() / workers));
  const progress = new Progress('trials', waiting.length);
  const running = new Set<ChildProcess>();
  // Children are in process groups of their own: Ctrl-C reaches this process only, which passes it on once.
  const watch = setInterval(() => {
    if (!interrupted()) return;
    clearInterval(watch);
    for (const child of running) child.kill('SIGTERM');
  }, 100);
  const worker = async (number: number) => {
    for (let trial = waiting.shift(); trial && !interrupted(); trial = waiting.shift()) {
      for (let attempt = 0; ; attempt++) {
        const end = await runChild(plan, trial, { number, threads, running, patientIds });
        if (end === EXIT.done || interrupted()) break;
        const again = attempt < RETRIES && (typeof end === 'string' || end === EXIT.interrupted);
        console.error(
          `trial ${trial.index} (${trial.variant}, ${trial.fold}, seed ${trial.seed}) ended with ${end}${again ? ', once more' : ''}: ${join(trialFolder(plan, trial), 'output.log')}`,
        );
        if (!again) break;
      }
      if (!interrupted()) progress.advance();
    }
  };
  try {
    await Promise.all(Array.from({ length: workers }, (_, number) => worker(number)));
  } finally {
    clearInterval(watch);
    progress.stop();
  }
  if (interrupted()) {
    throw new TrainError({ code: 'INTERRUPTED', message: 'stopped; the same command goes on from here' });
  }
}

/** The exit code, or the signal that ended it. */
async function runChild(
  plan: StudyPlan,
  trial: Trial,
  {
    number,
    threads,
    running,
    patientIds,
  }: { number: number; threads: number; running: Set<ChildProcess>; patientIds: boolean },
): Promise<number | string> {
  const folder = trialFolder(plan, trial);
  await mkdir(folder, { recursive: true });
  const log = createWriteStream(join(folder, 'output.log'), { flags: 'a' });
  const child = fork(
    fileURLToPath(new URL('./cli.js', import.meta.url)),
    [
      'trial',
      '--out',
      plan.out,
      '--index',
      String(trial.index),
      '--threads',
      String(threads),
      ...(patientIds ? ['--patient-ids'] : []),
    ],
    {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...process.env,
        ...(trial.study.gpu && {
          CUDA_VISIBLE_DEVICES: visibleCard(number),
          TF_FORCE_GPU_ALLOW_GROWTH: 'true',
        }),
      },
    },
  );
  running.add(child);
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  const end = await new Promise<number | string>((done) => {
    child.on('error', (error) => done(error.message));
    child.on('close', (code, signal) => done(code ?? signal ?? 'an unknown end'));
  });
  running.delete(child);
  log.end();
  return end;
}

/** The card of one worker: the n-th of those that this process may see. */
function visibleCard(number: number): string {
  const cards = process.env.CUDA_VISIBLE_DEVICES?.split(',').filter(Boolean);
  return cards && cards.length > 0 ? (cards[number % cards.length] as string) : String(number);
}
