// biome-ignore lint/correctness/noNodejsModules: for tests only, not built
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
// biome-ignore lint/correctness/noNodejsModules: for tests only, not built
import { tmpdir } from 'node:os';
// biome-ignore lint/correctness/noNodejsModules: for tests only, not built
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder of these files until the test ends. */
export function temporaryFolder(files: readonly Uint8Array[]): string {
  return temporaryFiles(Object.fromEntries(files.map((bytes, at) => [`${at}.dcm`, bytes])));
}

/** A folder of files by name, which may lie in folders of it, until the test ends. */
export function temporaryFiles(files: Readonly<Record<string, Uint8Array | string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'imaging-io-series-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return folder;
}
