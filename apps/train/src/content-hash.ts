import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** sha256 of a file's bytes; of a folder (a DICOM series), of the names and bytes of all files in it, sorted by name. */
export async function contentHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  if (!(await stat(path)).isDirectory()) await addFile(hash, path);
  else {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) {
      hash.update(`${relative(path, file)}\0${(await stat(file)).size}\0`);
      await addFile(hash, file);
    }
  }
  return hash.digest('hex');
}

async function addFile(hash: Hash, path: string): Promise<void> {
  for await (const block of createReadStream(path)) hash.update(block);
}
