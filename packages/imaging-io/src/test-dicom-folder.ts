// biome-ignore lint/correctness/noNodejsModules: for tests only, not built
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
// biome-ignore lint/correctness/noNodejsModules: for tests only, not built
import { tmpdir } from 'node:os';
// biome-ignore lint/correctness/noNodejsModules: for tests only, not built
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder of these files until the test ends. */
export function temporaryFolder(files: readonly Uint8Array[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'imaging-io-series-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [at, bytes] of files.entries()) writeFileSync(join(folder, `${at}.dcm`), bytes);
  return folder;
}
