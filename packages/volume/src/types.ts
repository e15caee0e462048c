/** Three numbers along x, y, z. */
export type Vec3 = readonly [number, number, number];

/** A 3x3 matrix, row-major. */
export type Mat3 = readonly [number, number, number, number, number, number, number, number, number];

/** The voxel types a volume can hold. */
export type VoxelArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** Where the voxels of a volume lie in physical space (mm, LPS: x to the left, y to the back, z to the head). */
export interface Grid {
  /** Voxels along each axis. */
  readonly size: Vec3;
  /** Distance of neighbouring voxel centres along each axis, in mm. */
  readonly spacing: Vec3;
  /** Physical position of the centre of voxel (0, 0, 0), in mm. */
  readonly origin: Vec3;
  /** Row-major; its columns are the directions of the voxel axes. */
  readonly direction: Mat3;
}

/** An image: voxel (i, j, k) is `data[i + size[0] * (j + size[1] * k)]`. */
export interface Volume<T extends VoxelArray = VoxelArray> extends Grid {
  readonly data: T;
}

/** A label image: 0 is background, n is label n. */
export type Mask = Volume<Uint8Array>;

/** A box of voxels; both corners belong to it. */
export interface Box {
  readonly minimum: Vec3;
  readonly maximum: Vec3;
}
