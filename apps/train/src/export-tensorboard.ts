import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findLogs } from './find-logs.js';
import { logScalars } from './log-scalars.js';
import { tensorboardEvents } from './tensorboard-events.js';
import { writeOutput } from './write-output.js';

/**
 * Writes the logs of a run, or of every run below a folder, as TensorBoard summaries; what an earlier call wrote is
 * replaced. Returns the folder to give to `tensorboard --logdir`.
 * @throws TrainError MISSING_FILE
 */
export async function exportTensorboard(
  directory: string,
  out = join(directory, 'tensorboard'),
): Promise<string> {
  for (const { name, events } of await findLogs(directory)) {
    const scalars = logScalars(events);
    const seconds = Math.floor(Date.parse(events[0]?.at ?? '1970-01-01T00:00:00Z') / 1000);
    const folder = join(out, name);
    await rm(folder, { recursive: true, force: true });
    await writeOutput(join(folder, `events.out.tfevents.${seconds}.onco-train`), tensorboardEvents(scalars));
  }
  return out;
}
