import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RandomStream } from '@onco-response/engine';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sha256OfFolder } from './__fixtures__/sha256-of-folder.js';
import { writeSmallStudy } from './__fixtures__/small-cohort.js';
import { readRunLog } from './run-log.js';

/** `ONCO_RESPONSE_SLOW=1` kills ten times, which takes a minute or two. */
const KILLS = process.env.ONCO_RESPONSE_SLOW ? 10 : 2;
const EPOCHS = 4 * KILLS;

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
let folder: string;
let study: string;

beforeAll(async () => {
  if (!existsSync(cli)) throw new Error(`build first (pnpm exec turbo run build): there is no ${cli}`);
  folder = await mkdtemp(join(tmpdir(), 'onco-kill-'));
  study = await writeSmallStudy(join(folder, 'cohort'), { cases: 24, epochs: EPOCHS });
  const text = await readFile(study, 'utf8');
  const more =
    'averageDecay: 0.9, schedule: plateau, sampler: balancedPatients, gradientCache: true, keepCheckpoints: 2, ';
  const copies = 'augmentation: { beforePrefix: { copies: 2 } }\n';
  await writeFile(study, text.replace('training: { ', `${copies}training: { ${more}`));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const start = (out: string) =>
  spawn(process.execPath, [cli, 'fit', '--config', study, '--out', out], {
    stdio: 'ignore',
    env: { ...process.env, ONCO_RESPONSE_CACHE: join(folder, 'cache') },
  });

const epochsOf = async (out: string) =>
  (await readRunLog(join(out, 'log.jsonl'))).filter(({ event }) => event === 'epoch').length;

/** Runs the study; with `kill`, kills it so many milliseconds after its log holds so many epochs. */
async function fit(out: string, kill?: { epochs: number; after: number }): Promise<string | number | null> {
  const child = start(out);
  let ended = false;
  const end = new Promise<string | number | null>((done) => {
    child.on('exit', (code, signal) => {
      ended = true;
      done(signal ?? code);
    });
  });
  if (kill) {
    while (!ended && (await epochsOf(out)) < kill.epochs) await setTimeout(10);
    await setTimeout(kill.after);
    child.kill('SIGKILL');
  }
  return end;
}

test(`killed (SIGKILL) ${KILLS} times at random moments, a run ends with the bundle of an undisturbed one`, async () => {
  const [calm, killed] = [join(folder, 'calm'), join(folder, 'killed')];
  expect(await fit(calm)).toBe(0);
  const random = new RandomStream(11, 'moments');
  const moments: string[] = [];
  for (let tries = 0; moments.length < KILLS && tries < 3 * KILLS; tries++) {
    // Every third falls anywhere in the start of the process, the others spread over the training.
    const epochs = tries % 3 === 2 ? 0 : Math.floor(((tries + random.uniform()) / KILLS) * EPOCHS);
    const after = Math.round((epochs === 0 ? 3000 : 300) * random.uniform());
    if ((await fit(killed, { epochs: Math.min(epochs, EPOCHS - 1), after })) !== 'SIGKILL') continue;
    moments.push(`in epoch ${(await epochsOf(killed)) + 1}`);
  }
  expect(moments).toHaveLength(KILLS);
  expect(await fit(killed)).toBe(0);
  const hashes = [await sha256OfFolder(join(calm, 'bundle')), await sha256OfFolder(join(killed, 'bundle'))];
  console.log(`killed ${moments.join(', ')}; bundles ${hashes.join(' ')}`);
  expect(hashes[1]).toBe(hashes[0]);
  const log = async (out: string) =>
    (await readRunLog(join(out, 'log.jsonl'))).map((event) => ({
      ...event,
      at: 0,
      seconds: 0,
      secondsLeft: 0,
      peakMemoryMib: 0,
    }));
  expect(await log(killed)).toEqual(await log(calm));
  expect((await readdir(killed)).filter((name) => name.includes('partial'))).toEqual([]);
}, 600_000);

test('SIGUSR1 and SIGTERM save the state in the middle of training and end with 75', async () => {
  const out = join(folder, 'stopped');
  for (const signal of ['SIGUSR1', 'SIGTERM'] as const) {
    const child = start(out);
    const training = join(out, 'log.jsonl');
    await rm(training, { force: true }); // training writes it again when it starts
    const timer = setInterval(() => {
      if (!existsSync(training)) return;
      clearInterval(timer);
      child.kill(signal);
    }, 20);
    const end = await new Promise((done) => child.on('exit', (code, by) => done(by ?? code)));
    clearInterval(timer);
    expect(end, signal).toBe(75);
    expect(existsSync(join(out, 'checkpoint.safetensors'))).toBe(true);
  }
}, 120_000);
