"""Small files written by other tools, and what they hold, for @onco-response/imaging-io.

Run: python tooling/reference/imaging_goldens.py
nibabel writes NIfTI variants (nifti.json), pydicom (with pylibjpeg-openjpeg and pyjpegls) DICOM series in several
transfer syntaxes (dicom.json). Files are base64; everything is synthetic.
"""
import base64
import gzip
import io
import json
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

OUT = Path(__file__).parents[2] / "packages/imaging-io/src/__fixtures__"
rng = np.random.default_rng(7)
COMPRESSED = (RLELossless, JPEG2000Lossless, JPEGLSLossless)


def b64(data):
    return base64.b64encode(data).decode()


def rotation(degrees):
    a, b, c = np.deg2rad(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rx @ ry @ rz


def affine(degrees=(10, -7, 20), spacing=(0.75, 0.5, 2.5), origin=(-40.5, 33.25, 12.0), flip=(1, 1, 1)):
    m = np.eye(4)
    m[:3, :3] = rotation(degrees) @ np.diag(np.array(spacing) * flip)
    m[:3, 3] = origin
    return m


def nifti():
    shape = (5, 4, 3)
    cases = []

    def add(name, image, bytes_=None, **expected):
        data = bytes_ if bytes_ is not None else image.to_bytes()
        # read again by nibabel: the reference
        again = type(image).from_bytes(data)
        values = np.asanyarray(again.dataobj)
        cases.append(
            {
                "name": name,
                "file": b64(data),
                "affine": again.affine.ravel().tolist(),
                "size": list(values.shape[:3]),
                "values": values.astype(float).ravel(order="F").tolist(),
                **expected,
            }
        )

    for code in ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"]:
        low = 0 if code.startswith("u") else -100
        data = rng.integers(low, 100, shape).astype(code)
        add(code, nib.Nifti1Image(data, affine(), dtype=code), type=code)
    data = rng.integers(-1000, 1000, shape).astype(np.int16)
    for endian in ["<", ">"]:
        for cls in [nib.Nifti1Image, nib.Nifti2Image]:
            header = cls.header_class(endianness=endian)
            header.set_data_dtype(np.int16)
            add(f"{cls.__name__} {endian}", cls(data, affine(), header))

    scaled = nib.Nifti1Image(data, affine())
    scaled.header.set_slope_inter(0.5, -3)
    raw = bytearray(nib.Nifti1Image(data, affine()).to_bytes())
    struct.pack_into("<ff", raw, 112, 0.5, -3.0)
    add("slope 0.5, intercept -3", scaled, bytes(raw))
    struct.pack_into("<ff", raw, 112, 0.0, 7.0)
    add("slope 0: intercept ignored", scaled, bytes(raw))
    struct.pack_into("<ff", raw, 112, float("nan"), float("nan"))
    add("slope NaN", scaled, bytes(raw))

    for name, flip in [("right-handed", (1, 1, 1)), ("left-handed", (1, 1, -1)), ("x and y back", (-1, -1, 1))]:
        image = nib.Nifti1Image(data, affine(flip=flip))
        image.set_sform(None, 0)
        image.set_qform(affine(flip=flip), 1)
        add(f"qform only, {name}", image)
    both = nib.Nifti1Image(data, affine())
    both.set_qform(affine((0, 0, 0), (1, 1, 1), (1, 2, 3)), 1)
    both.set_sform(affine(), 2)
    add("sform before qform", both)
    for degrees in [(180, 0, 0), (0, 180, 0), (0, 0, 180), (90, 0, 90)]:
        turned = nib.Nifti1Image(data, affine(degrees))
        turned.set_sform(None, 0)
        turned.set_qform(affine(degrees), 1)
        add(f"qform turned by {degrees}", turned)
    add("one time point", nib.Nifti1Image(data[..., None], affine()))
    extended = nib.Nifti1Image(data, affine())
    extended.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 100))
    add("header extension", extended)
    plain = nib.Nifti1Image(data, affine())
    raw = plain.to_bytes()
    add("gzip", plain, raw)
    cases[-1]["file"] = b64(gzip.compress(raw, mtime=0))
    cases.append(dict(cases[-1], name="gzip in two members", file=b64(gzip.compress(raw[:200], mtime=0) + gzip.compress(raw[200:], mtime=0))))
    # metres and micrometres, with the affine given in them
    for unit, factor in [("meter", 1000.0), ("micron", 0.001)]:
        m = affine()
        m[:3] /= factor
        image = nib.Nifti1Image(data, m)
        image.header.set_xyzt_units(xyz=unit)
        add(unit, image)
        cases[-1]["affine"] = affine().ravel().tolist()

    sheared = affine()
    sheared[0, 1] += 0.2
    refused = [
        {"name": "two time points", "code": "UNSUPPORTED", "file": b64(nib.Nifti1Image(np.stack([data, data], -1), affine()).to_bytes())},
        {"name": "sheared sform", "code": "UNSUPPORTED", "file": b64(nib.Nifti1Image(data, sheared).to_bytes())},
        {"name": "complex", "code": "UNSUPPORTED", "file": b64(nib.Nifti1Image(data.astype(np.complex64), affine()).to_bytes())},
    ]
    (OUT / "nifti.json").write_text(json.dumps({"nibabel": nib.__version__, "cases": cases, "refused": refused}))


def dicom_file(pixels, z, *, syntax=ExplicitVRLittleEndian, slope=1, intercept=-1024, uid="1.2.3.4", signed=0, bits=12):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = f"{uid}.{round(z * 10) + 1000}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax in COMPRESSED else syntax
    ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    ds.SeriesInstanceUID = uid
    ds.StudyInstanceUID = "1.2.3"
    ds.Modality = "CT"
    ds.PatientName = "Doe^Jane"
    ds.PatientID = "SECRET"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.Rows, ds.Columns = pixels.shape
    ds.PixelSpacing = [0.5, 0.75]
    ds.ImagePositionPatient = [10, -20, z]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, bits, bits - 1, signed
    ds.RescaleSlope, ds.RescaleIntercept = slope, intercept
    big = syntax == ExplicitVRBigEndian
    ds.PixelData = pixels.astype(">u2" if big else "<u2").tobytes()
    ds["PixelData"].VR = "OW"
    if syntax in COMPRESSED:
        ds.compress(syntax, generate_instance_uid=False)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


def dicom():
    # OpenJPEG's default of six resolutions needs 32 pixels; low noise compresses well
    stored = [900 + np.add.outer(20 * np.arange(32), 30 * np.arange(34)) + rng.integers(0, 8, (32, 34)) for _ in range(3)]
    heights = [-3.5, -1.0, 1.5]
    values = np.stack(stored) - 1024
    series = []
    for name, syntax in [
        ("explicit little endian", ExplicitVRLittleEndian),
        ("implicit little endian", ImplicitVRLittleEndian),
        ("explicit big endian", ExplicitVRBigEndian),
        ("deflated", DeflatedExplicitVRLittleEndian),
        ("RLE", RLELossless),
        ("JPEG 2000", JPEG2000Lossless),
        ("JPEG-LS", JPEGLSLossless),
    ]:
        # the files stand in no order
        files = [b64(dicom_file(stored[i], heights[i], syntax=syntax)) for i in (2, 0, 1)]
        series.append({"name": name, "files": files, "values": "plain"})
    slopes = [1, 2, 3]
    scaled = np.stack([p * s - 10 * i for i, (p, s) in enumerate(zip(stored, slopes))])
    for name, syntax in [("slope per slice", ExplicitVRLittleEndian), ("slope per slice, RLE", RLELossless)]:
        files = [b64(dicom_file(p, z, syntax=syntax, slope=s, intercept=-10 * i)) for i, (p, z, s) in enumerate(zip(stored, heights, slopes))]
        series.append({"name": name, "files": files, "values": "scaled"})
    (OUT / "dicom.json").write_text(json.dumps({"pydicom": pydicom.__version__, "heights": heights, "plain": values.ravel().tolist(), "scaled": scaled.ravel().tolist(), "series": series}))


nifti()
dicom()
for path in sorted(OUT.glob("*.json")):
    print(path, path.stat().st_size)
