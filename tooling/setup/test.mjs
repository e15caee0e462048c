/** `npm test`: sets everything up, then runs every package's tests in one vitest process and prints `N passed, N failed`. */
import { prepareWorkspace, run } from './workspace.mjs';

prepareWorkspace();
console.log('\nsetup: tests');
run('pnpm', [
  'exec',
  'vitest',
  'run',
  '--reporter=default',
  '--reporter=./tooling/vitest/count-reporter.mjs',
  ...process.argv.slice(2),
]);
