"""One small image of each kind of input that @onco-response/imaging-io reads, and what the reference reads in it.

Run: python tooling/reference/imaging_input_kinds.py [SHARED_DATA]
needs numpy SimpleITK nibabel pydicom pylibjpeg-libjpeg pylibjpeg-openjpeg pyjpegls python-gdcm imagecodecs
Files come from pydicom, GDCM, imagecodecs (OpenJPEG, OpenJPH, liblj92), pyjpegls, nibabel and SimpleITK. The reference is
SimpleITK; where it is known to be wrong (policies: MONOCHROME1 inverted, one PET slope for all slices, enhanced frames in
no order, NIfTI-2) or cannot read the file (HTJ2K, raw frames) pydicom or nibabel. The script prints where SimpleITK
differs. All pixels are synthetic; patient attributes hold the word SECRET, which no message may show.
"""
import base64
import gzip
import hashlib
import io
import json
import struct
import sys
import tempfile
import zlib
from pathlib import Path

import gdcm
import imagecodecs
import nibabel as nib
import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage, DeflatedExplicitVRLittleEndian, EnhancedCTImageStorage, EnhancedMRImageStorage, ExplicitVRBigEndian,
    ExplicitVRLittleEndian, HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL, ImplicitVRLittleEndian, JPEG2000, JPEG2000Lossless,
    JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless,
    MRImageStorage, PositronEmissionTomographyImageStorage, RLELossless,
)

sitk.ProcessObject.GlobalWarningDisplayOff()
OUT = Path(__file__).parents[2] / "packages/imaging-io/src/__fixtures__/input-kinds.json"
rng = np.random.default_rng(11)
ROWS, COLUMNS, PLANES = 18, 20, 4
kinds = []


def b64(data):
    return base64.b64encode(data).decode()


def digest(values):
    """sha256 of the voxels, x fastest, as little-endian float64: whatever type they are stored in."""
    return hashlib.sha256(np.ascontiguousarray(values, "<f8").tobytes()).hexdigest()


def geometry(image):
    return {
        "size": list(image.GetSize()),
        "spacing": list(image.GetSpacing()),
        "origin": list(image.GetOrigin()),
        "direction": list(image.GetDirection()),
    }


def add(name, files, *, open_="", kind, truth=None, grid=None, reference="SimpleITK", kept=None, dtype=None, rename=None):
    """files: {path: bytes}; truth, grid: from elsewhere than SimpleITK; kept: files in slice order."""
    note = ""
    with tempfile.TemporaryDirectory() as folder:
        for path, data in files.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        try:
            if kept is None:
                image = sitk.ReadImage(str(Path(folder, open_)))
            else:
                reader = sitk.ImageSeriesReader()
                reader.SetFileNames([str(Path(folder, path)) for path in kept])
                image = reader.Execute()
            values, found = sitk.GetArrayFromImage(image), geometry(image)
            if truth is None:
                truth = values
            elif digest(values) != digest(truth):
                note = f"SimpleITK: other voxels (max {np.abs(values.astype(float) - truth).max() if values.shape == truth.shape else values.shape})"
            if grid is None:
                grid = found
            elif any(not np.allclose(found[key], grid[key], atol=1e-4) for key in grid):
                note += f" SimpleITK: other geometry {found}"
        except RuntimeError as error:
            note = f"SimpleITK cannot read it: {str(error).splitlines()[-1][:80]}"
    if reference == "SimpleITK" and note:
        raise SystemExit(f"{name}: {note}")
    if not note:
        reference = "SimpleITK"  # it agrees
    print(f"{name:60s} {reference:10s} {sum(map(len, files.values())):6d} {note}")
    kinds.append(
        {
            "name": name,
            "kind": kind,
            "open": open_,
            "files": {path: len(data) for path, data in files.items()},
            "bytes": b64(zlib.compress(b"".join(files.values()), 9)),
            "reference": reference,
            "voxels": digest(truth),
            **grid,
        }
    )


# --- pixels -----------------------------------------------------------------------------------------------------------
def smooth(bits, planes=PLANES):
    """A picture with structure and a little noise, which lossy codecs change and lossless ones shrink."""
    z, y, x = np.mgrid[:planes, :ROWS, :COLUMNS]
    top = 2**bits - 1
    picture = 0.5 + 0.3 * np.sin(x / 3 + z) * np.cos(y / 4) + 0.1 * (x > 9)
    return np.clip(np.round(picture * top * 0.9 + rng.normal(0, top / 300, picture.shape)), 0, top).astype(np.int64)


STORED = smooth(12)
HEIGHTS = [-3.5, -1.0, 1.5, 4.0]
AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
POSITION = np.array([10.0, -20.0])


def patient(ds):
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = "SECRET^NAME", "SECRET-ID", "19010203"
    ds.StudyDate, ds.AccessionNumber, ds.InstitutionName = "19990807", "SECRET-ACC", "SECRET HOSPITAL"
    ds.ReferringPhysicianName, ds.OtherPatientIDs = "SECRET^DOCTOR", "SECRET-OTHER"
    ds.PatientAddress, ds.PatientComments = "SECRET STREET 1", "SECRET COMMENT"
    ds.SeriesDescription, ds.StudyDescription = "chest SECRET^NAME", "SECRET STUDY"


def base(sop_class, uid, number, syntax):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = f"{uid}.{number}"
    meta.TransferSyntaxUID = syntax
    ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.3", uid, "1.2.4"
    ds.Modality = {CTImageStorage: "CT", EnhancedCTImageStorage: "CT", PositronEmissionTomographyImageStorage: "PT"}.get(sop_class, "MR")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    patient(ds)
    return ds


def pixel_module(ds, bits, signed, allocated, photometric="MONOCHROME2"):
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, photometric
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = allocated, bits, bits - 1, int(signed)


def native(pixels, allocated, big=False):
    return pixels.astype(f"{'>' if big else '<'}i8").astype(f"{'>' if big else '<'}u{allocated // 8}").tobytes()


def written(ds):
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


def j2k(pixels, bits, reversible=True, level=0):
    return imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", reversible=reversible, level=level, bitspersample=bits, resolutions=3)


def gdcm_change(data, syntax, lossy=False):
    """GDCM's own codecs (IJG libjpeg at 8 and 12 bits)."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = f"{folder}/a.dcm", f"{folder}/b.dcm"
        Path(source).write_bytes(data)
        reader = gdcm.ImageReader()
        reader.SetFileName(source)
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
        if lossy:
            codec = gdcm.JPEGCodec()
            codec.SetLossless(False)
            codec.SetQuality(90)
            change.SetUserCodec(codec)
        change.SetInput(reader.GetImage())
        assert change.Change(), syntax
        writer = gdcm.ImageWriter()
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        writer.SetFileName(target)
        assert writer.Write()
        return Path(target).read_bytes()


# --- lossless JPEG with every predictor ---------------------------------------------------------------------------------
def ljpeg(pixels, bits, predictor, shift=0, restart_rows=0):
    """T.81 annex H with a flat Huffman table; GDCM and SimpleITK decode it back."""
    rows, columns = pixels.shape
    samples = pixels.astype(np.int64) >> shift
    codes = {symbol: (symbol, 5) for symbol in range(17)}
    out, text = bytearray(), []
    number = 0

    def flush():
        nonlocal text
        joined = "".join(text)
        joined += "1" * (-len(joined) % 8)
        for at in range(0, len(joined), 8):
            byte = int(joined[at : at + 8], 2)
            out.append(byte)
            if byte == 0xFF:
                out.append(0)
        text = []

    for r in range(rows):
        fresh = r == 0 or (restart_rows and r % restart_rows == 0)
        if fresh and r:
            flush()
            out.extend([0xFF, 0xD0 + number % 8])
            number += 1
        for c in range(columns):
            if fresh:
                guess = 1 << (bits - shift - 1) if c == 0 else samples[r, c - 1]
            elif c == 0:
                guess = samples[r - 1, c]
            else:
                a, b, d = int(samples[r, c - 1]), int(samples[r - 1, c]), int(samples[r - 1, c - 1])
                guess = [0, a, b, d, a + b - d, a + ((b - d) >> 1), b + ((a - d) >> 1), (a + b) >> 1][predictor]
            step = (int(samples[r, c]) - int(guess) + 32768) % 65536 - 32768
            if step == -32768:
                size = 16
            else:
                size = abs(step).bit_length()
            code, length = codes[size]
            text.append(format(code, f"0{length}b"))
            if 0 < size < 16:
                text.append(format(step if step > 0 else step + (1 << size) - 1, f"0{size}b"))
    flush()
    sof = struct.pack(">HHBHHB3B", 0xFFC3, 11, bits, rows, columns, 1, 1, 0x11, 0)
    counts = bytes([0, 0, 0, 0, 17] + [0] * 11)
    dht = struct.pack(">HHB", 0xFFC4, 2 + 17 + 17, 0) + counts + bytes(range(17))
    dri = struct.pack(">HHH", 0xFFDD, 4, restart_rows * columns) if restart_rows else b""
    sos = struct.pack(">HHBBBBBB", 0xFFDA, 8, 1, 1, 0, predictor, 0, shift)
    return b"\xff\xd8" + sof + dht + dri + sos + bytes(out) + b"\xff\xd9"


# --- DICOM series -------------------------------------------------------------------------------------------------------
def grid_of(direction, origin, step, spacing=(0.75, 0.5), size=(COLUMNS, ROWS, PLANES)):
    row, column = np.array(direction[:3]), np.array(direction[3:])
    return {
        "size": list(map(int, size)),
        "spacing": [*spacing, float(step)],
        "origin": [float(v) for v in origin],
        "direction": np.stack([row, column, np.cross(row, column)], 1).ravel().tolist(),
    }


def series(name, *, stored=STORED, syntax=ExplicitVRLittleEndian, encode=None, transcode=None, slopes=None, bits=12, signed=False,
           allocated=16, photometric="MONOCHROME2", sop_class=CTImageStorage, orientation=AXIAL, path="{}.dcm", strip=0, intercept=-1024,
           reference="SimpleITK", truth=None, bare=False):
    files, kept = {}, []
    orientation = [round(v, 12) for v in orientation]
    normal = np.cross(orientation[:3], orientation[3:])
    order = [2, 0, 3, 1]  # names say nothing about places
    first = None
    for z in range(len(stored)):
        native_first = syntax if encode is None and transcode is None else ExplicitVRLittleEndian
        ds = base(sop_class, "1.2.3.4", z + 1, native_first)
        ds.Rows, ds.Columns, ds.PixelSpacing = *stored[z].shape, [0.5, 0.75]
        place = np.array([*POSITION, 0.0]) + normal * HEIGHTS[z]
        first = place if first is None else first
        ds.ImagePositionPatient = [f"{v:.10g}" for v in place]
        ds.ImageOrientationPatient = [f"{v:.12g}" for v in orientation]
        slope, offset = (1, intercept) if slopes is None else slopes[z]
        ds.RescaleSlope, ds.RescaleIntercept = slope, offset
        pixel_module(ds, bits, signed, allocated, photometric)
        ds.PixelData = native(stored[z], allocated, syntax == ExplicitVRBigEndian)
        ds["PixelData"].VR = "OW"
        if encode is not None:
            ds.file_meta.TransferSyntaxUID = syntax
            ds.PixelData = encapsulate([encode(stored[z].astype(f"{'i' if signed else 'u'}{allocated // 8}"))])
            ds["PixelData"].VR = "OB"
            ds["PixelData"].is_undefined_length = True
        data = written(ds)
        if transcode is not None:
            data = transcode(data)
        if strip:
            data = data[strip:]
        if bare:
            buffer = io.BytesIO()
            del ds.file_meta, ds.preamble
            pydicom.dcmwrite(buffer, ds, implicit_vr=True, little_endian=True)
            data = buffer.getvalue()
        kept.append(path.format(order[z]))
        files[kept[-1]] = data
    files = dict(sorted(files.items()))
    grid = grid_of(orientation, first, 2.5) if reference != "SimpleITK" or slopes is not None else None
    if reference == "stored" and truth is None:
        values = [(1, intercept)] * len(stored) if slopes is None else slopes
        truth = np.stack([p * float(s) + float(i) for p, (s, i) in zip(stored, values)])
    reference = "pydicom" if reference == "stored" else reference
    add(name, files, kind="DICOM", kept=kept, truth=truth, grid=grid, reference=reference)


def compressed(syntax, **more):
    def change(data):
        ds = pydicom.dcmread(io.BytesIO(data))
        ds.compress(syntax, generate_instance_uid=False, **more)
        return written(ds)

    return change


def dicom():
    series("DICOM implicit little endian", syntax=ImplicitVRLittleEndian)
    series("DICOM explicit little endian")
    series("DICOM explicit big endian", syntax=ExplicitVRBigEndian)
    series("DICOM deflated", syntax=DeflatedExplicitVRLittleEndian)
    series("DICOM raw frames (encapsulated uncompressed)", syntax=pydicom.uid.UID("1.2.840.10008.1.2.1.98"),
           encode=lambda p: p.astype("<u2").tobytes(), reference="stored")
    series("DICOM RLE", syntax=RLELossless, transcode=compressed(RLELossless))
    series("DICOM RLE, 8 bit", stored=smooth(8), bits=8, allocated=8, syntax=RLELossless, transcode=compressed(RLELossless), intercept=0)
    series("DICOM JPEG lossless .57 (liblj92)", syntax=JPEGLossless, encode=lambda p: imagecodecs.ljpeg_encode(p, bitspersample=12))
    for predictor in range(1, 8):
        series(f"DICOM JPEG lossless .57, predictor {predictor}", syntax=JPEGLossless, encode=lambda p, n=predictor: ljpeg(p, 16 if n == 3 else 12, n))
    series("DICOM JPEG lossless .57, restarts", syntax=JPEGLossless, encode=lambda p: ljpeg(p, 12, 4, restart_rows=5), reference="stored")
    even = STORED & ~3
    series("DICOM JPEG lossless .57, point transform", stored=even, syntax=JPEGLossless, encode=lambda p: ljpeg(p, 12, 7, shift=2), reference="stored")
    series("DICOM JPEG lossless .70 (GDCM)", transcode=lambda data: gdcm_change(data, gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    wild = rng.integers(-32768, 32768, STORED.shape)
    series("DICOM JPEG lossless .70, signed 16 bit noise", stored=wild, bits=16, signed=True, intercept=0, syntax=JPEGLosslessSV1,
           encode=lambda p: ljpeg(p.view(np.uint16), 16, 1), reference="stored")
    series("DICOM JPEG lossless .70, 8 bit (GDCM)", stored=smooth(8), bits=8, allocated=8, intercept=0,
           transcode=lambda data: gdcm_change(data, gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    series("DICOM JPEG baseline .50 (GDCM)", stored=smooth(8), bits=8, allocated=8, intercept=0,
           transcode=lambda data: gdcm_change(data, gdcm.TransferSyntax.JPEGBaselineProcess1, lossy=True))
    series("DICOM JPEG baseline .50 (libjpeg-turbo, restarts)", stored=smooth(8), bits=8, allocated=8, intercept=0, syntax=JPEGBaseline8Bit,
           encode=lambda p: imagecodecs.jpeg8_encode(p, level=85))
    series("DICOM JPEG extended .51, 12 bit (libjpeg-turbo)", syntax=JPEGExtended12Bit, encode=lambda p: imagecodecs.jpeg_encode(p, level=90, bitspersample=12))
    series("DICOM JPEG-LS lossless .80", transcode=compressed(JPEGLSLossless))
    series("DICOM JPEG-LS near-lossless .81", transcode=compressed(JPEGLSNearLossless, jls_error=3))
    series("DICOM JPEG 2000 lossless .90", syntax=JPEG2000Lossless, encode=lambda p: j2k(p, 12))
    series("DICOM JPEG 2000 lossless .90, signed", stored=STORED - 2048, signed=True, intercept=0, syntax=JPEG2000Lossless, encode=lambda p: j2k(p.astype(np.int16), 12))
    series("DICOM JPEG 2000 lossy .91", syntax=JPEG2000, encode=lambda p: j2k(p, 12, reversible=False, level=40))
    series("DICOM HTJ2K lossless .201", syntax=HTJ2KLossless, encode=lambda p: imagecodecs.htj2k_encode(p, reversible=True), reference="stored")
    series("DICOM HTJ2K lossless RPCL .202", syntax=HTJ2KLosslessRPCL, encode=lambda p: imagecodecs.htj2k_encode(p, reversible=True), reference="stored")
    # OpenJPH, which encoded it, rounds some of these voxels up where OpenJPEG, in SimpleITK and here, rounds down
    series("DICOM HTJ2K lossy .203", syntax=HTJ2K, encode=lambda p: imagecodecs.htj2k_encode(p, reversible=False, level=0.002))
    a, b, c = np.deg2rad([12, -7, 25])
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    turned = rz @ ry @ rx
    series("DICOM oblique", orientation=[*turned[:, 0], *turned[:, 1]])
    series("DICOM coronal MR", sop_class=MRImageStorage, orientation=[1, 0, 0, 0, 0, -1], intercept=0)
    series("DICOM in nested folders", path="a/b{0}/c.{0}")
    series("DICOM without preamble", strip=132, reference="stored")
    series("DICOM without file meta information", bare=True, reference="stored")
    series("DICOM unsigned 12 bit with bits above them", stored=STORED + 0x3000, reference="stored", truth=STORED - 1024.0)
    series("DICOM signed 12 bit in 16", stored=(STORED - 2048) & 0xFFF, signed=True, intercept=0, reference="stored", truth=STORED - 2048.0)
    series("DICOM unsigned 16 bit", stored=STORED * 15, bits=16, intercept=-1024)
    series("DICOM MONOCHROME1", photometric="MONOCHROME1", reference="stored")
    series("DICOM MONOCHROME1, JPEG lossless", photometric="MONOCHROME1", syntax=JPEGLosslessSV1, encode=lambda p: ljpeg(p, 12, 1), reference="stored")
    slopes = [(0.5, 0), (0.25, 0), (2, 0), (1, 0)]
    series("DICOM PET, slope per slice", sop_class=PositronEmissionTomographyImageStorage, slopes=slopes, reference="stored")
    series("DICOM PET, slope per slice, JPEG-LS", sop_class=PositronEmissionTomographyImageStorage, slopes=slopes, transcode=compressed(JPEGLSLossless), reference="stored")


# --- enhanced multi-frame ------------------------------------------------------------------------------------------------
def item(**attributes):
    ds = Dataset()
    for key, value in attributes.items():
        setattr(ds, key, value)
    return Sequence([ds])


def enhanced(name, *, sop_class=EnhancedCTImageStorage, frame_order=(0, 1, 2, 3), syntax=ExplicitVRLittleEndian, encode=None, fragments=1,
             table=True, extended=False, reference="SimpleITK"):
    ds = base(sop_class, "1.2.3.5", 1, syntax)
    ds.Rows, ds.Columns, ds.NumberOfFrames = ROWS, COLUMNS, PLANES
    pixel_module(ds, 12, False, 16)
    shared = Dataset()
    shared.PlaneOrientationSequence = item(ImageOrientationPatient=AXIAL)
    shared.PixelMeasuresSequence = item(PixelSpacing=[0.5, 0.75], SliceThickness=2.5, SpacingBetweenSlices=2.5)
    shared.PixelValueTransformationSequence = item(RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU")
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for number, z in enumerate(frame_order):
        frame = Dataset()
        frame.FrameContentSequence = item(StackID="1", InStackPositionNumber=number + 1, DimensionIndexValues=[1, number + 1])
        frame.PlanePositionSequence = item(ImagePositionPatient=[*POSITION, HEIGHTS[z]])
        frames.append(frame)
    ds.PerFrameFunctionalGroupsSequence = Sequence(frames)
    index = lambda pointer: item(DimensionOrganizationUID="1.2.9", DimensionIndexPointer=pointer, FunctionalGroupPointer=0x00209111)[0]
    ds.DimensionOrganizationSequence = item(DimensionOrganizationUID="1.2.9")
    ds.DimensionIndexSequence = Sequence([index(0x00209056), index(0x00209057)])
    pixels = [STORED[z].astype(np.uint16) for z in frame_order]
    if encode is None:
        ds.PixelData = b"".join(p.tobytes() for p in pixels)
        ds["PixelData"].VR = "OW"
    else:
        encoded = [encode(p) for p in pixels]
        if extended:
            ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(encoded)
        else:
            ds.PixelData = encapsulate(encoded, fragments_per_frame=fragments, has_bot=table)
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
    grid = grid_of(AXIAL, [*POSITION, HEIGHTS[0]], 2.5)
    truth = None if reference == "SimpleITK" else STORED - 1024.0
    add(name, {"scan.dcm": written(ds)}, open_="scan.dcm", kind="DICOM", truth=truth, grid=grid, reference=reference)


def rle(pixels):
    from pydicom.pixels.encoders import RLELosslessEncoder

    return RLELosslessEncoder.encode(pixels.tobytes(), rows=ROWS, columns=COLUMNS, samples_per_pixel=1, bits_allocated=16, bits_stored=12,
                                     pixel_representation=0, photometric_interpretation="MONOCHROME2", number_of_frames=1, byteorder="<")


def multiframe():
    enhanced("DICOM enhanced CT")
    enhanced("DICOM enhanced MR", sop_class=EnhancedMRImageStorage)
    enhanced("DICOM enhanced CT, frames in no order", frame_order=(2, 0, 3, 1), reference="pydicom")
    enhanced("DICOM enhanced CT, RLE", syntax=RLELossless, encode=rle)
    enhanced("DICOM enhanced CT, JPEG lossless", syntax=JPEGLosslessSV1, encode=lambda p: ljpeg(p, 12, 1))
    enhanced("DICOM enhanced CT, JPEG-LS, extended offset table", syntax=JPEGLSLossless, encode=imagecodecs.jpegls_encode, extended=True, reference="pydicom")
    enhanced("DICOM enhanced CT, JPEG 2000, 3 fragments a frame", syntax=JPEG2000Lossless, encode=lambda p: j2k(p, 12), fragments=3, reference="pydicom")
    enhanced("DICOM enhanced MR, JPEG 2000, no offset table, 2 fragments", sop_class=EnhancedMRImageStorage, syntax=JPEG2000Lossless,
             encode=lambda p: j2k(p, 12), fragments=2, table=False, reference="pydicom")
    enhanced("DICOM enhanced CT, HTJ2K, frames in no order", frame_order=(3, 1, 0, 2), syntax=HTJ2KLossless,
             encode=lambda p: imagecodecs.htj2k_encode(p, reversible=True), reference="pydicom")


# --- NIfTI, NRRD, MetaImage ----------------------------------------------------------------------------------------------
def affine(degrees=(10, -7, 20), spacing=(0.75, 0.5, 2.5), origin=(-40.5, 33.25, 12.0)):
    a, b, c = np.deg2rad(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    m = np.eye(4)
    m[:3, :3] = rx @ ry @ rz @ np.diag(spacing)
    m[:3, 3] = origin
    return m


def nibabel_reads(data, cls):
    image = cls.from_bytes(data)
    m = np.diag([-1, -1, 1, 1]) @ image.affine
    spacing = np.linalg.norm(m[:3, :3], axis=0)
    values = np.asanyarray(image.dataobj)
    values = values[..., 0] if values.ndim == 4 else values
    return values.transpose(2, 1, 0).astype(float), {
        "size": list(values.shape), "spacing": spacing.tolist(), "origin": m[:3, 3].tolist(), "direction": (m[:3, :3] / spacing).ravel().tolist()
    }


def nifti():
    shape = (12, 10, 6)
    for dtype in ["uint8", "int8", "int16", "uint16", "int32", "uint32", "float32", "float64"]:
        low = 0 if dtype.startswith("u") else -100
        data = rng.integers(low, 100, shape).astype(dtype)
        image = nib.Nifti1Image(data, affine(), dtype=dtype)
        image.header["descrip"], image.header["db_name"] = b"SECRET^NAME", b"SECRET-ID"
        add(f"NIfTI-1 {dtype}", {"v.nii": image.to_bytes()}, open_="v.nii", kind="NIfTI")
    data = rng.integers(-1000, 1000, shape).astype(np.int16)

    def one(name, image, reference="SimpleITK", zipped=False, patch=None):
        raw = bytearray(image.to_bytes())
        if patch:
            patch(raw)
        raw = bytes(raw)
        truth, grid = nibabel_reads(raw, type(image)) if reference == "nibabel" else (None, None)
        file = "v.nii.gz" if zipped else "v.nii"
        add(name, {file: gzip.compress(raw, mtime=0) if zipped else raw}, open_=file, kind="NIfTI", truth=truth, grid=grid, reference=reference)

    def with_header(cls, endian):
        header = cls.header_class(endianness=endian)
        header.set_data_dtype(np.int16)
        return cls(data, affine(), header)

    one("NIfTI-1 gzip", nib.Nifti1Image(data, affine()), zipped=True)
    one("NIfTI-1 big endian", with_header(nib.Nifti1Image, ">"))
    one("NIfTI-2", with_header(nib.Nifti2Image, "<"), reference="nibabel")
    one("NIfTI-2 big endian, gzip", with_header(nib.Nifti2Image, ">"), reference="nibabel", zipped=True)
    image = nib.Nifti1Image(data, affine())
    image.set_sform(None, 0)
    image.set_qform(affine(), 1)
    one("NIfTI-1 qform only", image)
    image = nib.Nifti1Image(data, affine())
    image.set_qform(None, 0)
    image.set_sform(affine(), 2)
    one("NIfTI-1 sform only", image)
    image = nib.Nifti1Image(data, affine())
    image.set_qform(affine((0, 0, 0), (1, 1, 1), (1, 2, 3)), 1)
    image.set_sform(affine(), 2)
    one("NIfTI-1 sform before another qform", image, reference="nibabel")
    one("NIfTI-1 slope 0.5, intercept -3", nib.Nifti1Image(data, affine()), patch=lambda raw: struct.pack_into("<ff", raw, 112, 0.5, -3.0))
    one("NIfTI-1 slope 0, intercept 7 (ignored)", nib.Nifti1Image(data, affine()), reference="nibabel",
        patch=lambda raw: struct.pack_into("<ff", raw, 112, 0.0, 7.0))
    one("NIfTI-1 one time point", nib.Nifti1Image(data[..., None], affine()), reference="nibabel")


def itk_written():
    image = sitk.GetImageFromArray(rng.integers(-1000, 1000, (6, 10, 12)).astype(np.int16))
    m = affine((4, 20, -9))
    image.SetSpacing([0.75, 0.5, 2.5])
    image.SetOrigin([12.5, -3, 7])
    image.SetDirection((m[:3, :3] / np.linalg.norm(m[:3, :3], axis=0)).ravel().tolist())

    def one(name, kind, file, files, zipped, source=image, change=None):
        with tempfile.TemporaryDirectory() as folder:
            sitk.WriteImage(source, f"{folder}/{file}", useCompression=zipped)
            data = {f: Path(folder, f).read_bytes() for f in files}
        if change:
            data = change(data)
        add(name, data, open_=file, kind=kind)

    real = sitk.Cast(image, sitk.sitkFloat32) / 7
    secret = lambda d: {"v.nrrd": d["v.nrrd"].replace(b"endian: little", b"endian: little\npatient:=SECRET^NAME")}
    one("NRRD raw", "NRRD", "v.nrrd", ["v.nrrd"], False, change=secret)
    one("NRRD gzip", "NRRD", "v.nrrd", ["v.nrrd"], True)
    one("NRRD float32 gzip", "NRRD", "v.nrrd", ["v.nrrd"], True, source=real)
    one("NRRD detached, raw", "NRRD", "v.nhdr", ["v.nhdr", "v.raw"], False)
    one("NRRD detached, gzip", "NRRD", "v.nhdr", ["v.nhdr", "v.raw.gz"], True)
    swap = lambda data: np.frombuffer(data, "<i2").astype(">i2").tobytes()

    def big_nrrd(d):
        head, body = d["v.nrrd"].split(b"\n\n", 1)
        return {"v.nrrd": head.replace(b"endian: little", b"endian: big") + b"\n\n" + swap(body)}

    one("NRRD big endian", "NRRD", "v.nrrd", ["v.nrrd"], False, change=big_nrrd)
    one("MetaImage raw", "MetaImage", "v.mha", ["v.mha"], False)
    one("MetaImage zlib", "MetaImage", "v.mha", ["v.mha"], True)
    one("MetaImage float32 zlib", "MetaImage", "v.mha", ["v.mha"], True, source=real)
    one("MetaImage detached, raw", "MetaImage", "v.mhd", ["v.mhd", "v.raw"], False)
    one("MetaImage detached, zlib", "MetaImage", "v.mhd", ["v.mhd", "v.zraw"], True)

    def big_meta(d):
        mark = b"ElementDataFile = LOCAL\n"
        head, body = d["v.mha"].split(mark, 1)
        return {"v.mha": head.replace(b"MSB = False", b"MSB = True") + b"Comment = SECRET^NAME\n" + mark + swap(body)}

    one("MetaImage big endian", "MetaImage", "v.mha", ["v.mha"], False, change=big_meta)


# --- real data ---------------------------------------------------------------------------------------------------------
def real(shared):
    rows = []
    for path in [
        "pyradiomics/brain1_image.nrrd", "pyradiomics/lung1_image_crop.nrrd", "pyradiomics/lung1_label_crop.nrrd", "pyradiomics/breast1_image.nrrd",
        "ct-organs/example_ct_sm.nii.gz", "ct-organs/example_seg.nii.gz", "nact-dce-mri/NACT_08_phase0.nii.gz", "nact-dce-mri/NACT_06_SER.nii.gz",
        "sts/ct/STS_029_image.nii.gz", "ibsi1/digital-phantom/nifti/image/phantom.nii.gz", "dicom-seg/ct-3slice", "dicom-seg/23x38x3/image",
        "dicom-seg/23x38x3/multiframe/mf.dcm",
    ]:
        place = shared / path
        if not place.exists():
            print("absent:", path)
            continue
        if place.is_dir():
            files = sorted(place.iterdir(), key=lambda f: float(pydicom.dcmread(f).ImagePositionPatient[2]))
            reader = sitk.ImageSeriesReader()
            reader.SetFileNames([str(f) for f in files])
            image = reader.Execute()
        else:
            image = sitk.ReadImage(str(place))
        rows.append({"path": path, "voxels": digest(sitk.GetArrayFromImage(image)), **geometry(image)})
        print(f"{path:60s} {rows[-1]['size']}")
    return rows


dicom()
multiframe()
nifti()
itk_written()
shared = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[3] / "shared/data"
OUT.write_text(json.dumps({"SimpleITK": sitk.Version_VersionString(), "pydicom": pydicom.__version__, "kinds": kinds, "real": real(shared)}))
print(len(kinds), OUT, OUT.stat().st_size)
