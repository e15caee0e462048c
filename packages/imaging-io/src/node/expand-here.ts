import { NIFTI_HEADER_BYTES, type NiftiHeader, parseNiftiHeader } from '../nifti-header.js';
import { isUnscaled } from '../nifti-voxels.js';
import { fileAt } from './file-source.js';
import { zlibExpander } from './zlib-expander.js';

/** Below it a read takes less time than it takes to start a reading thread, or little more. */
const LARGE_BYTES = 2 ** 23;

/**
 * Whether a file is best expanded from the calling thread: a large .nii.gz whose voxels are used as they come out of zlib,
 * which works on a thread of its own. To start a reading thread would add its 80 ms and keep no other work away.
 */
export async function expandsHere(path: string): Promise<boolean> {
  if (!/\.nii\.gz$/i.test(path)) return false;
  try {
    const file = await fileAt(path).open();
    try {
      if (file.size < LARGE_BYTES) return false;
      const range = { offset: 0, length: file.size };
      const start = await zlibExpander.start(file, range, NIFTI_HEADER_BYTES);
      return needsNoPass(parseNiftiHeader(start, path));
    } finally {
      file.close();
    }
  } catch {
    return false; // the reader says what is wrong
  }
}

/** Whole numbers in this machine's order, without scaling: neither converted nor searched for NaN. */
function needsNoPass(header: NiftiHeader): boolean {
  const wholeNumbers = [2, 4, 8, 256, 512, 768]; // NIfTI's datatypes of 8 to 32 bits
  return wholeNumbers.includes(header.datatype) && header.littleEndian && isUnscaled(header);
}
