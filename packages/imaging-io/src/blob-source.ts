import { type ByteSource, becameShorter, type ImageInput, type SourceFile } from './byte-source.js';
import { ImagingError } from './imaging-error.js';

/** A file of a browser. Its path in a dropped or chosen folder names it, where it came with one. */
function blobFile(file: File): SourceFile {
  const name = file.webkitRelativePath || file.name;
  return { name, open: () => blobSource(file, name) };
}

/** A Blob, of which only what is asked for comes into memory. */
function blobSource(blob: Blob, name: string): ByteSource {
  return {
    name,
    size: blob.size,
    close: () => undefined,
    async read(offset, length) {
      let bytes: Uint8Array;
      try {
        bytes = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (error) {
        // NotReadableError and others: the file was moved, changed or locked
        if (error instanceof RangeError) throw error;
        throw new ImagingError({
          code: 'NOT_READABLE',
          message: `${name} cannot be read: was it moved or changed?`,
        });
      }
      if (bytes.length < length) throw becameShorter(name);
      return bytes;
    },
  };
}

/**
 * One file, or several: a header (.nhdr, .mhd) with its data file, or DICOM files.
 * @throws ImagingError NOT_FOUND, UNSUPPORTED, as it is used
 */
export function blobInput(given: File | readonly File[]): ImageInput {
  const files = given instanceof Blob ? [given] : given;
  const headers = files.filter(({ name }) => /\.(nhdr|mhd)$/i.test(name));
  const single = files.length === 1 ? files[0] : headers.length === 1 ? headers[0] : undefined;
  const sources = files.filter(({ name }) => name.toUpperCase() !== 'DICOMDIR').map(blobFile);
  sources.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return {
    name: single === undefined ? nameOf(sources) : blobFile(single).name,
    file: single && blobFile(single),
    files: () => sources,
    dataFile: (path) => dataFileOf(single, files, path),
  };
}

/** The folder that was dropped, where all files come from one. */
function nameOf(sources: readonly SourceFile[]): string {
  const [first] = sources;
  if (first === undefined) return 'an empty list of files';
  const folder = first.name.slice(0, first.name.indexOf('/') + 1);
  return folder !== '' && sources.every(({ name }) => name.startsWith(folder))
    ? folder.slice(0, -1)
    : first.name;
}

/** The file beside the header, or below it, that the header names. */
function dataFileOf(header: File | undefined, files: readonly File[], path: string): SourceFile {
  const name = header === undefined ? '' : blobFile(header).name;
  const parts = path.split('/').filter((part) => part !== '.');
  if (path.startsWith('/') || /^[a-z]:|\\/i.test(path) || parts.includes('..')) {
    throw new ImagingError({
      code: 'UNSUPPORTED',
      message: `${name} names a data file outside its own folder: move that file beside the header`,
    });
  }
  const wanted = name.slice(0, name.lastIndexOf('/') + 1) + parts.join('/');
  const found = files.filter((file) => file !== header && blobFile(file).name === wanted);
  if (found.length === 1) return blobFile(found[0]!);
  throw new ImagingError({
    code: 'NOT_FOUND',
    message: `${name} is only a header: give its data file ${JSON.stringify(wanted)} with it`,
  });
}
