import { basename, resolve } from 'node:path';
import { findLogs } from './find-logs.js';
import { logScalars } from './log-scalars.js';
import type { LogEvent } from './run-log.js';
import { TrainError } from './train-error.js';

/** What one `runs/log-batch` may hold: https://mlflow.org/docs/latest/api_reference/rest-api.html#log-batch */
const MAX_METRICS = 1000;
const REQUEST_TIMEOUT_MS = 30_000;

export interface MlflowOptions {
  /** The tracking server, for example http://127.0.0.1:5000. */
  url: string;
  /** Default: the folder's name. */
  experiment?: string;
}

/**
 * Sends the logs of a run, or of every run below a folder, to an MLflow tracking server over its REST API (2.0). Sent
 * again, a log goes into the run that it made before, where MLflow keeps each point once. Returns the runs' ids.
 *
 * @throws TrainError MISSING_FILE; TRACKING_FAILED where the server refuses or is not there
 */
export async function exportMlflow(directory: string, options: MlflowOptions): Promise<string[]> {
  const call = caller(options.url);
  const logs = await findLogs(directory);
  const experiment = await experimentId(call, options.experiment ?? basename(resolve(directory)));
  const ids: string[] = [];
  for (const { name, events } of logs) {
    const [first] = events;
    if (first?.event !== 'started') continue; // not begun yet
    const id = await runId(call, experiment, name, first);
    const metrics = logScalars(events)
      .filter(({ value }) => Number.isFinite(value))
      .map(({ name: key, value, epoch: step, milliseconds: timestamp }) => ({ key, value, timestamp, step }));
    for (let at = 0; at < metrics.length; at += MAX_METRICS) {
      await call('POST', 'runs/log-batch', { run_id: id, metrics: metrics.slice(at, at + MAX_METRICS) });
    }
    const last = events.at(-1);
    await call('POST', 'runs/update', {
      run_id: id,
      ...(last?.event === 'finished'
        ? { status: 'FINISHED', end_time: Date.parse(last.at) }
        : { status: 'RUNNING' }),
    });
    ids.push(id);
  }
  return ids;
}

type Call = (method: 'GET' | 'POST', path: string, content: object) => Promise<Record<string, unknown>>;

async function experimentId(call: Call, name: string): Promise<string> {
  const find = () => call('GET', 'experiments/get-by-name', { experiment_name: name });
  const found = (await find().catch((error) => {
    if (error.cause === 'RESOURCE_DOES_NOT_EXIST') return undefined;
    throw error;
  })) as { experiment: { experiment_id: string } } | undefined;
  if (found) return found.experiment.experiment_id;
  return (await call('POST', 'experiments/create', { name })).experiment_id as string;
}

/** The run that this log made before, else a new one. The same study in another folder is another run. */
async function runId(
  call: Call,
  experiment: string,
  name: string,
  started: Extract<LogEvent, { event: 'started' }>,
): Promise<string> {
  const tags = {
    'onco-train.run': name,
    'onco-train.identity': started.identity,
    'onco-train.started': started.at,
  };
  const filter = Object.entries(tags)
    .map(([key, value]) => `tags.\`${key}\` = '${value.replaceAll("'", '')}'`)
    .join(' and ');
  const { runs = [] } = (await call('POST', 'runs/search', {
    experiment_ids: [experiment],
    filter,
    max_results: 1,
  })) as { runs?: { info: { run_id: string } }[] };
  if (runs[0]) return runs[0].info.run_id;
  const asPairs = (values: object) =>
    Object.entries(values).map(([key, value]) => ({ key, value: String(value).replaceAll("'", '') }));
  const { run } = (await call('POST', 'runs/create', {
    experiment_id: experiment,
    run_name: name,
    start_time: Date.parse(started.at),
    tags: asPairs(tags),
  })) as { run: { info: { run_id: string } } };
  const { seed, epochs, stepsPerEpoch, cases, positives, trainedParameters } = started;
  const params = {
    seed,
    epochs,
    steps_per_epoch: stepsPerEpoch,
    train_cases: cases.train,
    validation_cases: cases.validation,
    train_positives: positives.train,
    validation_positives: positives.validation,
    trained_parameters: trainedParameters,
  };
  await call('POST', 'runs/log-batch', { run_id: run.info.run_id, params: asPairs(params) });
  return run.info.run_id;
}

function caller(url: string): Call {
  const base = `${url.replace(/\/+$/, '')}/api/2.0/mlflow/`;
  return async (method, path, content) => {
    const failed = (what: string, cause: unknown) =>
      new TrainError({
        code: 'TRACKING_FAILED',
        message: `${base}${path}: ${what}; is an MLflow tracking server there?`,
        cause,
      });
    const query = method === 'GET' ? `?${new URLSearchParams(content as Record<string, string>)}` : '';
    const response = await fetch(base + path + query, {
      method,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      ...(method === 'POST' && {
        body: JSON.stringify(content),
        headers: { 'content-type': 'application/json' },
      }),
    }).catch((error) => {
      throw failed((error as Error).message, error);
    });
    const text = await response.text();
    let answer: Record<string, unknown> = {};
    try {
      answer = JSON.parse(text);
    } catch (error) {
      throw failed(`it answered ${response.status} with other than JSON`, error);
    }
    if (!response.ok) {
      throw failed(
        `it answered ${response.status} ${answer.error_code}: ${answer.message}`,
        answer.error_code,
      );
    }
    return answer;
  };
}
