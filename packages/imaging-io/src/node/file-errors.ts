import { ImagingError, type ImagingErrorCode } from '../imaging-error.js';

/** Turns what the file system threw into an ImagingError that names the path and carries none of Node's codes. */
export function fileError(error: unknown, path: string, action: 'read' | 'write'): ImagingError {
  if (ImagingError.isInstance(error)) return error;
  const node = (error as { code?: string } | null)?.code;
  const [code, reason]: [ImagingErrorCode, string] =
    node === 'ENOENT' || node === 'ENOTDIR'
      ? ['NOT_FOUND', action === 'read' ? 'does not exist' : 'cannot be written: its folder does not exist']
      : [
          action === 'read' ? 'NOT_READABLE' : 'NOT_WRITABLE',
          `cannot be ${action === 'read' ? 'read' : 'written'}: ${explain(node)}`,
        ];
  return new ImagingError({ code, message: `${path} ${reason}` });
}

function explain(node: string | undefined): string {
  switch (node) {
    case 'EACCES':
    case 'EPERM':
      return 'no permission';
    case 'EISDIR':
      return 'it is a folder';
    case 'ENOSPC':
      return 'the disk is full';
    case 'EROFS':
      return 'the disk is read-only';
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open';
    default:
      return 'the file system refused';
  }
}
