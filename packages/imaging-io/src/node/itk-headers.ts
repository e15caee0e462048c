import type { ByteSource } from '../byte-source.js';
import { refuse } from '../text-header.js';

/** A format that itk-wasm reads. */
export interface ItkFormat {
  readonly names: RegExp;
  readonly reader:
    | 'giplReadImageNode'
    | 'hdf5ReadImageNode'
    | 'mghReadImageNode'
    | 'mincReadImageNode'
    | 'vtkReadImageNode';
  /**
   * Where the voxels begin, from the first (expanded) bytes; undefined where the format's own library refuses a file
   * that is cut off. Refuses what ITK passes over.
   */
  voxelOffset(start: Uint8Array, name: string): number | undefined;
  /** What ITK passes over and only the bytes of the file say. */
  check?(source: ByteSource): Promise<void>;
  /** Its coordinates are RAS, which ITK hands over as they are. */
  readonly ras?: boolean;
  /** It knows no orientation: ITK takes its axes for LPS. */
  readonly unoriented?: boolean;
}

/** First bytes of a file that hold the header of any format here that has one of fixed length or as text. */
export const ITK_START_BYTES = 2048;

const MGH_HEADER_BYTES = 284;
const GIPL_HEADER_BYTES = 256;
const GIPL_MAGIC = 0xefffe9b0;

/** What of VTK's legacy text is read, in the order in which all writers put it; `long` has no certain length. */
const VTK_HEADER =
  /^# vtk DataFile Version \d\.\d\r?\n[^\n]*\nBINARY\s*\nDATASET STRUCTURED_POINTS\s*\n(?:(?:DIMENSIONS|SPACING|ASPECT_RATIO|ORIGIN)[-+.\de \t]+\r?\n){3}POINT_DATA \d+\s*\nSCALARS \S+ (?:(?:unsigned_)?(?:char|short|int)|float|double)(?: 1)?[ \t]*\r?\nLOOKUP_TABLE default[ \t]*\r?\n/i;

/** Formats whose voxels and geometry were compared with another reader, or with what a file was made of. */
export const ITK_FORMATS: readonly ItkFormat[] = [
  { names: /\.(mgh|mgz|mgh\.gz)$/i, reader: 'mghReadImageNode', voxelOffset: mghOffset },
  {
    names: /\.(mnc|mnc2)$/i,
    reader: 'mincReadImageNode',
    voxelOffset: () => undefined,
    check: refuseIrregular,
    ras: true,
  },
  { names: /\.(gipl|gipl\.gz)$/i, reader: 'giplReadImageNode', voxelOffset: giplOffset, unoriented: true },
  { names: /\.vtk$/i, reader: 'vtkReadImageNode', voxelOffset: vtkOffset, unoriented: true },
  { names: /\.(h5|hdf5)$/i, reader: 'hdf5ReadImageNode', voxelOffset: () => undefined },
];

/** FreeSurfer, https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat */
function mghOffset(start: Uint8Array, name: string): number {
  const view = headerView(start, MGH_HEADER_BYTES, name);
  if (view.getInt32(0) !== 1) refuse('MALFORMED', `${name} is no MGH file: its first number is not 1`);
  if (view.getInt16(28) !== 1) {
    refuse(
      'UNSUPPORTED',
      `${name} says nothing about orientation (goodRASFlag is not 1): save it with its geometry`,
    );
  }
  return MGH_HEADER_BYTES;
}

/** Bytes searched at once. */
const PIECE_BYTES = 2 ** 24;

/** MINC's dimensions say `regular__` or `irregular`; the positions of irregular slices ITK does not read. */
async function refuseIrregular({ name, size, read }: ByteSource): Promise<void> {
  const word = 'irregular';
  for (let start = 0; start < size; start += PIECE_BYTES) {
    const piece = await read(start, Math.min(PIECE_BYTES + word.length - 1, size - start));
    if (Buffer.from(piece.buffer, piece.byteOffset, piece.length).includes(word)) {
      refuse(
        'UNSUPPORTED',
        `${name} has irregularly spaced slices: resample it to even spacing and save it as .nii.gz`,
      );
    }
  }
}

/** Guy's Image Processing Lab; matrix and scaling are fields that ITK neither reads nor writes. */
function giplOffset(start: Uint8Array, name: string): number {
  const view = headerView(start, GIPL_HEADER_BYTES, name);
  if (view.getUint32(252) !== GIPL_MAGIC)
    refuse('MALFORMED', `${name} is no GIPL file: its magic number is another`);
  const scale = view.getFloat32(240);
  if (view.getFloat32(236) !== 0 || (scale !== 0 && scale !== 1)) {
    refuse('UNSUPPORTED', `${name} scales its voxels: save it as .nii.gz`);
  }
  if (start.subarray(106, 187).some((byte) => byte !== 0)) {
    refuse(
      'UNSUPPORTED',
      `${name} has an orientation, which is not read from this format: save it as .nii.gz`,
    );
  }
  return GIPL_HEADER_BYTES;
}

/** https://docs.vtk.org/en/latest/vtk_file_formats/vtk_legacy_file_format.html */
function vtkOffset(start: Uint8Array, name: string): number {
  const text = String.fromCharCode(...start);
  if (!text.startsWith('# vtk DataFile')) refuse('MALFORMED', `${name} is no legacy VTK file`);
  const header = VTK_HEADER.exec(text);
  if (header === null) {
    refuse(
      'UNSUPPORTED',
      `${name}: of VTK, binary STRUCTURED_POINTS with DIMENSIONS, SPACING, ORIGIN and one of SCALARS (char to int, float, double) are read; save it as .nii.gz`,
    );
  }
  return header[0].length;
}

function headerView(start: Uint8Array, length: number, name: string): DataView {
  if (start.length < length) refuse('TRUNCATED', `${name} ends inside its header: copy or download it again`);
  return new DataView(start.buffer, start.byteOffset, start.byteLength);
}
