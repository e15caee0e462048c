import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of shared real data (`ONCO_RESPONSE_DATA`, else `../shared/data` beside the clone), or undefined. */
export function sharedData(...parts) {
  const beside = resolve(dirname(fileURLToPath(import.meta.url)), '../../../shared/data');
  const path = join(process.env.ONCO_RESPONSE_DATA ?? beside, ...parts);
  if (existsSync(path)) return path;
  console.log(`skipped: no shared data at ${path} (set ONCO_RESPONSE_DATA to its folder)`);
  return undefined;
}
