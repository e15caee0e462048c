import { link, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes the files of one bundle's encoder hard links to the study's single copy: hundreds of trials of one frozen encoder
 * would otherwise hold its weights hundreds of times. Where the file system has no links, the bundle keeps its own copy.
 *
 * @param shared a folder that is named after the weights' hash
 */
export async function shareEncoderFiles(bundleEncoder: string, shared: string): Promise<void> {
  await mkdir(shared, { recursive: true });
  for (const name of await readdir(bundleEncoder)) {
    const own = join(bundleEncoder, name);
    if (await linked(own, join(shared, name))) continue;
    const partial = join(bundleEncoder, `.${name}.${process.pid}`);
    if (!(await linked(join(shared, name), partial))) continue;
    await rename(partial, own);
    await rm(partial, { force: true }); // rename leaves it where both are links to one file already
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch {
    return false;
  }
}
