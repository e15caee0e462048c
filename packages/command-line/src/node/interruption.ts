import { EXIT } from './exit-codes.js';

/**
 * Turns Ctrl-C, SIGTERM and SIGUSR1 (what Slurm's `--signal` sends before the time is up) into a question that long work
 * asks at safe points: the function returned is true from the first signal on. A second one ends the process at once,
 * but for SIGUSR1, which a scheduler may follow with SIGTERM.
 */
export function interruption(): () => boolean {
  let asked = false;
  let insisted = false;
  const ask = (signal: NodeJS.Signals) => {
    if (insisted) process.exit(EXIT.interrupted);
    insisted = signal !== 'SIGUSR1';
    if (asked) return;
    asked = true;
    console.error('\nstopping at the next safe point, the state is saved (again: stop at once)');
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const) process.on(signal, ask);
  return () => asked;
}
