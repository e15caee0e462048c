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

/** A DICOM object in memory at once; an enhanced multi-frame CT of 2000 slices is 1 GiB. */
export const MAX_DICOM_FILE_BYTES = 2 ** 31 - 1;

/** A whole-body PET/CT study has 5000; more is the wrong folder. */
export const MAX_DICOM_FILES = 20_000;

/** The text header of a NRRD or MetaImage file. 3D Slicer writes about 1 kB a segment into it; 1000 segments fit. */
export const MAX_TEXT_HEADER_BYTES = 2 ** 20;

/** One field of such a header: 16 axes of three numbers take 1300 characters. */
export const MAX_TEXT_FIELD = 4096;
