import { existsSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { EpochRecord } from './checkpoint.js';
import { writeOutput } from './write-output.js';

/** Everything that happened in a run, one JSON line an event; `at` is ISO time. */
export type LogEvent = { at: string } & (
  | {
      event: 'started';
      identity: string;
      seed: number;
      epochs: number;
      stepsPerEpoch: number;
      cases: { train: number; validation: number };
      positives: { train: number; validation: number };
      trainedParameters: number;
      /** Only where they were asked for. */
      patients?: { train: string[]; validation: string[] };
    }
  | ({
      event: 'epoch';
      epochs: number;
      /** Of this epoch; of all epochs left, if none is spared by early stopping. */
      seconds: number;
      secondsLeft: number;
      peakMemoryMib: number;
    } & EpochRecord)
  | { event: 'checkpoint'; epoch: number; bestEpoch: number }
  | { event: 'finished'; epoch: number; bestEpoch: number; reason: 'epochs' | 'patience'; seconds: number }
);

/** Where a run's log is, beside its checkpoint. */
export const LOG_NAME = 'log.jsonl';

/**
 * A run's log: a line is on the disk before work goes on. What a killed process wrote after its last checkpoint is taken
 * out when the run goes on, so that the log of a run that was killed is, times apart, that of one that was not.
 */
export class RunLog {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Starts the file again with what the checkpoint knows of. */
  async restore(events: readonly LogEvent[]): Promise<void> {
    await writeOutput(this.#path, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  }

  async append(...events: readonly LogEvent[]): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    const file = await open(this.#path, 'a');
    try {
      await file.writeFile(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** The events of a run so far, none where there is no log; a line that is being written is left out. */
export async function readRunLog(path: string): Promise<LogEvent[]> {
  if (!existsSync(path)) return [];
  const lines = (await readFile(path, 'utf8')).split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as LogEvent);
}
