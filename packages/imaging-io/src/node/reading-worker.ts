import { parentPort } from 'node:worker_threads';
import { ImagingError } from '../imaging-error.js';
import { runReader } from '../readers.js';
import { startReading } from '../reading.js';
import { itkFormats } from './itk-formats.js';
import { useNativeCodecs } from './native-codecs.js';
import { pathInput } from './path-input.js';
import type { ReadingReply, ReadingRequest } from './reading-request.js';
import { zlibExpander } from './zlib-expander.js';

/** The reading thread: one request after the other, voxels handed over without a copy. */
const port = parentPort!;

// codecs print: what comes out is dropped (streams that the calling thread would have to drain keep it from ending)
process.stdout.write = () => true;
process.stderr.write = () => true;
useNativeCodecs();
port.on('message', async (request: ReadingRequest) => {
  const reply = await answer(request);
  port.postMessage(reply, 'result' in reply ? memoryOf(reply.result) : []);
});

async function answer({ reader, path, options, wantsProgress }: ReadingRequest): Promise<ReadingReply> {
  try {
    const onProgress = wantsProgress ? (progress: object) => port.postMessage({ progress }) : undefined;
    const reading = startReading(zlibExpander, { onProgress }, itkFormats());
    return { result: await runReader(reader, pathInput(path), options, reading) };
  } catch (error) {
    if (ImagingError.isInstance(error)) return { error: { code: error.code, message: error.message } };
    return { defect: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** The memory of all voxels of a result. */
function memoryOf(result: object): ArrayBuffer[] {
  const parts: unknown[] = Array.isArray(result) ? result : [result];
  const volumes = parts.map((part) => (part as { volume?: object }).volume ?? part);
  const arrays = volumes.map((volume) => (volume as { data?: ArrayBufferView }).data);
  return [...new Set(arrays.flatMap((data) => (data === undefined ? [] : [data.buffer as ArrayBuffer])))];
}
