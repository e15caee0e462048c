import { type ByteSource, type SourceFile, withSource } from './byte-source.js';
import { describeDicomFile } from './dicom-file.js';
import { HEADER_BYTES, readDicomHeader } from './dicom-header.js';
import type { DicomFile } from './dicom-slice.js';
import { DICOM_MARK, PREAMBLE_BYTES } from './dicom-start.js';
import { fragmentsEnd } from './fragments-end.js';
import { ImagingError } from './imaging-error.js';
import { MAX_DICOM_FILES } from './limits.js';
import { memoryInTurn, readAhead } from './read-ahead.js';
import type { Reading } from './reading.js';

/**
 * The header of every DICOM image among the files; pixels are not read.
 * @throws ImagingError TOO_LARGE, TRUNCATED, MALFORMED, CORRUPT, NOT_READABLE
 */
export async function scanDicom(
  sources: readonly SourceFile[],
  reading: Reading,
): Promise<{ files: DicomFile[]; warnings: string[] }> {
  if (sources.length > MAX_DICOM_FILES) {
    throw new ImagingError({
      code: 'TOO_LARGE',
      message: `${sources.length} files; a series has at most ${MAX_DICOM_FILES}`,
    });
  }
  const files: DicomFile[] = [];
  const warnings: string[] = [];
  const memory = memoryInTurn(HEADER_BYTES);
  const read = (file: SourceFile): Promise<DicomFile | undefined> =>
    withSource(file, (source) => scanFile(file, source, reading, memory()));
  let done = 0;
  for await (const file of readAhead(sources, read)) {
    const { name } = sources[done++]!;
    if (file?.program) {
      warnings.push(
        `${name} begins like a program (in its preamble): its image was read, nothing was run; do not open it otherwise`,
      );
    }
    if (file) files.push(file);
    else if (/\.dcm$/i.test(name)) warnings.push(`${name} is no DICOM image and was left out`);
    reading.step({ done, total: sources.length, unit: 'files' });
  }
  return { files, warnings };
}

async function scanFile(
  file: SourceFile,
  source: ByteSource,
  { expander }: Reading,
  scratch: Uint8Array,
): Promise<DicomFile | undefined> {
  const header = await readDicomHeader(source, expander, scratch);
  if (header === undefined) {
    await refuseCut(source);
    return undefined;
  }
  const found = describeDicomFile(header, file);
  if (found?.storage !== 'encapsulated' || found.problem !== undefined) return found;
  try {
    const { offset } = found.pixels;
    return { ...found, pixels: { offset, length: (await fragmentsEnd(source, offset)) - offset } };
  } catch (error) {
    if (!ImagingError.isInstance(error)) throw error;
    return { ...found, slices: [], problem: error };
  }
}

/** An empty preamble and the mark. */
const BEGINNING = [...new Uint8Array(PREAMBLE_BYTES - DICOM_MARK.length), ...DICOM_MARK];

/** A slice cut off inside its preamble is a lost slice, not a foreign file. */
async function refuseCut(source: ByteSource): Promise<void> {
  const { name, size } = source;
  if (size >= PREAMBLE_BYTES || (size === 0 && !/\.(dcm|ima)$/i.test(name))) return;
  const bytes = await source.read(0, size);
  if (bytes.some((byte, at) => byte !== (BEGINNING[at] ?? 0))) return;
  throw new ImagingError({
    code: 'TRUNCATED',
    message: `${name} has only ${size} bytes: copy or export it again`,
  });
}
