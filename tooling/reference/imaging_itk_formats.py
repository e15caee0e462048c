"""Files of the formats that @onco-response/imaging-io reads by itk-wasm, and what is in them.

Run: python tooling/reference/imaging_itk_formats.py   (SimpleITK, nibabel, h5py)
The reference is another reader than ITK wherever there is one: nibabel for MGH and MINC (ITK takes MINC's RAS for LPS),
h5py for ITK's HDF5. GIPL and VTK are written here from their descriptions, so that the truth is what was written, and
SimpleITK has to agree. Everything is synthetic.
"""
import base64
import gzip
import json
import shutil
import struct
import tempfile
import zlib
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
import SimpleITK as sitk

OUT = Path(__file__).parents[2] / "packages/imaging-io/src/__fixtures__/itk-formats.json"
rng = np.random.default_rng(29)
SIZE = (5, 4, 3)
SPACING = (0.75, 0.5, 2.5)
ORIGIN = (-40.5, 33.25, 12.0)
RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
cases = []


def oblique(degrees=(10, -7, 20)):
    a, b, c = np.deg2rad(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rx @ ry @ rz


def voxels(dtype):
    low = 0 if np.dtype(dtype).kind == "u" else -100
    array = rng.integers(low, 100, SIZE[::-1])  # z, y, x
    return (array * 1.0625 if np.dtype(dtype).kind == "f" else array).astype(dtype)


def record(path, array, affine, reads=True, dtype=None):
    """array: z, y, x; affine: x, y, z to LPS mm. Where `reads` is false the file has to be refused."""
    columns = np.asarray(affine)[:3, :3]
    spacing = np.linalg.norm(columns, axis=0)
    cases.append(
        {
            "file": path.name,
            "bytes": base64.b64encode(zlib.compress(path.read_bytes(), 9)).decode(),
            **(
                {
                    "type": dtype or array.dtype.name,
                    "size": list(array.shape[::-1]),
                    "spacing": spacing.tolist(),
                    "origin": np.asarray(affine)[:3, 3].tolist(),
                    "direction": (columns / spacing).ravel().tolist(),
                    "values": array.astype("float64").ravel().tolist(),
                }
                if reads
                else {}
            ),
        }
    )


def affine(direction):
    made = np.eye(4)
    made[:3, :3] = direction * np.array(SPACING)
    made[:3, 3] = ORIGIN
    return made


def agrees(path, array, in_lps):
    read = sitk.ReadImage(str(path))
    assert (sitk.GetArrayFromImage(read) == array).all(), path
    assert np.allclose(read.GetOrigin(), in_lps[:3, 3]) and np.allclose(read.GetSpacing(), SPACING), path
    assert np.allclose(np.reshape(read.GetDirection(), (3, 3)) * SPACING, in_lps[:3, :3]), path


def mgh(folder):
    for dtype in ("uint8", "int16", "int32", "float32"):
        for ending in ("mgh", "mgz"):
            path = folder / f"{dtype}.{ending}"
            nib.save(nib.MGHImage(voxels(dtype).T, RAS @ affine(oblique())), path)
            read = nib.load(path)
            record(path, np.asanyarray(read.dataobj).T, RAS @ read.affine)
    twice = folder / "int16.mgh.gz"
    twice.write_bytes(gzip.compress((folder / "int16.mgh").read_bytes(), mtime=0))
    read = nib.load(folder / "int16.mgh")
    record(twice, np.asanyarray(read.dataobj).T, RAS @ read.affine)
    left = folder / "reflected.mgz"
    nib.save(nib.MGHImage(voxels("int16").T, RAS @ affine(oblique() @ np.diag([-1, 1, 1]))), left)
    read = nib.load(left)
    record(left, np.asanyarray(read.dataobj).T, RAS @ read.affine)
    several = folder / "frames.mgh"
    nib.save(nib.MGHImage(rng.integers(0, 99, (*SIZE, 2)).astype("int16"), np.eye(4)), several)
    record(several, None, np.eye(4), reads=False)
    unknown = folder / "unoriented.mgh"
    content = bytearray((folder / "int16.mgh").read_bytes())
    content[28:30] = b"\0\0"
    unknown.write_bytes(content)
    record(unknown, None, np.eye(4), reads=False)
    sheared = folder / "sheared.mgh"
    content = bytearray((folder / "int16.mgh").read_bytes())
    content[42:46] = struct.pack(">f", 0.5)
    sheared.write_bytes(content)
    record(sheared, None, np.eye(4), reads=False)


def minc(folder):
    def written(name, dtype, edit=lambda file: None):
        image = sitk.GetImageFromArray(voxels(dtype))
        image.SetSpacing(SPACING)
        image.SetOrigin(ORIGIN)
        image.SetDirection(oblique().ravel())
        path = folder / name
        sitk.WriteImage(image, str(path))
        with h5py.File(path, "r+") as file:
            edit(file["minc-2.0"])
        return path

    def ranges(low, high, valid):
        def edit(file):
            group = file["image/0"]
            for name, values in (("image-min", low), ("image-max", high)):
                attributes = dict(group[name].attrs)
                del group[name]
                made = group.create_dataset(name, data=np.array(values, dtype="float64"))
                made.attrs.update(attributes)
                if np.ndim(values):
                    made.attrs["dimorder"] = np.bytes_(b"zspace")
            group["image"].attrs["valid_range"] = np.array(valid, dtype="float64")

        return edit

    def backwards(file):
        for axis in ("xspace", "zspace"):
            file["dimensions"][axis].attrs["step"] *= -1

    def sagittal(file):
        # voxels in the order x, z, y
        image = file["image/0/image"]
        attributes, array = dict(image.attrs), image[...].transpose(2, 0, 1)
        del file["image/0/image"]
        image = file["image/0"].create_dataset("image", data=array, chunks=array.shape, compression="gzip")
        image.attrs.update(attributes)
        image.attrs["dimorder"] = np.bytes_(b"xspace,zspace,yspace")

    for name, dtype, edit, out in (
        ("uint8.mnc", "uint8", lambda file: None, "uint8"),
        ("int16.mnc", "int16", lambda file: None, "int16"),
        ("float32.mnc2", "float32", lambda file: None, "float32"),
        ("scaled.mnc", "int16", ranges(0, 10, (-100, 100)), "float32"),
        ("scaled-slices.mnc", "int16", ranges([-10, -20, 0], [100, 50, 7.5], (-32768, 32767)), "float32"),
        ("backwards.mnc", "int16", backwards, "int16"),
        ("sagittal.mnc", "int16", sagittal, "int16"),
    ):
        path = written(name, dtype, edit)
        known = shutil.copy(path, folder / f"nibabel-{path.stem}.mnc")  # which knows no .mnc2
        read = nib.load(known)
        with h5py.File(path) as file:
            order = file["minc-2.0/image/0/image"].attrs["dimorder"].decode().split(",")
        axes = [order.index(axis) for axis in ("xspace", "yspace", "zspace")]
        array, to_lps = np.asanyarray(read.dataobj).transpose(axes), (RAS @ read.affine)[:, [*axes, 3]]
        if name == "backwards.mnc":  # libminc turns axes to run forwards: the same voxels at the same places
            for axis in (0, 2):
                to_lps[:, 3] += to_lps[:, axis] * (SIZE[axis] - 1)
                to_lps[:, axis] *= -1
                array = np.flip(array, axis)
        record(path, array.T, to_lps, dtype=out)

    def irregular(file):
        file["dimensions/zspace"].attrs["spacing"] = np.bytes_(b"irregular")

    record(written("irregular.mnc", "int16", irregular), None, np.eye(4), reads=False)


def gipl(folder):
    types = {"int8": 7, "uint8": 8, "int16": 15, "uint16": 16, "float32": 64, "float64": 65}
    in_lps = affine(np.eye(3))

    def header(dtype, matrix=b"", scale=0.0):
        return b"".join(
            [
                struct.pack(">4HH4f", *SIZE, 1, types[dtype], *SPACING, 1),
                b"SECRET^DOE".ljust(80, b"\0"),
                matrix.ljust(80, b"\0"),
                struct.pack(">BBdd4d", 0, 0, 0, 0, *ORIGIN, 0),
                struct.pack(">ffffI", 0, scale, 0, 0, 0xEFFFE9B0),
            ]
        )

    for dtype in types:
        array = voxels(dtype)
        path = folder / f"{dtype}.gipl"
        path.write_bytes(header(dtype) + array.astype(array.dtype.newbyteorder(">")).tobytes())
        agrees(path, array, in_lps)
        record(path, array, in_lps)
    packed = folder / "float64.gipl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    agrees(packed, array, in_lps)
    record(packed, array, in_lps)
    for name, made in (
        ("oriented.gipl", header("uint8", struct.pack(">3f", 1, 0, 0))),
        ("scaled.gipl", header("uint8", scale=2.0)),
    ):
        path = folder / name
        path.write_bytes(made + voxels("uint8").tobytes())
        record(path, None, np.eye(4), reads=False)


def vtk(folder):
    types = {
        "uint8": "unsigned_char",
        "int16": "short",
        "uint16": "unsigned_short",
        "int32": "int",
        "uint32": "unsigned_int",
        "float32": "float",
        "float64": "double",
    }
    in_lps = affine(np.eye(3))

    def text(kind, scalars, mode="BINARY", dataset="STRUCTURED_POINTS"):
        return (
            f"# vtk DataFile Version 3.0\nSECRET^DOE 19010203\n{mode}\nDATASET {dataset}\n"
            f"DIMENSIONS {' '.join(map(str, SIZE))}\nSPACING {' '.join(map(str, SPACING))}\n"
            f"ORIGIN {' '.join(map(str, ORIGIN))}\nPOINT_DATA {np.prod(SIZE)}\n"
            f"SCALARS {scalars} {kind} 1\nLOOKUP_TABLE default\n"
        ).encode()

    for dtype, kind in types.items():
        array = voxels(dtype)
        path = folder / f"{dtype}.vtk"
        path.write_bytes(text(kind, "image") + array.astype(array.dtype.newbyteorder(">")).tobytes())
        agrees(path, array, in_lps)
        record(path, array, in_lps)
    for name, head, body in (
        ("text.vtk", text("short", "image", mode="ASCII"), b"1 " * 60),
        ("long.vtk", text("long", "image"), bytes(480)),
        ("grid.vtk", text("short", "image", dataset="RECTILINEAR_GRID"), bytes(120)),
    ):
        path = folder / name
        path.write_bytes(head + body)
        record(path, None, np.eye(4), reads=False)


def hdf5(folder):
    for dtype in ("uint8", "int16", "int32", "float32", "float64"):
        array = voxels(dtype)
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(SPACING)
        image.SetOrigin(ORIGIN)
        image.SetDirection(oblique().ravel())
        path = folder / f"{dtype}.{'hdf5' if dtype == 'int16' else 'h5'}"
        sitk.WriteImage(image, str(path))
        with h5py.File(path) as file:
            read = file["ITKImage/0"]
            assert (read["VoxelData"][...] == array).all() and np.allclose(read["Origin"], ORIGIN)
            assert np.allclose(read["Spacing"], SPACING) and np.allclose(read["Directions"], oblique().T)
        agrees(path, array, affine(oblique()))
        record(path, array, affine(oblique()))
    other = folder / "other.h5"
    with h5py.File(other, "w") as file:
        file["volume"] = voxels("int16")
    record(other, None, np.eye(4), reads=False)
    huge = folder / "huge.h5"
    shutil.copy(folder / "int16.hdf5", huge)
    with h5py.File(huge, "r+") as file:
        group = file["ITKImage/0"]
        del group["VoxelData"], group["Dimension"]
        group.create_dataset("VoxelData", (900, 900, 900), "int16", chunks=(64, 64, 64), compression="gzip")
        group["Dimension"] = np.array([900, 900, 900], dtype="uint64")
    record(huge, None, np.eye(4), reads=False)


def main():
    with tempfile.TemporaryDirectory() as folder:
        for write in (mgh, minc, gipl, vtk, hdf5):
            write(Path(folder))
    OUT.write_text(json.dumps(cases, indent=0) + "\n")
    print(len(cases), "files,", OUT.stat().st_size, "bytes")


main()
