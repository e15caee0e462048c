import { readdir } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { LOG_NAME, type LogEvent, readRunLog } from './run-log.js';
import { TrainError } from './train-error.js';

export interface FoundLog {
  /** The run's folder under the one that was searched, with slashes; its own name for that one itself. */
  name: string;
  folder: string;
  events: LogEvent[];
}

/**
 * Every log of `directory` and of the folders in it.
 * @throws TrainError MISSING_FILE where there is none
 */
export async function findLogs(directory: string): Promise<FoundLog[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const folders = entries
    .filter((entry) => entry.isFile() && entry.name === LOG_NAME)
    .map(({ parentPath }) => parentPath)
    .sort();
  if (folders.length === 0) {
    throw new TrainError({
      code: 'MISSING_FILE',
      message: `there is no ${LOG_NAME} in ${directory} nor below it: give the folder that onco-train fit wrote`,
    });
  }
  return Promise.all(
    folders.map(async (folder) => ({
      name: relative(directory, folder).split(sep).join('/') || basename(resolve(directory)),
      folder,
      events: await readRunLog(join(folder, LOG_NAME)),
    })),
  );
}
