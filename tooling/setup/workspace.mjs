/**
 * Brings a bare clone to a built workspace with the native engine and the pretrained encoder. Each step finds what an
 * earlier run left and is quick then. Needs only Node 20.19 or newer with npm, python3 with pip, and g++.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cache = process.env.ONCO_RESPONSE_CACHE ?? join(homedir(), '.cache', 'onco-response');
process.env.TURBO_TELEMETRY_DISABLED = '1';
process.env.ONCO_RESPONSE_CACHE = cache;

/** Runs a command in the clone with its output shown; ends this process with the command's exit code if it fails. */
export function run(command, args, { cwd = root } = {}) {
  const result = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (result.error) stop(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0) {
    console.error(
      `setup: \`${command} ${args.join(' ')}\` ended with ${result.signal ?? `exit code ${result.status}`}`,
    );
    process.exit(result.status ?? 1);
  }
}

export const oncoTrain = (...args) => run(process.execPath, [join(root, 'apps/train/dist/cli.js'), ...args]);
export const oncoInfer = (...args) => run(process.execPath, [join(root, 'apps/infer/dist/cli.js'), ...args]);

/** Everything that the main job and the tests need; returns the clone's folder. */
export function prepareWorkspace() {
  requireNode();
  step('pnpm', providePnpm);
  step('dependencies', () =>
    run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only']),
  );
  step('build', () => run('pnpm', ['exec', 'turbo', 'run', 'build', '--output-logs=errors-only']));
  step('native engine', () => run(process.execPath, [join(root, 'tooling/native/provide.mjs')]));
  step('pretrained encoder', () => oncoTrain('pull', 'dinov2-small'));
  return root;
}

function step(name, work) {
  const start = performance.now();
  console.log(`\nsetup: ${name}`);
  work();
  console.log(`setup: ${name} ready in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    stop(`Node ${process.versions.node} is too old: install Node 20.19 to 24`);
}

/** The pinned pnpm: the one on PATH when it is of the same major version, else installed into the cache by npm. */
function providePnpm() {
  const pinned = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager.split('@')[1];
  const found = spawnSync('pnpm', ['--version'], { cwd: root, encoding: 'utf8' });
  if (found.status === 0 && found.stdout.split('.')[0] === pinned.split('.')[0]) return;
  const folder = join(cache, `pnpm-${pinned}`);
  const binaries = join(folder, 'node_modules', '.bin');
  if (!existsSync(join(binaries, 'pnpm')))
    run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, `pnpm@${pinned}`]);
  process.env.PATH = `${binaries}${delimiter}${process.env.PATH}`;
}

function stop(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}
