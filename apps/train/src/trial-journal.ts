import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { writeOutput } from './write-output.js';

/** What a running trial says of itself every few seconds. */
export interface Heartbeat {
  pid: number;
  host: string;
  startedAt: string;
  beatAt: string;
}

/** Why a trial will not be done by trying again. */
export interface TrialFailure {
  code: string;
  message: string;
  at: string;
}

const BEAT_EVERY_MS = 3000;
/** A heartbeat this old is of a process that is gone: network file systems and long steps delay some beats. */
const STALE_AFTER_MS = 60_000;

const HEARTBEAT = 'heartbeat.json';
const FAILURE = 'failure.json';
const ATTEMPTS = 'attempts.jsonl';
const RESULT = 'result.json';

/**
 * What a trial writes about its own running, for other processes: a heartbeat while it runs, a line in `attempts.jsonl`
 * at every start and end, `failure.json` where trying again will not help, `result.json` when it is done. There are no
 * locks: a file appears by rename, complete or not at all, also on a network file system.
 */
export class TrialJournal {
  readonly folder: string;
  readonly #startedAt = new Date().toISOString();
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Starts beating. */
  async start(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await rm(join(this.folder, FAILURE), { force: true });
    await this.#note('start');
    await this.#beat();
    this.#timer = setInterval(() => void this.#beat().catch(() => undefined), BEAT_EVERY_MS).unref();
  }

  async done(result: unknown): Promise<void> {
    await writeOutput(join(this.folder, RESULT), `${JSON.stringify(result, null, 2)}\n`);
    await this.#end('done');
  }

  /** Stopped with its state saved. */
  stopped(): Promise<void> {
    return this.#end('stopped');
  }

  async failed({ code, message }: Pick<TrialFailure, 'code' | 'message'>): Promise<void> {
    const failure: TrialFailure = { code, message, at: new Date().toISOString() };
    await writeOutput(join(this.folder, FAILURE), `${JSON.stringify(failure, null, 2)}\n`);
    await this.#end('failed');
  }

  async #end(event: 'done' | 'stopped' | 'failed'): Promise<void> {
    clearInterval(this.#timer);
    await this.#note(event);
    await rm(join(this.folder, HEARTBEAT), { force: true });
  }

  async #beat(): Promise<void> {
    const beat: Heartbeat = {
      pid: process.pid,
      host: hostname(),
      startedAt: this.#startedAt,
      beatAt: new Date().toISOString(),
    };
    const partial = join(this.folder, `.heartbeat.${process.pid}`);
    await writeFile(partial, JSON.stringify(beat));
    await rename(partial, join(this.folder, HEARTBEAT));
  }

  /** One short write in append mode, so that lines of two processes do not mix. */
  async #note(event: string): Promise<void> {
    const { SLURM_ARRAY_JOB_ID, SLURM_ARRAY_TASK_ID, SLURM_RESTART_COUNT, SLURMD_NODENAME } = process.env;
    const line = {
      at: new Date().toISOString(),
      event,
      pid: process.pid,
      host: SLURMD_NODENAME ?? hostname(),
      ...(SLURM_ARRAY_JOB_ID && {
        job: `${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}`,
        restart: Number(SLURM_RESTART_COUNT ?? 0),
      }),
    };
    await appendFile(join(this.folder, ATTEMPTS), `${JSON.stringify(line)}\n`);
  }
}

export const readResult = <T>(folder: string) => readJson<T>(join(folder, RESULT));
export const readFailure = (folder: string) => readJson<TrialFailure>(join(folder, FAILURE));

/** The heartbeat of a process that still runs, as far as can be known from here. */
export async function liveHeartbeat(folder: string): Promise<Heartbeat | undefined> {
  const beat = await readJson<Heartbeat>(join(folder, HEARTBEAT));
  if (!beat || Date.now() - Date.parse(beat.beatAt) > STALE_AFTER_MS) return undefined;
  return beat.host === hostname() && !processRuns(beat.pid) ? undefined : beat;
}

/**
 * Waits until no other process works on the trial in `folder`: one that a scheduler took for dead may still run for some
 * seconds when its successor starts.
 */
export async function waitForOthers(folder: string, interrupted: () => boolean): Promise<void> {
  let said = false;
  for (;;) {
    const other = await liveHeartbeat(folder);
    if (!other || other.pid === process.pid || interrupted()) return;
    if (!said) {
      console.error(
        `process ${other.pid} on ${other.host} works on this trial: waiting until it ends or has been silent for ${STALE_AFTER_MS / 1000} s`,
      );
      said = true;
    }
    await new Promise((done) => setTimeout(done, 500));
  }
}

function processRuns(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The file's content, or undefined where there is none. */
async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
