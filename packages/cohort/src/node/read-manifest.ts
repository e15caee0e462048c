import { access, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CohortError } from '../cohort-error.js';
import { type Manifest, parseManifest } from '../parse-manifest.js';

/**
 * Reads a `cohort.csv` and checks that its files are there; paths become absolute, relative to the file.
 *
 * @throws CohortError as `parseManifest`, and `MISSING_FILE` for the manifest, an image or a mask
 * @example
 * const { cases } = await readManifest('study/cohort.csv');
 */
export async function readManifest(path: string): Promise<Manifest> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CohortError({ code: 'MISSING_FILE', message: `The manifest ${path} cannot be read.`, cause });
  });
  const { cases, clinicalColumns } = parseManifest(text);
  const folder = dirname(resolve(path));
  const located = cases.map((current) => ({
    ...current,
    image: resolve(folder, current.image),
    mask: current.mask && resolve(folder, current.mask),
  }));
  for (const { image, mask, line } of located) {
    await checkFile('image', image, line);
    if (mask) await checkFile('mask', mask, line);
  }
  return { cases: located, clinicalColumns };
}

async function checkFile(what: string, path: string, line: number): Promise<void> {
  await access(path).catch((cause: unknown) => {
    throw new CohortError({
      code: 'MISSING_FILE',
      line,
      message: `Line ${line} of the manifest: the ${what} ${path} cannot be read.`,
      cause,
    });
  });
}
