import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readSafetensors, writeSafetensors } from '@onco-response/weights';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyEncoder, writeSmallStudy } from './__fixtures__/small-cohort.js';

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
let folder: string;
let study: string;
const environment = () => ({ ...process.env, ONCO_RESPONSE_CACHE: join(folder, 'cache') });

function onco(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    env: environment(),
  });
  return { status, stdout, stderr };
}

const read = (out: string, name: string) => readFile(join(folder, out, name), 'utf8');

beforeAll(async () => {
  if (!existsSync(cli)) throw new Error(`build first (pnpm exec turbo run build): there is no ${cli}`);
  folder = await mkdtemp(join(tmpdir(), 'onco-train-'));
  study = await writeSmallStudy(join(folder, 'cohort'));
  const { status, stderr } = onco('fit', '--config', study, '--out', join(folder, 'undisturbed'));
  if (status !== 0) throw new Error(stderr);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test('fit writes metrics, predictions, splits, a bundle and a report', async () => {
  const metrics = JSON.parse(await read('undisturbed', 'metrics.json'));
  const { splits } = { splits: JSON.parse(await read('undisturbed', 'splits.json')) };
  const rows = (await read('undisturbed', 'predictions.csv')).trim().split('\n');
  expect(rows).toHaveLength(1 + splits.cases.validation.length + splits.cases.test.length);
  expect(metrics.model.cases).toBe(splits.cases.test.length);
  expect(metrics.model.rocAuc.lower).toBeLessThanOrEqual(metrics.model.rocAuc.estimate);
  expect(existsSync(join(folder, 'undisturbed', 'bundle', 'bundle.json'))).toBe(true);
  const html = await read('undisturbed', 'report.html');
  expect(html).toContain('small synthetic study');
  expect(html).not.toMatch(/(src|href)="https?:/);
  expect(html).not.toContain('>p1<'); // no patient id
});

test('running a finished study again gives the same metrics', async () => {
  const before = await read('undisturbed', 'metrics.json');
  const { status } = onco('fit', '--config', study, '--out', join(folder, 'undisturbed'));
  expect(status).toBe(0);
  expect(await read('undisturbed', 'metrics.json')).toBe(before);
});

test('killed (SIGKILL) again and again, the study ends with the metrics of an undisturbed run', async () => {
  const out = join(folder, 'killed');
  for (const milliseconds of [1500, 1900, 2300]) {
    const child = spawn(process.execPath, [cli, 'fit', '--config', study, '--out', out], {
      stdio: 'ignore',
      env: environment(),
    });
    await new Promise((done) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
      child.on('exit', () => done(clearTimeout(timer)));
    });
  }
  expect(onco('fit', '--config', study, '--out', out).status).toBe(0);
  expect(await read('killed', 'metrics.json')).toBe(await read('undisturbed', 'metrics.json'));
  expect(await read('killed', 'predictions.csv')).toBe(await read('undisturbed', 'predictions.csv'));
}, 120_000);

test('stopped by SIGINT in the middle of an epoch it exits with 75 and goes on', async () => {
  const long = await writeLongStudy();
  const out = join(folder, 'stopped');
  const child = spawn(process.execPath, [cli, 'fit', '--config', long, '--out', out], { env: environment() });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  const status = await new Promise((done) => {
    const timer = setInterval(() => {
      if (!existsSync(join(out, 'checkpoint.safetensors'))) return;
      clearInterval(timer);
      child.kill('SIGINT');
    }, 20);
    child.on('exit', (code) => {
      clearInterval(timer);
      done(code);
    });
  });
  expect(text).toContain('[INTERRUPTED]');
  expect(status).toBe(75);
  const again = onco('fit', '--config', long, '--out', out);
  expect(again.stderr).toContain('going on from epoch');
  expect(again.status).toBe(0);
  expect(onco('fit', '--config', long, '--out', join(folder, 'not-stopped')).status).toBe(0);
  expect(await read('stopped', 'metrics.json')).toBe(await read('not-stopped', 'metrics.json'));
}, 120_000);

/** The same cohort with so many epochs that a signal finds training under way. */
async function writeLongStudy(): Promise<string> {
  const path = join(folder, 'cohort', 'long.yaml');
  await writeFile(
    path,
    (await readFile(study, 'utf8'))
      .replace('epochs: 4,', 'epochs: 40,')
      .replace('minimumEpochs: 4', 'minimumEpochs: 40'),
  );
  return path;
}

test('another seed in the same folder is refused, not mixed', async () => {
  const other = join(folder, 'cohort', 'other.yaml');
  await writeFile(other, (await readFile(study, 'utf8')).replace('memory: 12', 'memory: 13'));
  const { status, stderr } = onco('fit', '--config', other, '--out', join(folder, 'undisturbed'));
  expect(stderr).toContain('[STUDY_CHANGED]');
  expect(status).toBe(42);
});

/** Changes the cohort or the study, runs it, and returns what was said. */
async function fitChanged(name: string, change: (cohort: string) => Promise<unknown>) {
  const cohort = join(folder, name);
  await cp(join(folder, 'cohort'), cohort, { recursive: true });
  await change(cohort);
  return onco('fit', '--config', join(cohort, 'study.yaml'), '--out', join(folder, `${name}-out`));
}

const edit = (file: string, change: (text: string) => string) => async (cohort: string) =>
  writeFile(join(cohort, file), change(await readFile(join(cohort, file), 'utf8')));
const editVoxels =
  (file: string, change: (bytes: Buffer) => Buffer | undefined) => async (cohort: string) => {
    const path = join(cohort, file);
    const bytes = gunzipSync(await readFile(path));
    await writeFile(path, gzipSync(change(bytes) ?? bytes));
  };
const HEADER = 352;

test.each<[string, string, (cohort: string) => Promise<unknown>, RegExp]>([
  ['a missing image', 'MISSING_FILE', (c) => rm(join(c, 'synthetic-3-image.nii.gz')), /synthetic-3-image/],
  [
    'a mask of another grid',
    'GRID_MISMATCH',
    editVoxels('synthetic-3-mask.nii.gz', (b) => void b.writeFloatLE(3, 280)),
    /synthetic-3-mask/,
  ],
  [
    'an empty mask',
    'EMPTY_MASK',
    editVoxels('synthetic-3-mask.nii.gz', (b) => void b.fill(0, HEADER)),
    /synthetic-3-mask/,
  ],
  ['NaN voxels', 'NAN_VOXELS', editVoxels('synthetic-3-image.nii.gz', asFloatWithNaN), /synthetic-3-image/],
  [
    'a label that is not 0 or 1',
    'LABEL_NOT_BINARY',
    edit('cohort.csv', (t) => t.replace('-mask.nii.gz,1', '-mask.nii.gz,2')),
    /[Ll]ine 3/,
  ],
  [
    'a patient in two splits',
    'PATIENT_IN_TWO_SPLITS',
    edit('cohort.csv', (t) =>
      t
        .replace('label\n', 'label,split\n')
        .replaceAll(/,([01])\n/g, ',$1,train\n')
        .replace('p1,', 'p0,')
        .replace('-1-mask.nii.gz,1,train', '-1-mask.nii.gz,1,test'),
    ),
    /[Ll]ines? 2 and 3|[Ll]ine 3/,
  ],
  [
    'an unknown key of the study',
    'INVALID_STUDY',
    edit('study.yaml', (t) => `${t}colour: red\n`),
    /study\.yaml:\d+: unknown key "colour"/,
  ],
  [
    'a truncated .nii.gz',
    'TRUNCATED',
    async (c) => {
      const path = join(c, 'synthetic-3-image.nii.gz');
      const bytes = await readFile(path);
      await writeFile(path, bytes.subarray(0, bytes.length >> 1));
    },
    /synthetic-3-image/,
  ],
  [
    'weights of a wrong shape',
    'SHAPE_MISMATCH',
    async (c) => {
      const encoder = join(c, 'encoder');
      await cp(tinyEncoder, encoder, { recursive: true });
      const path = join(encoder, 'model.safetensors');
      const { tensors } = readSafetensors(new Uint8Array(await readFile(path)));
      tensors.set('layernorm.bias', { dtype: 'F32', shape: [3], data: new Float32Array(3) });
      await writeFile(path, writeSafetensors(tensors));
      await edit('study.yaml', (t) => t.replace(tinyEncoder, 'encoder'))(c);
    },
    /layernorm\.bias/,
  ],
  [
    'an encoder that is not there',
    'ENCODER_MISSING',
    edit('study.yaml', (t) => t.replace(tinyEncoder, 'nowhere')),
    /onco-train|Hugging Face/,
  ],
])('%s is refused with %s and exit code 42', async (name, code, change, message) => {
  const { status, stderr } = await fitChanged(name.replaceAll(/\W+/g, '-'), change);
  expect(stderr).toContain(`[${code}]`);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at /); // no stack
  expect(stderr).not.toMatch(/\bp\d+\b/); // no patient id
  expect(status).toBe(42);
});

/** The int16 image as float32 with one NaN. */
function asFloatWithNaN(bytes: Buffer): Buffer {
  const count = (bytes.length - HEADER) / 2;
  const header = Buffer.from(bytes.subarray(0, HEADER));
  header.writeInt16LE(16, 70);
  header.writeInt16LE(32, 72);
  const voxels = Buffer.alloc(4 * count);
  for (let i = 0; i < count; i++)
    voxels.writeFloatLE(i === 100 ? Number.NaN : bytes.readInt16LE(HEADER + 2 * i), 4 * i);
  return Buffer.concat([header, voxels]);
}

test('--help shows examples, a wrong option is a usage error', () => {
  expect(onco('fit', '--help').stdout).toContain('Examples:');
  expect(onco('fit').status).toBe(2);
  expect(onco('phantom', '--out', folder, '--cases', 'many').status).toBe(2);
});

test('--print-config prints every default', () => {
  const { status, stdout } = onco('fit', '--config', study, '--print-config');
  expect(status).toBe(0);
  expect(stdout).toContain('hardNegativeMode: topk');
});

test('compare prints a table of runs on the same test cases', () => {
  const { status, stdout } = onco('compare', join(folder, 'undisturbed'), join(folder, 'killed'));
  expect(status).toBe(0);
  expect(stdout.split('\n').filter((line) => line.startsWith('| small synthetic study'))).toHaveLength(2);
});
