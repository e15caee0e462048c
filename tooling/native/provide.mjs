#!/usr/bin/env node
/**
 * Provides libtensorflow to @tensorflow/tfjs-node, whose own installer depends on a download bucket that is often out of
 * reach. In order: what is already installed, the libtensorflow folder named by ONCO_LIBTENSORFLOW, the cache, the
 * package's own installer where its bucket answers, the `tensorflow-cpu` wheel by pip.
 *
 *   node tooling/native/provide.mjs            make the CPU engine ready (a second run takes a second)
 *   ONCO_LIBTENSORFLOW=/opt/libtensorflow …    use that folder (lib/libtensorflow.so* and include/)
 *   ONCO_LIBTENSORFLOW=wheel …                 skip the bucket
 *   ONCO_RESPONSE_CACHE=DIR …                  keep downloads there (default ~/.cache/onco-response)
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { include_dir as nodeApiHeaders } from 'node-api-headers';
import { fail, fetchWheel, say } from './wheel.mjs';

const require = createRequire(import.meta.url);

/** One wheel for every Python: only its shared libraries and headers are used. */
const WHEEL = {
  requirement: 'tensorflow-cpu==2.20.0',
  python: '3.11',
  platform: 'manylinux_2_17_x86_64',
  sha256: 'cf756bbe2d256e942ab5d0ad2c858fb40017581494febdb4387c149b1afde780',
  megabytes: 259,
};
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

const cache = process.env.ONCO_RESPONSE_CACHE ?? join(homedir(), '.cache', 'onco-response');
const tfjsNode = dirname(require.resolve('@tensorflow/tfjs-node/package.json'));
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

  const cached = join(cache, 'libtensorflow', WHEEL.requirement.replace('==', '-'));
  if (!existsSync(join(cached, 'complete'))) {
    if (wanted !== 'wheel' && (await bucketAnswers()) && installFromBucket()) return;
    await unpackWheel(cached);
  }
  linkAddon(buildAddon(cached, WHEEL.requirement.split('==')[1]));
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

async function unpackWheel(target) {
  const wheel = await fetchWheel(WHEEL, join(cache, 'downloads'));
  say('unpacking the shared libraries and headers (about 800 MB)');
  const partial = `${target}.partial-${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(join(partial, 'lib'), { recursive: true });
  const unpack = spawnSync(
    'python3',
    [
      '-c',
      `import os, sys, zipfile
wheel, target, *libraries = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.startswith('tensorflow/include/') and not name.endswith('/'):
            path = os.path.join(target, name[len('tensorflow/'):])
        elif name.startswith('tensorflow/') and name[len('tensorflow/'):] in libraries:
            path = os.path.join(target, 'lib', name[len('tensorflow/'):])
        else:
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(name) as source, open(path, 'wb') as out:
            while block := source.read(1 << 22):
                out.write(block)`,
      wheel,
      partial,
      ...LIBRARIES,
    ],
    { stdio: 'inherit' },
  );
  if (unpack.status !== 0) fail(`could not unpack ${wheel}`, 'Remove it and run the command again.');
  symlinkSync('libtensorflow_cc.so.2', join(partial, 'lib', 'libtensorflow.so'));
  symlinkSync('libtensorflow_framework.so.2', join(partial, 'lib', 'libtensorflow_framework.so'));
  writeFileSync(join(partial, 'complete'), `${WHEEL.requirement} ${WHEEL.sha256}\n`);
  rmSync(target, { recursive: true, force: true });
  renameSync(partial, target);
  rmSync(wheel);
}

/** Compiles tfjs-node's N-API addon against a libtensorflow folder, once a folder; returns the addon in the cache. */
function buildAddon(libtensorflow, label) {
  const folder = join(cache, 'tfjs-node', `${version}-libtensorflow-${label}-napi${napi}`);
  const built = join(folder, 'tfjs_binding.node');
  if (label !== 'given' && loads(built)) return built;
  say("compiling tfjs-node's addon with g++ (about 15 s)");
  mkdirSync(folder, { recursive: true });
  const partial = `${built}.partial-${process.pid}`;
  const lib = join(libtensorflow, 'lib');
  const compiler = spawnSync(
    process.env.CXX ?? 'g++',
    ['-std=c++17', '-O2', '-shared', '-fPIC', `-DNAPI_VERSION=${napi}`, '-w']
      .concat(['-I', nodeApiHeaders, '-I', join(libtensorflow, 'include'), '-I', join(tfjsNode, '..')])
      .concat([join(tfjsNode, 'binding/tfjs_backend.cc'), join(tfjsNode, 'binding/tfjs_binding.cc')])
      .concat([`-L${lib}`, `-Wl,-rpath,${lib}`, '-ltensorflow', '-ltensorflow_framework', '-o', partial]),
    { stdio: 'inherit' },
  );
  if (compiler.error?.code === 'ENOENT') fail('g++ is not installed', 'On Debian: apt-get install g++');
  if (compiler.status !== 0)
    fail('compiling the addon failed, see above', `Looked for libtensorflow in ${libtensorflow}.`);
  renameSync(partial, built);
  return built;
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
