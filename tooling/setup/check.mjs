/** The static checks of CI: formatting and lint, types, unused and undeclared dependencies, every package's tarball. */
import { prepareWorkspace, run } from './workspace.mjs';

prepareWorkspace();
run('pnpm', ['exec', 'biome', 'ci', '.']);
run('pnpm', ['run', 'typecheck']);
run('pnpm', ['run', 'hygiene']);
run('pnpm', ['exec', 'turbo', 'run', 'check:pkg', '--output-logs=errors-only']);
