import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOG_NAME, type LogEvent } from './run-log.js';
import { describeTrial, readTrials, type Trial, trialFolder } from './study-plan.js';
import { markdownTable } from './table.js';
import type { TrialResult } from './trial.js';
import { liveHeartbeat, readFailure, readResult } from './trial-journal.js';

type EpochEvent = Extract<LogEvent, { event: 'epoch' }>;

export interface TrialStatus {
  index: number;
  trial: string;
  state: 'done' | 'running' | 'failed' | 'waiting';
  detail: string;
}

/** How every trial of a running or finished study stands, from its files alone: nothing is locked or started. */
export async function studyStatus(out: string): Promise<TrialStatus[]> {
  const trials = await readTrials(out);
  return Promise.all(
    trials.map(async (trial) => ({
      index: trial.index,
      trial: describeTrial(trial),
      ...(await trialState(trial, trialFolder({ out, trials }, trial))),
    })),
  );
}

async function trialState(trial: Trial, folder: string): Promise<Pick<TrialStatus, 'state' | 'detail'>> {
  const beat = await liveHeartbeat(folder);
  const last = await lastEpoch(join(folder, LOG_NAME));
  const figures = last
    ? `epoch ${last.epoch}/${last.epochs}, validation AUC ${last.validationAuc.toFixed(3)}`
    : '';
  if (beat) {
    const age = Math.round((Date.now() - Date.parse(beat.beatAt)) / 1000);
    const left = last ? `${Math.round(last.secondsLeft)} s left` : '';
    const detail = [figures, left, `${beat.host}, process ${beat.pid}, heartbeat ${age} s old`];
    return { state: 'running', detail: detail.filter(Boolean).join('; ') };
  }
  const result = await readResult<TrialResult>(folder);
  if (result?.trialId === trial.trialId) {
    const auc = result.validationAuc === null ? '' : `, validation AUC ${result.validationAuc.toFixed(3)}`;
    return { state: 'done', detail: `best epoch ${result.bestEpoch} of ${result.epochs}${auc}` };
  }
  const failure = await readFailure(folder);
  if (failure) return { state: 'failed', detail: `[${failure.code}] ${failure.message}` };
  if (!existsSync(join(folder, 'attempts.jsonl'))) return { state: 'waiting', detail: '' };
  return { state: 'waiting', detail: ['was stopped', figures].filter(Boolean).join('; ') };
}

/** The counts, then one line a trial. */
export function showStatus(trials: readonly TrialStatus[]): string {
  const counts = (['done', 'running', 'failed', 'waiting'] as const).map(
    (state) => `${trials.filter((each) => each.state === state).length} ${state}`,
  );
  return [
    `${trials.length} trials: ${counts.join(', ')}`,
    '',
    markdownTable([
      ['', 'trial', 'state', ''],
      ...trials.map(({ index, trial, state, detail }) => [
        String(index),
        trial,
        state,
        detail.replaceAll(/\s*\n\s*/g, ' '),
      ]),
    ]),
  ].join('\n');
}

async function lastEpoch(path: string): Promise<EpochEvent | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  for (const line of text.split('\n').reverse()) {
    if (!line.includes('"epoch"')) continue;
    try {
      const event = JSON.parse(line);
      if (event.event === 'epoch') return event;
    } catch {
      // the line that is just being written
    }
  }
  return undefined;
}
