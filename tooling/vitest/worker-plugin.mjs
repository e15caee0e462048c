import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const WORKER = /new URL\('(\.\/[\w-]+-worker)\.js', import\.meta\.url\)/g;

/**
 * Sources start a worker as `new Worker(new URL('./some-worker.js', import.meta.url))`, which Node and bundlers know.
 * Node cannot run the TypeScript beside it in a thread, so for tests that file is bundled and the address points there.
 * @param condition export condition under which workspace packages are their sources
 */
export function bundledWorkers(condition) {
  const bundles = new Map();
  return {
    name: 'onco-bundled-workers',
    enforce: 'pre', // sees the source as written
    async transform(code, id) {
      const matches = [...code.matchAll(WORKER)];
      if (matches.length === 0) return undefined;
      let replaced = code;
      for (const [text, path] of matches) {
        const source = join(dirname(id), `${path}.ts`);
        if (!bundles.has(source)) bundles.set(source, bundle(source, condition));
        replaced = replaced.replace(text, `new URL('${pathToFileURL(await bundles.get(source)).href}')`);
      }
      return { code: replaced, map: null };
    },
  };
}

async function bundle(source, condition) {
  // in the worker's own package, which may be another than the one under test: its imports are found from there
  const folder = join(packageOf(source), 'node_modules', '.workers');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${basename(source, '.ts')}.mjs`);
  const partial = `${file}.${process.pid}`;
  await build({
    entryPoints: [source],
    outfile: partial,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: [condition],
    logLevel: 'error',
    plugins: [{ name: 'bare-imports-stay', setup: keepBareImports }],
  });
  renameSync(partial, file);
  return file;
}

function packageOf(file) {
  const folder = dirname(file);
  return existsSync(join(folder, 'package.json')) ? folder : packageOf(folder);
}

/** Libraries are imported at run time; only the workspace's own packages, whose sources are TypeScript, are bundled. */
function keepBareImports(esbuild) {
  esbuild.onResolve({ filter: /^[^./]/ }, ({ path }) =>
    path.startsWith('@onco-response/') ? undefined : { path, external: true },
  );
}
