import { readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { ImageInput, SourceFile } from '../byte-source.js';
import { ImagingError } from '../imaging-error.js';
import { MAX_DICOM_FILES, MAX_FOLDERS } from '../limits.js';
import { fileError } from './file-errors.js';
import { fileAt } from './file-source.js';

/** What lies at a path, or a list of files. */
export function pathInput(given: string | readonly string[]): ImageInput {
  if (typeof given !== 'string') {
    return {
      name: given[0] ?? 'an empty list of files',
      file: undefined,
      files: () => given.map(fileAt),
      dataFile: () => fail('UNSUPPORTED', 'a list of files is no header'),
    };
  }
  const found = statOf(given);
  const folder = found.isDirectory();
  if (!folder && !found.isFile()) fail('NOT_READABLE', `${given} is no file`); // to open a pipe would wait for ever
  return {
    name: given,
    file: folder ? undefined : fileAt(given),
    files: () => (folder ? filesBelow(given).map(fileAt) : [fileAt(given)]),
    dataFile: (path) => dataFileOf(given, path),
  };
}

function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw fileError(error, path, 'read');
  }
}

/**
 * All files of a folder and of those inside it, but the DICOMDIR. Links to files count, links to folders are not
 * followed: they may lead out, or round in a circle.
 */
function filesBelow(folder: string): string[] {
  const files: string[] = [];
  const folders = [folder];
  for (let next = 0; next < folders.length; next++) {
    if (next === MAX_FOLDERS) fail('TOO_LARGE', `${folder} holds more than ${MAX_FOLDERS} folders`);
    for (const entry of entriesOf(folders[next]!)) {
      const path = join(folders[next]!, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (
        (entry.isFile() || (entry.isSymbolicLink() && leadsToFile(path))) &&
        !isDirectoryFile(entry.name)
      ) {
        files.push(path);
      }
    }
    // scanning says how many there are
    if (files.length > MAX_DICOM_FILES) break;
  }
  return files.sort(); // so that results and messages do not depend on the file system
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw fileError(error, folder, 'read');
  }
}

function leadsToFile(link: string): boolean {
  return statSync(link, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** A DICOMDIR repeats what the files say, and may point anywhere. */
function isDirectoryFile(name: string): boolean {
  return name.toUpperCase() === 'DICOMDIR';
}

/**
 * The data file that a header names, which has to lie in the header's folder or below it: a header from elsewhere
 * must not make a service read other files.
 */
function dataFileOf(header: string, dataFile: string): SourceFile {
  const folder = dirname(header);
  const wanted = join(folder, dataFile);
  const outside = (from: string, to: string): boolean => {
    const way = relative(from, to);
    return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
  };
  let escapes = isAbsolute(dataFile) || /^[a-z]:|\\/i.test(dataFile) || outside(folder, wanted);
  if (!escapes) {
    try {
      // links too
      escapes = outside(realpathSync(folder), realpathSync(wanted));
    } catch (error) {
      throw fileError(error, wanted, 'read');
    }
  }
  if (escapes) {
    fail(
      'UNSUPPORTED',
      `${header} names a data file outside its own folder: move that file beside the header`,
    );
  }
  return fileAt(wanted);
}

function fail(code: ImagingError['code'], message: string): never {
  throw new ImagingError({ code, message });
}
