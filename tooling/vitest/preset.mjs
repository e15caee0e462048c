import { existsSync, readFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { defaultClientConditions, defaultServerConditions } from 'vite';
import { bundledWorkers } from './worker-plugin.mjs';

const SOURCE_CONDITION = 'onco-response-source';

/**
 * Vitest preset: workspace packages resolve to their sources, so tests need no build. A package's own name resolves
 * too, so that a README's example runs as printed.
 * @param configUrl `import.meta.url` of the package's vitest.config.ts
 */
export function preset(configUrl, test = {}) {
  const manifest = JSON.parse(readFileSync(new URL('./package.json', configUrl), 'utf8'));
  const self = Object.keys(manifest.exports).filter((path) => path !== './package.json');
  const root = fileURLToPath(new URL('.', configUrl));
  return {
    root,
    plugins: [bundledWorkers(SOURCE_CONDITION)],
    resolve: {
      conditions: [SOURCE_CONDITION, ...defaultClientConditions],
      alias: [
        ...self.map((path) => ({
          find: new RegExp(`^${manifest.name}${path.slice(1)}$`),
          replacement: fileURLToPath(new URL(manifest.exports[path][SOURCE_CONDITION], configUrl)),
        })),
        ...('@tensorflow/tfjs-core' in { ...manifest.dependencies, ...manifest.devDependencies }
          ? [{ find: GRADIENTS, replacement: bundledGradients() }]
          : []),
      ],
    },
    ssr: { resolve: { conditions: [SOURCE_CONDITION, ...defaultServerConditions] } },
    test: {
      name: manifest.name.replace('@onco-response/', ''),
      include: ['src/**/*.test.ts'],
      environment: 'node',
      testTimeout: 60_000,
      ...test,
    },
  };
}

const GRADIENTS = '@tensorflow/tfjs-core/dist/register_all_gradients.js';

/** tfjs-core's 220 gradient files as one module: Node cannot import them as published, and vite takes seconds over them. */
function bundledGradients() {
  const source = createRequire(import.meta.url).resolve(GRADIENTS);
  const bundle = `${source.slice(0, -'.js'.length)}.bundle.mjs`;
  if (!existsSync(bundle)) {
    const partial = `${bundle}.${process.pid}`;
    buildSync({ entryPoints: [source], bundle: true, format: 'esm', outfile: partial, logLevel: 'error' });
    renameSync(partial, bundle);
  }
  return bundle;
}
