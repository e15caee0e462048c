import { EXIT } from './exit-codes.js';

/**
 * Turns Ctrl-C and SIGTERM into a question that long work asks at safe points: the function returned is true from the
 * first signal on. A second signal ends the process at once.
 */
export function interruption(): () => boolean {
  let asked = false;
  const ask = () => {
    if (asked) process.exit(EXIT.interrupted);
    asked = true;
    console.error('\nstopping at the next safe point, the state is saved (again: stop at once)');
  };
  process.on('SIGINT', ask);
  process.on('SIGTERM', ask);
  return () => asked;
}
