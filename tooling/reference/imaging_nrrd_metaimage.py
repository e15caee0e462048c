"""NRRD and MetaImage files written by SimpleITK, and what SimpleITK reads from them, for @onco-response/imaging-io.

Run: python tooling/reference/imaging_nrrd_metaimage.py
Also headers that SimpleITK does not write itself (big endian, RAS, list axes, spacings only, detached data), whose
values and geometry SimpleITK gives too. Files are base64; everything is synthetic.
"""
import base64
import gzip
import json
import tempfile
import zlib
from pathlib import Path

import numpy as np
import SimpleITK as sitk

OUT = Path(__file__).parents[2] / "packages/imaging-io/src/__fixtures__/nrrd-metaimage.json"
rng = np.random.default_rng(11)
SIZE = (5, 4, 3)
cases = []


def b64(data):
    return base64.b64encode(data).decode()


def oblique(degrees=(10, -7, 20), flip=(1, 1, 1)):
    a, b, c = np.deg2rad(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rx @ ry @ rz @ np.diag(flip)


def image(dtype, flip=(1, 1, 1)):
    low = 0 if dtype.startswith("u") else -100
    array = rng.integers(low, 100, SIZE[::-1]).astype(dtype)
    if dtype.startswith("float"):
        array = (array * 1.0625).astype(dtype)
    made = sitk.GetImageFromArray(array)
    made.SetSpacing((0.75, 0.5, 2.5))
    made.SetOrigin((-40.5, 33.25, 12.0))
    made.SetDirection(oblique(flip=flip).ravel())
    return made


def record(name, folder, file, data_file=None):
    """What SimpleITK reads from the file, beside the file itself."""
    read = sitk.ReadImage(str(folder / file))
    array = sitk.GetArrayFromImage(read)
    if read.GetDimension() == 4:  # an axis of size 1
        raise SystemExit(f"{name}: give its geometry by hand")
    cases.append(
        {
            "name": name,
            "ending": Path(file).suffix,
            "file": b64((folder / file).read_bytes()),
            **({"dataName": data_file, "dataFile": b64((folder / data_file).read_bytes())} if data_file else {}),
            "type": str(array.dtype),
            "size": list(read.GetSize()),
            "spacing": list(read.GetSpacing()),
            "origin": list(read.GetOrigin()),
            "direction": list(read.GetDirection()),
            "values": array.astype(float).ravel().tolist(),
        }
    )


with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary)
    for dtype in ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"]:
        made = image(dtype)
        for ending in ["nrrd", "mha"]:
            compress = dtype in ("int16", "uint8", "float32")
            sitk.WriteImage(made, str(folder / f"{dtype}.{ending}"), compress)
            record(f"{dtype} {ending}{' compressed' if compress else ''}", folder, f"{dtype}.{ending}")
    flipped = image("int16", flip=(1, -1, 1))
    for ending, data in [("nrrd", None), ("mha", None), ("nhdr", "raw"), ("mhd", "raw")]:
        sitk.WriteImage(flipped, str(folder / f"flipped.{ending}"), False)
        record(f"flipped {ending} raw", folder, f"flipped.{ending}", data and f"flipped.{data}")
    for ending, data in [("nhdr", "raw.gz"), ("mhd", "zraw")]:
        sitk.WriteImage(flipped, str(folder / f"packed.{ending}"), True)
        record(f"detached {ending} compressed", folder, f"packed.{ending}", f"packed.{data}")

    # headers of other writers over the same voxels
    voxels = sitk.GetArrayFromImage(flipped)
    little, big = voxels.astype("<i2").tobytes(), voxels.astype(">i2").tobytes()
    AXES = "space directions: (0.7,0.1,0) (-0.05,0.35,0) (0,0,2.5)\nspace origin: (-40.5, 33.25 , 12)\n"

    def nrrd(name, text, data, magic="NRRD0005", ending="nrrd", data_file=None):
        file = f"{name.replace(' ', '-').replace('/', '-')}.{ending}"
        (folder / file).write_bytes(f"{magic}\n{text}".encode() + (b"" if data_file else b"\n" + data))
        if data_file:
            (folder / data_file).write_bytes(data)
        record(name, folder, file, data_file)

    base = "type: short\ndimension: 3\nsizes: 5 4 3\nencoding: raw\nendian: little\n"
    nrrd("nrrd big endian gzip", base.replace("little", "big").replace("raw", "gz") + "space: LPS\n" + AXES, gzip.compress(big))
    nrrd("nrrd RAS", base + "space: right-anterior-superior\n" + AXES, little)
    nrrd("nrrd LAS", base + "space: left-anterior-superior\n" + AXES, little)
    nrrd("nrrd spacings only", base + "spacings: 0.75 0.5 2.5\n", little, "NRRD0001")
    nrrd("nrrd notes and comments", "# a comment\nSegment0_Name:=tumour\n" + base + "space: RAS\nkinds: domain domain domain\n" + AXES + 'space units: "mm" "mm" "mm"\n', little)
    nrrd("nhdr line and byte skip", base + "space: RAS\n" + AXES + "line skip: 2\nbyte skip: 3\ndata file: skip.raw\n", b"one\ntwo\nxyz" + little, ending="nhdr", data_file="skip.raw")
    nrrd("nhdr last bytes", base + "space: RAS\n" + AXES + "byte skip: -1\ndata file: last.raw\n", b"anything" + little, ending="nhdr", data_file="last.raw")

    def meta(name, text, data, ending="mha", data_file=None):
        file = f"{name.replace(' ', '-')}.{ending}"
        (folder / file).write_bytes(text.encode() + (b"" if data_file else data))
        if data_file:
            (folder / data_file).write_bytes(data)
        record(name, folder, file, data_file)

    # without CompressedDataSize SimpleITK prints "Uncompress failed" and returns other memory
    matrix = " ".join(str(v) for v in oblique((25, 5, -12)).T.ravel())
    top = f"ObjectType = Image\nNDims = 3\nBinaryData = True\nTransformMatrix = {matrix}\nDimSize = 5 4 3\nElementType = MET_SHORT\n"
    meta("mha big endian", top + "BinaryDataByteOrderMSB = True\nPosition = 1 2 3\nElementSpacing = 0.7 0.8 3\nElementDataFile = LOCAL\n", big)
    meta("mha ElementByteOrderMSB zlib", top + f"ElementByteOrderMSB = True\nCompressedData = True\nCompressedDataSize = {len(zlib.compress(big))}\nOrigin = 1 2 3\nElementSpacing = 0.7 0.8 3\nElementDataFile = LOCAL\n", zlib.compress(big))
    meta("mha ElementSize", top + "Offset = 1 2 3\nElementSize = 0.7 0.8 3\nElementDataFile = LOCAL\n", little)
    meta("mhd HeaderSize", top + "Offset = 1 2 3\nElementSpacing = 0.7 0.8 3\nHeaderSize = 7\nElementDataFile = head.raw\n", b"1234567" + little, "mhd", "head.raw")
    meta("mhd HeaderSize -1", top + "Offset = 1 2 3\nElementSpacing = 0.7 0.8 3\nHeaderSize = -1\nElementDataFile = tail.raw\n", b"12345" + little, "mhd", "tail.raw")
    meta("mha MET_LONG", (top + "Offset = 1 2 3\nElementSpacing = 0.7 0.8 3\nElementDataFile = LOCAL\n").replace("MET_SHORT", "MET_LONG"), voxels.astype("<i4").tobytes())

OUT.write_text(json.dumps({"simpleitk": sitk.Version_VersionString(), "cases": cases}))
print(len(cases), "cases,", OUT.stat().st_size, "bytes")
