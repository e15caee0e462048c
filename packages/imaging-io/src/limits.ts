/** Deflate cannot expand further: a byte of input gives at most 1032 bytes (zlib technical details). */
export const MAX_DEFLATE_RATIO = 1032;

/**
 * Up to here a compressed file may expand by any ratio: a 512 x 512 x 500 mask saved as float64 is 1 GiB of almost
 * nothing but zeros.
 */
export const MAX_UNQUESTIONED_BYTES = 2 ** 30;

/** Beyond it, real images compress 2-5 fold and sparse masks about 130 fold; more is a bomb. */
export const MAX_LARGE_RATIO = 250;

/** Bytes after the last voxel that are tolerated: some writers pad. */
export const MAX_TRAILING_BYTES = 2 ** 20;

/** NIfTI extensions between header and voxels (TotalSegmentator and others keep label tables there). */
export const MAX_VOXEL_OFFSET = 2 ** 26;

/** What is in memory of one DICOM file at once: a mask, a deflated object, compressed frames; not plain pixels. */
export const MAX_DICOM_FILE_BYTES = 2 ** 31 - 1;

/** A whole-body PET/CT study has 5000; more is the wrong folder. */
export const MAX_DICOM_FILES = 20_000;

/** Folders below the one given: a study has a folder a series; more is the wrong disk. */
export const MAX_FOLDERS = 10_000;

/** The text header of a NRRD or MetaImage file. 3D Slicer writes about 1 kB a segment into it; 1000 segments fit. */
export const MAX_TEXT_HEADER_BYTES = 2 ** 20;

/** One field of such a header: 16 axes of three numbers take 1300 characters. */
export const MAX_TEXT_FIELD = 4096;

/** Pieces of compressed pixels in one object: a frame may be cut into several, and 2000 frames into 64 kB pieces. */
export const MAX_FRAGMENTS = 2 ** 18;

/** Frames of one object: a dynamic enhanced MR of 300 slices and 100 phases has 30,000. */
export const MAX_FRAMES = 2 ** 16;

/** Pixels of one compressed frame, known before it is decoded: a whole mammogram is 4096 x 5625. */
export const MAX_FRAME_PIXELS = 2 ** 26;

/** Up to 2048 x 2048 pixels a frame may be compressed by any ratio (an empty one to 100 bytes): decoding takes 24 MiB. */
export const MAX_UNQUESTIONED_FRAME_PIXELS = 2 ** 22;

/** A deflated DICOM object may be this long whatever its ratio; longer ones up to MAX_LARGE_RATIO. */
export const MAX_UNQUESTIONED_DEFLATED_BYTES = 2 ** 26;

/** Tiles of one JPEG 2000 frame: 64 x 64 tiles of 256 pixels are 16384 x 16384; each costs its decoder set-up. */
export const MAX_TILES = 4096;

/** Quality layers of one JPEG 2000 frame; encoders write 1 to 20, the format allows 65535, each with its own packets. */
export const MAX_QUALITY_LAYERS = 256;

/** Slices a DICOM segmentation may span: the longest scans have 5000, frames that lie farther apart are damaged or hostile. */
export const MAX_SEG_SLICES = 10_000;

/** Voxels a DICOM segmentation may span, given or not: 1024 cubed, as in volume. */
export const MAX_SEG_VOXELS = 2 ** 30;

/** Rows crossed by all edges of a structure set's region: a whole-body contour has 1e7; more is damaged or hostile. */
export const MAX_CROSSINGS = 2 ** 28;

/** Sequences within sequences; structured reports, the deepest objects there are, have about 12. */
export const MAX_SEQUENCE_DEPTH = 32;

/** One text value; the longest are contours, as decimal text: 2^26 bytes are 2 million points. */
export const MAX_TEXT_VALUE = 2 ** 26;

/** Items of all sequences of an object: as many frames as are taken, with eight functional groups each. */
export const MAX_ITEMS = 2 ** 19;

/**
 * A file that itk-wasm reads, and its voxels expanded: its memory ends at 4 GiB, of which it needs four times the voxels.
 */
export const MAX_ITK_BYTES = 2 ** 30;
