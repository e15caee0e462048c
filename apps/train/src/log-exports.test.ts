import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import golden from './__fixtures__/tensorboard.json' with { type: 'json' };
import { exportMlflow } from './export-mlflow.js';
import { exportTensorboard } from './export-tensorboard.js';
import { type LogEvent, RunLog, readRunLog } from './run-log.js';
import { crc32c, tensorboardEvents } from './tensorboard-events.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onco-logs-'));
  await new RunLog(join(folder, 'fold-1', 'log.jsonl')).append(...events.slice(0, 2));
  await new RunLog(join(folder, 'fold-2', 'log.jsonl')).append(...events);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = '2026-01-02T03:04:05.000Z';
const epoch = (number: number): LogEvent => ({
  at,
  event: 'epoch',
  epoch: number,
  epochs: 2,
  trainLoss: 1 / number,
  trainTerms: { classification: 0.5, contrastive: 0.25, hardNegatives: 0 },
  validationLoss: 0.6,
  validationAuc: 0.7,
  validationPrAuc: Number.NaN,
  validationBalancedAccuracy: 0.5,
  learningRate: 1e-3,
  seconds: 2,
  secondsLeft: 2,
  peakMemoryMib: 100,
});
const events: LogEvent[] = [
  {
    at,
    event: 'started',
    identity: 'abc',
    seed: 1,
    epochs: 2,
    stepsPerEpoch: 3,
    cases: { train: 9, validation: 4 },
    positives: { train: 4, validation: 2 },
    trainedParameters: 77,
  },
  epoch(1),
  epoch(2),
  { at, event: 'finished', epoch: 2, bestEpoch: 1, reason: 'epochs', seconds: 4 },
];

test('a line that is being written is left out', async () => {
  const path = join(folder, 'torn', 'log.jsonl');
  await new RunLog(path).append(...events);
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.slice(0, -5));
  expect(await readRunLog(path)).toHaveLength(3);
  await rm(join(folder, 'torn'), { recursive: true });
  expect(await readRunLog(path)).toEqual([]);
});

test("event files are TensorBoard's own bytes", () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  expect(Buffer.from(tensorboardEvents(golden.scalars)).toString('hex')).toBe(golden.hex);
});

test('each run gets one event file, also when it is exported again', async () => {
  const out = await exportTensorboard(folder, join(folder, 'tensorboard'));
  expect(await exportTensorboard(folder, join(folder, 'tensorboard'))).toBe(out);
  for (const run of ['fold-1', 'fold-2']) expect(await readdir(join(out, run))).toHaveLength(1);
  await expect(exportTensorboard(join(folder, 'tensorboard'))).rejects.toMatchObject({
    code: 'MISSING_FILE',
  });
});

test('MLflow gets each run once, its points again', async () => {
  const { url, calls, close } = await fakeMlflow();
  const first = await exportMlflow(folder, { url, experiment: 'trial' });
  expect(first).toHaveLength(2);
  expect(await exportMlflow(folder, { url: `${url}/`, experiment: 'trial' })).toEqual(first);
  const paths = calls.map(({ path }) => path);
  expect(paths.filter((path) => path === 'experiments/create')).toHaveLength(1);
  expect(paths.filter((path) => path === 'runs/create')).toHaveLength(2);
  const points = calls.flatMap(({ content }) => content.metrics ?? []);
  expect(points).toContainEqual({ key: 'train/loss', value: 0.5, timestamp: Date.parse(at), step: 2 });
  expect(points.every(({ value }: { value: unknown }) => typeof value === 'number')).toBe(true); // JSON has no NaN
  const states = calls.filter(({ path }) => path === 'runs/update').map(({ content }) => content.status);
  expect(states).toEqual(['RUNNING', 'FINISHED', 'RUNNING', 'FINISHED']);
  await close();
  await expect(exportMlflow(folder, { url })).rejects.toMatchObject({ code: 'TRACKING_FAILED' });
});

/** As much of MLflow's tracking server as is called. */
async function fakeMlflow() {
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON was sent
  const calls: { path: string; content: any }[] = [];
  let experiment = '';
  const runs = new Map<string, string>(); // by its tags
  const server = createServer(async (request, response) => {
    const url = new URL(request.url as string, 'http://x');
    const path = url.pathname.replace('/api/2.0/mlflow/', '');
    let body = '';
    for await (const chunk of request) body += chunk;
    const content = body ? JSON.parse(body) : {};
    calls.push({ path, content });
    const send = (answer: object, status = 200) => response.writeHead(status).end(JSON.stringify(answer));
    if (path === 'experiments/get-by-name') {
      if (experiment === '') return send({ error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'none' }, 404);
      return send({ experiment: { experiment_id: experiment } });
    }
    if (path === 'experiments/create') {
      experiment = '7';
      return send({ experiment_id: experiment });
    }
    if (path === 'runs/search') {
      const id = runs.get(content.filter);
      return send(id ? { runs: [{ info: { run_id: id } }] } : {});
    }
    if (path === 'runs/create') {
      const filter = content.tags
        .map(({ key, value }: { key: string; value: string }) => `tags.\`${key}\` = '${value}'`)
        .join(' and ');
      runs.set(filter, `run-${runs.size}`);
      return send({ run: { info: { run_id: runs.get(filter) } } });
    }
    return send({});
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const close = () => new Promise((done) => server.close(done).closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls, close };
}
