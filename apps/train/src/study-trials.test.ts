import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { writeSmallStudy } from './__fixtures__/small-cohort.js';
import { readPredictions } from './predictions-csv.js';
import type { Trial } from './study-plan.js';
import type { TrialResult } from './trial.js';

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const MERGED = ['metrics.json', 'predictions.csv', 'ablation.csv', 'splits.json'];
let folder: string;
let study: string;
const environment = () => ({ ...process.env, ONCO_RESPONSE_CACHE: join(folder, 'cache') });

function onco(...args: string[]) {
  return run(process.execPath, [cli, ...args]);
}

function run(program: string, args: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...environment(), ...env },
  });
  return { status, stdout, stderr };
}

const read = (...path: string[]) => readFile(join(folder, ...path), 'utf8');
const trialsOf = async (out: string): Promise<Trial[]> =>
  (await read(out, 'manifest.jsonl'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const resultOf = async (out: string, { trialId }: Trial): Promise<TrialResult> =>
  JSON.parse(await read(out, 'trials', trialId, 'result.json'));
const attemptsOf = async (out: string, { trialId }: Trial) =>
  (await read(out, 'trials', trialId, 'attempts.jsonl'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).event);

/** Two folds, two variants, an external cohort: four trials of a second or two. */
beforeAll(async () => {
  if (!existsSync(cli)) throw new Error(`build first (pnpm exec turbo run build): there is no ${cli}`);
  folder = await mkdtemp(join(tmpdir(), 'onco-trials-'));
  await writeSmallStudy(join(folder, 'outside'), { cases: 8 });
  await edit('outside/cohort.csv', (text) => text.replaceAll(/^p/gm, 'q').replace('qatient', 'patient'));
  study = await writeSmallStudy(join(folder, 'cohort'), { cases: 24, epochs: 2 });
  await edit('cohort/study.yaml', (text) =>
    text
      .replace(/^splits:.*$/m, 'splits: { scheme: kFold, folds: 2, validation: 0.34 }')
      .concat('vary: { loss.contrastive: [0, 0.5] }\nexternal: ../outside/cohort.csv\n'),
  );
  const { status, stderr } = onco('fit', '--config', study, '--out', join(folder, 'fit'));
  if (status !== 0) throw new Error(stderr);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function edit(file: string, change: (text: string) => string) {
  const path = join(folder, file);
  await writeFile(path, change(await readFile(path, 'utf8')));
}

test('every case is predicted out of fold, once a variant, and the external ones by every fold', async () => {
  const rows = readPredictions(await read('fit', 'predictions.csv'));
  for (const variant of ['loss.contrastive=0', 'loss.contrastive=0.5']) {
    const own = rows.filter((row) => row.variant === variant);
    const tested = own.filter(({ split }) => split === 'test').map(({ caseId }) => caseId);
    expect(new Set(tested).size).toBe(24);
    expect(tested).toHaveLength(24);
    expect(own.filter(({ split }) => split === 'external')).toHaveLength(2 * 8);
  }
  const metrics = JSON.parse(await read('fit', 'metrics.json'));
  expect(metrics.model.cases).toBe(24);
  expect(metrics.external.model.cases).toBe(8);
  expect(metrics.folds.map(({ cases }: { cases: number }) => cases)).toEqual([12, 12]);
  const [other] = metrics.variants;
  expect(other.againstFirst.aucB).toBe(metrics.model.rocAuc.estimate);
  expect(other.againstFirst.difference.estimate).toBeCloseTo(
    other.model.rocAuc.estimate - metrics.model.rocAuc.estimate,
    12,
  );
  const table = (await read('fit', 'ablation.csv')).trim().split('\n');
  expect(table.map((line) => line.split(',')[0])).toEqual([
    'variant',
    'lesion volume only',
    'loss.contrastive=0',
    'loss.contrastive=0.5',
  ]);
  const html = await read('fit', 'report.html');
  expect(html).toContain('loss.contrastive=0.5');
  // curves of the two folds of the first variant, and the attention of two out-of-fold cases
  expect(html).toMatch(/<h2 id="[^"]*">Training<[\s\S]*2 models were trained for 2 epochs/);
  for (const fold of ['fold-0, seed 5', 'fold-1, seed 5']) expect(html).toContain(fold);
  expect(html).toMatch(/<h2 id="[^"]*">Attention over slices</);
  const pooled = rows.filter((row) => row.variant === 'loss.contrastive=0' && row.split === 'test');
  const [surest] = pooled.sort((a, b) => b.probability - a.probability);
  expect(html).toContain(surest?.caseId);
  const perTrial = await Promise.all(
    (await trialsOf('fit'))
      .slice(0, 2)
      .map(({ trialId }) => read('fit', 'trials', trialId, 'attention.jsonl')),
  );
  const attended = perTrial.flatMap((text) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  );
  expect(new Set(attended.map(({ caseId }) => caseId)).size).toBe(24);
  for (const { weights, sliceIndices } of attended) {
    expect(weights).toHaveLength(sliceIndices.length);
    expect(weights.reduce((sum: number, weight: number) => sum + weight, 0)).toBeCloseTo(1, 5);
  }
  for (const file of [...MERGED, 'run.json', 'manifest.jsonl', 'report.html']) {
    expect(await read('fit', file)).not.toMatch(/\b[pq]\d+\b(?!-)/); // no patient id
  }
});

test('plan, trials through job.slurm and by index, and collect give the bytes of fit', async () => {
  const out = join(folder, 'planned');
  expect(onco('plan', '--config', study, '--out', out).stdout).toContain('4 trials');
  const trials = await trialsOf('planned');
  const refused = onco('collect', '--out', out);
  expect(refused.status).toBe(42);
  expect(refused.stderr).toContain('[INCOMPLETE]');
  expect(refused.stderr).toContain('trial 3 (loss.contrastive=0.5, fold-1, seed 5) is not done');
  expect(existsSync(join(out, 'metrics.json'))).toBe(false);

  const { spec } = parse(await read('planned', 'job.kubernetes.yaml'));
  expect(spec).toMatchObject({ completionMode: 'Indexed', completions: 4, backoffLimitPerIndex: 3 });
  expect(spec.podFailurePolicy.rules[0]).toMatchObject({
    action: 'FailIndex',
    onExitCodes: { values: [42] },
  });
  expect(spec.template.spec.restartPolicy).toBe('Never');
  expect(await read('planned', 'job.slurm')).toMatch(/--array=0-3\n#SBATCH --requeue\n/);
  expect(run('bash', [join(out, 'job.slurm')], { SLURM_ARRAY_TASK_ID: '0' }).status).toBe(0);
  expect(run(process.execPath, [cli, 'trial', '--out', out], { JOB_COMPLETION_INDEX: '1' }).status).toBe(0);
  for (const index of ['2', '3']) expect(onco('trial', '--out', out, '--index', index).status).toBe(0);

  const done = join(out, 'trials', (trials[3] as Trial).trialId, 'result.json');
  const before = await stat(done);
  const again = onco('trial', '--out', out, '--index', '3');
  expect([again.status, again.stderr.trim()]).toEqual([0, 'trial 3 was done already']);
  expect((await stat(done)).mtimeMs).toBe(before.mtimeMs);
  expect(await attemptsOf('planned', trials[3] as Trial)).toEqual(['start', 'done']);

  const collected = onco('collect', '--out', out);
  expect(collected.stdout).toMatch(/\| loss\.contrastive=0\.5 \| \d\.\d{3} \[/);
  for (const file of MERGED) expect(await read('planned', file), file).toBe(await read('fit', file));
  expect(onco('trial', '--out', out, '--index', '4').stderr).toContain('[NO_TRIAL]');
  expect(onco('trial', '--out', out).status).toBe(2);
}, 120_000);

test('a pool whose child is killed starts it once more and gives the bytes of fit', async () => {
  const out = join(folder, 'pool');
  const child = spawn(process.execPath, [cli, 'fit', '--config', study, '--out', out, '--workers', '2'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: environment(),
  });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  let killed: string | undefined;
  const status = await new Promise((done) => {
    const timer = setInterval(async () => {
      for (const id of killed ? [] : await readdir(join(out, 'trials')).catch(() => [])) {
        const beat = await readFile(join(out, 'trials', id, 'heartbeat.json'), 'utf8').catch(() => undefined);
        if (!beat || killed) continue;
        killed = id;
        process.kill(JSON.parse(beat).pid, 'SIGKILL');
      }
    }, 20);
    child.on('exit', (code) => {
      clearInterval(timer);
      done(code);
    });
  });
  expect(text).toContain('ended with SIGKILL, once more');
  expect(status).toBe(0);
  const trial = (await trialsOf('pool')).find(({ trialId }) => trialId === killed) as Trial;
  expect(await attemptsOf('pool', trial)).toEqual(['start', 'start', 'done']);
  for (const file of MERGED) expect(await read('pool', file), file).toBe(await read('fit', file));
}, 120_000);

test('status tells done, running, failed and waiting trials apart; a failure is not tried again by itself', async () => {
  const out = join(folder, 'watched');
  await cp(join(folder, 'cohort'), join(folder, 'cohort-2'), { recursive: true });
  const config = join(folder, 'cohort-2', 'study.yaml');
  onco('plan', '--config', config, '--out', out);
  const trials = (await trialsOf('watched')).map(({ trialId }) => join(out, 'trials', trialId));
  expect(onco('trial', '--out', out, '--index', '0').status).toBe(0);
  const image = join(folder, 'cohort-2', 'synthetic-3-image.nii.gz');
  await writeFile(image, (await readFile(image)).subarray(0, 400));
  const broken = onco('trial', '--out', out, '--index', '1');
  expect(broken.status).toBe(42);
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
  await cp(join(trials[0] as string, 'log.jsonl'), join(trials[2] as string, 'log.jsonl'));
  const beat = { pid: child.pid, host: hostname(), beatAt: new Date().toISOString() };
  await writeFile(join(trials[2] as string, 'heartbeat.json'), JSON.stringify(beat));
  await cp(join(trials[2] as string, 'heartbeat.json'), join(trials[3] as string, 'heartbeat.json'));
  await writeFile(
    join(trials[3] as string, 'heartbeat.json'),
    JSON.stringify({ ...beat, beatAt: '2020-01-01T00:00:00Z' }), // a process that is long gone
  );
  const { stdout } = onco('status', out);
  child.kill();
  expect(stdout).toContain('4 trials: 1 done, 1 running, 1 failed, 1 waiting');
  expect(stdout).toMatch(/\| 0 \| .* \| done \| best epoch \d of 2, validation AUC \d/);
  expect(stdout).toMatch(/\| 1 \| .* \| failed \| \[TRUNCATED\] .*synthetic-3-image/);
  expect(stdout).toMatch(
    /\| 2 \| .* \| running \| epoch 2\/2, validation AUC .* s left; .*heartbeat \d s old/,
  );
  const refused = onco('collect', '--out', out);
  expect(refused.stderr).toMatch(/trial 1 \(.*\) failed: \[TRUNCATED\]/);
}, 60_000);

test('what the test cases look like changes neither calibration nor threshold nor validation predictions', async () => {
  const out = join(folder, 'other-tests');
  await cp(join(folder, 'cohort'), join(folder, 'cohort-3'), { recursive: true });
  onco('plan', '--config', join(folder, 'cohort-3', 'study.yaml'), '--out', out);
  const [fold] = JSON.parse(await read('other-tests', 'splits.json')).folds;
  for (const caseId of fold.test as string[]) {
    const path = join(folder, 'cohort-3', `synthetic-${Number(caseId.slice(5)) - 1}-image.nii.gz`);
    const bytes = gunzipSync(await readFile(path));
    for (let at = 352; at < bytes.length; at += 2) bytes.writeInt16LE(-bytes.readInt16LE(at), at);
    await writeFile(path, gzipSync(bytes));
  }
  expect(onco('trial', '--out', out, '--index', '0').status).toBe(0);
  const [ours] = await trialsOf('other-tests');
  const [fitted] = await trialsOf('fit');
  const { predictionsSha256: _, ...result } = await resultOf('other-tests', ours as Trial);
  const { predictionsSha256: __, ...expected } = await resultOf('fit', fitted as Trial);
  expect(result).toEqual(expected);
  const rows = async (name: string, trial: Trial, split: string) =>
    readPredictions(await read(name, 'trials', trial.trialId, 'predictions.csv')).filter(
      (row) => row.split === split,
    );
  const of = (split: string) =>
    Promise.all([rows('other-tests', ours as Trial, split), rows('fit', fitted as Trial, split)]);
  for (const split of ['validation', 'external']) {
    const [a, b] = await of(split);
    expect(a).toEqual(b);
  }
  const [a, b] = await of('test');
  expect(a).not.toEqual(b);
}, 60_000);

test('edited folds, an edited manifest, edited predictions and shared external patients are refused', async () => {
  const copy = async (name: string) => {
    await cp(join(folder, 'fit'), join(folder, name), { recursive: true });
    return join(folder, name);
  };
  const moved = await copy('moved');
  const plan = JSON.parse(await read('moved', 'splits.json'));
  plan.folds[0].test.push(plan.folds[0].train.pop());
  await writeFile(join(moved, 'splits.json'), JSON.stringify(plan));
  for (const command of [['trial', '--index', '0'], ['collect'], ['fit', '--config', study]]) {
    const { status, stderr } = onco(...command, '--out', moved);
    expect(stderr).toContain('[SPLITS_HASH]');
    expect(status).toBe(42);
  }
  await copy('manifest');
  await edit('manifest/manifest.jsonl', (text) => text.replace('"fold":"fold-0"', '"fold":"fold-1"'));
  expect(onco('trial', '--index', '0', '--out', join(folder, 'manifest')).stderr).toContain(
    '[STUDY_CHANGED]',
  );
  const flattered = await copy('flattered');
  const [trial] = await trialsOf('flattered');
  await appendFile(join(flattered, 'trials', (trial as Trial).trialId, 'predictions.csv'), '\n');
  expect(onco('collect', '--out', flattered).stderr).toMatch(/\[STUDY_CHANGED\].*predictions\.csv/);

  await cp(join(folder, 'outside'), join(folder, 'outside-2'), { recursive: true });
  await edit('outside-2/cohort.csv', (text) => text.replace('q3', 'p3'));
  await cp(join(folder, 'cohort', 'study.yaml'), join(folder, 'cohort', 'leak.yaml'));
  await edit('cohort/leak.yaml', (text) => text.replace('../outside/', '../outside-2/'));
  const leak = onco('plan', '--config', join(folder, 'cohort', 'leak.yaml'), '--out', join(folder, 'leak'));
  expect(leak.stderr).toMatch(/\[LEAK\] .*outside-2\/cohort\.csv: line 5/);
  expect(leak.stderr).not.toContain('p3');
  expect(leak.status).toBe(42);
}, 60_000);
