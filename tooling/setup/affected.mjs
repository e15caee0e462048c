/**
 * Prints the packages and apps that the change since TURBO_SCM_BASE affects, as JSON for a CI matrix:
 * `[{"name":"@onco-response/metrics","native":false}]`. `native` is true where the tests use libtensorflow.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const listed = JSON.parse(
  execFileSync('pnpm', ['exec', 'turbo', 'ls', '--affected', '--output=json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }),
);
const affected = listed.packages.items
  .filter(({ path }) => /^(packages|apps)\//.test(path))
  .map(({ name, path }) => {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(
      readFileSync(join(path, 'package.json'), 'utf8'),
    );
    return { name, native: '@tensorflow/tfjs-node' in { ...dependencies, ...devDependencies } };
  });
console.log(JSON.stringify(affected));
