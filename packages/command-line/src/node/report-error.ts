import { EXIT } from './exit-codes.js';

/** Codes that a second try with the same input may cure. */
const TEMPORARY = new Set(['INTERRUPTED', 'DOWNLOAD_FAILED', 'TRACKING_FAILED']);

/**
 * Prints an error to stderr and returns the exit code for it: 75 for what another try may cure, 42 for any other error
 * of these packages, 1 for a defect, which alone is shown with its stack.
 *
 * @example
 * process.exitCode = reportError('onco-train', error);
 */
export function reportError(program: string, error: unknown): number {
  if (!isOwn(error)) {
    console.error(`${program}: a defect of onco-response:`, error);
    return EXIT.failed;
  }
  console.error(`${program}: [${error.code}] ${error.message}`);
  return TEMPORARY.has(error.code) ? EXIT.interrupted : EXIT.permanent;
}

/** Every error class of these packages carries a symbol registered as `onco-response.NAME`, and a code. */
function isOwn(error: unknown): error is Error & { code: string } {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return Object.getOwnPropertySymbols(error).some((marker) =>
    Symbol.keyFor(marker)?.startsWith('onco-response.'),
  );
}
