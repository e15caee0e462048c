#!/usr/bin/env node
/**
 * Provides libtensorflow to @tensorflow/tfjs-node, whose own installer depends on a download bucket that is often out of
 * reach. In order: what is already installed, the libtensorflow folder named by ONCO_LIBTENSORFLOW, the cache, the
 * package's own installer where its bucket answers, the `tensorflow-cpu` wheel by pip.
 *
 *   node tooling/native/provide.mjs            make the CPU engine ready (a second run takes a second)
 *   node tooling/native/provide.mjs --gpu      make @tensorflow/tfjs-node-gpu ready: the CUDA 12 libtensorflow of the
 *                                              `tensorflow` wheel with NVIDIA's libraries (2.4 GB to download, never
 *                                              from the bucket: its library is of CUDA 11.2), and say which card it finds
 *   ONCO_LIBTENSORFLOW=/opt/libtensorflow …    use that folder (lib/libtensorflow.so* and include/)
 *   ONCO_LIBTENSORFLOW=wheel …                 skip the bucket
 *   ONCO_RESPONSE_CACHE=DIR …                  keep downloads there (default ~/.cache/onco-response)
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { include_dir as nodeApiHeaders } from 'node-api-headers';
import { PATCH } from './addon-patch.mjs';
import { downloaded, fail, fetchWheel, say } from './wheel.mjs';
import { CUDA_WHEELS, TENSORFLOW, TENSORFLOW_CPU } from './wheels.mjs';

const require = createRequire(import.meta.url);

const gpu = process.argv.includes('--gpu');
const target = gpu
  ? { tfjs: '@tensorflow/tfjs-node-gpu', label: '2.20.0-cuda12', wheels: [TENSORFLOW, ...CUDA_WHEELS] }
  : { tfjs: '@tensorflow/tfjs-node', label: '2.20.0', wheels: [TENSORFLOW_CPU] };

const cache = process.env.ONCO_RESPONSE_CACHE ?? join(homedir(), '.cache', 'onco-response');
const tfjsNode = dirname(require.resolve(`${target.tfjs}/package.json`));
const { version } = JSON.parse(readFileSync(join(tfjsNode, 'package.json'), 'utf8'));
const napi = Math.min(8, Number(process.versions.napi));
const addon = join(tfjsNode, 'lib', `napi-v${napi}`, 'tfjs_binding.node');

const loads = (file) =>
  existsSync(file) &&
  spawnSync(process.execPath, ['-e', `require(${JSON.stringify(file)})`], { stdio: 'ignore' }).status === 0;

if (process.argv.includes('--help')) {
  console.log(
    readFileSync(new URL(import.meta.url), 'utf8')
      .match(/\/\*\*([\s\S]*?)\*\//)[1]
      .replaceAll('\n * ', '\n'),
  );
} else {
  await provide();
  if (gpu) sayCard();
}

async function provide() {
  if (loads(addon)) return say(`ready: ${addon}`);
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    fail(
      `no libtensorflow wheel is pinned for ${process.platform}-${process.arch}`,
      'Run `node scripts/install.js` inside node_modules/@tensorflow/tfjs-node, or use the backend "cpu".',
    );
  }
  const wanted = process.env.ONCO_LIBTENSORFLOW;
  if (wanted && wanted !== 'wheel') return linkAddon(buildAddon(wanted, 'given'));

  const cached = join(cache, 'libtensorflow', target.wheels[0].requirement.replace('==', '-'));
  if (!existsSync(join(cached, 'complete'))) {
    if (!gpu && wanted !== 'wheel' && (await bucketAnswers()) && installFromBucket()) return;
    await unpackWheels(cached);
  }
  linkAddon(buildAddon(cached, target.label));
}

/** Starts the library once and says what it found: a missing card should be known before a study is queued. */
function sayCard() {
  const probe = `
    const util = require('node:util'); // Node 23 took away two functions that tfjs-node calls
    util.isNullOrUndefined ??= (value) => value == null;
    util.isArray ??= Array.isArray;
    process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
    process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
    process.exit(require(${JSON.stringify(tfjsNode)}).backend().isUsingGpuDevice ? 0 : 3);`;
  const { status } = spawnSync(process.execPath, ['-e', probe], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status === 0) say('the library found a card and uses it');
  else if (status === 3)
    say(
      'the library loads but found no card: is there one, with a driver of CUDA 12.5 or later (nvidia-smi)?',
    );
  else fail('the library did not start, see above', `Remove ${cache} and run the command again.`);
}

/** Whether the bucket that tfjs-node's own installer downloads from can be reached within a few seconds. */
async function bucketAnswers() {
  const host = readFileSync(join(tfjsNode, 'scripts', 'install.js'), 'utf8').match(
    /'(https:\/\/[^']+)'/,
  )?.[1];
  try {
    await fetch(process.env.TFJS_NODE_CDN_STORAGE ?? host, {
      method: 'HEAD',
      signal: AbortSignal.timeout(4000),
    });
    return true;
  } catch {
    say(
      "tfjs-node's download bucket does not answer from here; taking libtensorflow from a Python wheel instead",
    );
    return false;
  }
}

function installFromBucket() {
  say("running tfjs-node's own installer");
  // The installer rewrites package.json in place, and pnpm hard-links that file to its store: give it a copy.
  const manifest = join(tfjsNode, 'package.json');
  const text = readFileSync(manifest);
  rmSync(manifest);
  writeFileSync(manifest, text);
  spawnSync('npm', ['run', 'install'], { cwd: tfjsNode, stdio: 'inherit' });
  writeFileSync(manifest, text);
  if (loads(addon)) {
    say(`ready: ${addon}`);
    return true;
  }
  say('that installer left no addon that loads; taking libtensorflow from a Python wheel instead');
  return false;
}

async function unpackWheels(folder) {
  const partial = `${folder}.partial-${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  for (const wheel of target.wheels) {
    const file = await fetchWheel(wheel, join(cache, 'downloads'));
    say(`unpacking the shared libraries and headers of ${wheel.requirement}`);
    const script = fileURLToPath(new URL('./unpack_wheel.py', import.meta.url));
    if (spawnSync('python3', [script, file, partial], { stdio: 'inherit' }).status !== 0)
      fail(`could not unpack ${file}`, 'Remove it and run the command again.');
  }
  symlinkSync('libtensorflow_cc.so.2', join(partial, 'lib', 'libtensorflow.so'));
  symlinkSync('libtensorflow_framework.so.2', join(partial, 'lib', 'libtensorflow_framework.so'));
  const contents = target.wheels.map(({ requirement, sha256 }) => `${requirement} ${sha256}\n`);
  writeFileSync(join(partial, 'complete'), contents.join(''));
  rmSync(folder, { recursive: true, force: true });
  renameSync(partial, folder);
  for (const { requirement } of target.wheels) rmSync(downloaded(requirement, join(cache, 'downloads')));
}

/** Compiles tfjs-node's N-API addon against a libtensorflow folder, once a folder; returns the addon in the cache. */
function buildAddon(libtensorflow, label) {
  const folder = join(cache, 'tfjs-node', `${version}-libtensorflow-${label}-napi${napi}-${PATCH.name}`);
  const built = join(folder, 'tfjs_binding.node');
  if (label !== 'given' && loads(built)) return built;
  say("compiling tfjs-node's addon with g++ (about 15 s)");
  mkdirSync(folder, { recursive: true });
  const partial = `${built}.partial-${process.pid}`;
  const sources = `${partial}-sources`;
  patchSources(sources);
  const lib = join(libtensorflow, 'lib');
  const compiler = spawnSync(
    process.env.CXX ?? 'g++',
    ['-std=c++17', '-O2', '-shared', '-fPIC', `-DNAPI_VERSION=${napi}`, '-w']
      .concat(['-I', nodeApiHeaders, '-I', join(libtensorflow, 'include'), '-I', join(tfjsNode, '..')])
      .concat(['-I', sources, join(sources, 'tfjs_backend.cc'), join(sources, 'tfjs_binding.cc')])
      .concat([`-L${lib}`, `-Wl,-rpath,${lib}`, '-ltensorflow', '-ltensorflow_framework', '-o', partial]),
    { stdio: 'inherit' },
  );
  if (compiler.error?.code === 'ENOENT') fail('g++ is not installed', 'On Debian: apt-get install g++');
  if (compiler.status !== 0)
    fail('compiling the addon failed, see above', `Looked for libtensorflow in ${libtensorflow}.`);
  rmSync(sources, { recursive: true });
  renameSync(partial, built);
  return built;
}

/** Copies the addon's C++ and adds lists of strings to the attributes that it passes: fused kernels are named so. */
function patchSources(folder) {
  cpSync(join(tfjsNode, 'binding'), folder, { recursive: true, dereference: true });
  const file = join(folder, 'tfjs_backend.cc');
  const text = readFileSync(file, 'utf8');
  if (text.split(PATCH.before).length !== 2)
    fail(
      `${target.tfjs} ${version} is not the version that is patched here`,
      'Use the version in pnpm-lock.yaml.',
    );
  writeFileSync(file, text.replace(PATCH.before, PATCH.added + PATCH.before));
}

function linkAddon(built) {
  mkdirSync(dirname(addon), { recursive: true });
  rmSync(addon, { force: true });
  symlinkSync(built, addon);
  if (!loads(addon)) {
    spawnSync(process.execPath, ['-e', `require(${JSON.stringify(addon)})`], { stdio: 'inherit' });
    fail(`the addon ${addon} does not load, see above`, `Remove ${cache} and run the command again.`);
  }
  say(`ready: ${addon} -> ${built}`);
}
