"""Small DICOM masks written by highdicom and pydicom, and what they hold, for @onco-response/imaging-io.

Run: python tooling/reference/imaging_mask_goldens.py      (pip install highdicom)
highdicom writes segmentations, pydicom structure sets, over one synthetic oblique CT; the truth is the array that was
given to the writer, or the even-odd rule evaluated here voxel by voxel. Files are base64 of deflated bytes. With
ONCO_RESPONSE_DATA (or ../shared/data) present, it also hashes the NRRD truths of dcmqi's test data.
"""
import base64
import hashlib
import io
import json
import os
import zlib
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless, RTStructureSetStorage

ROOT = Path(__file__).parents[2]
OUT = ROOT / "packages/imaging-io/src/__fixtures__/dicom-masks.json"
rng = np.random.default_rng(11)
FRAME = "1.2.826.0.1.3680043.8.498.1"


def rotation(degrees):
    a, b, c = np.deg2rad(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rx @ ry @ rz


def grid(size, spacing, origin, degrees=(12, -8, 25)):
    return {"size": size, "spacing": spacing, "origin": origin, "direction": rotation(degrees).ravel().tolist()}


def text(value):
    return f"{value:.10f}"[:16]


def slices(g, digits=10):
    columns, rows, count = g["size"]
    d = np.array(g["direction"]).reshape(3, 3)
    out = []
    for k in range(count):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.8.498.2.{k + 1}"
        s = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        s.SOPClassUID, s.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        s.PatientName, s.PatientID, s.PatientBirthDate, s.PatientSex = "Doe^Jane", "SECRET", "19700101", "F"
        s.StudyInstanceUID, s.SeriesInstanceUID, s.FrameOfReferenceUID = "1.2.826.0.1.3680043.8.498.3", "1.2.826.0.1.3680043.8.498.4", FRAME
        s.StudyID, s.StudyDate, s.StudyTime, s.AccessionNumber = "1", "20200101", "120000", "A1"
        s.Modality, s.SeriesNumber, s.InstanceNumber, s.Manufacturer = "CT", 1, k + 1, "none"
        s.PositionReferenceIndicator, s.ReferringPhysicianName, s.ContentDate, s.ContentTime = "", "", "20200101", "120000"
        s.Rows, s.Columns, s.SamplesPerPixel, s.PhotometricInterpretation = rows, columns, 1, "MONOCHROME2"
        s.BitsAllocated = s.BitsStored = 16
        s.HighBit, s.PixelRepresentation = 15, 0
        s.PixelSpacing = [g["spacing"][1], g["spacing"][0]]
        s.SliceThickness = g["spacing"][2]
        s.ImageOrientationPatient = [text(v) for v in [*d[:, 0], *d[:, 1]]]
        s.ImagePositionPatient = [text(round(v, digits)) for v in np.array(g["origin"]) + k * g["spacing"][2] * d[:, 2]]
        s.PixelData = bytes(rows * columns * 2)
        out.append(s)
    return out


def describe(number, label):
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=codes.SCT.Tissue,
        segmented_property_type=codes.SCT.Liver,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )


def packed(dataset, **options):
    buffer = io.BytesIO()
    dataset.save_as(buffer, **options)
    return base64.b64encode(zlib.compress(buffer.getvalue(), 9)).decode()


def segmentation(source, array, kind, labels, numbers=None, syntax=ExplicitVRLittleEndian, change=None, **options):
    seg = hd.seg.Segmentation(
        source_images=source,
        pixel_array=array,
        segmentation_type=kind,
        segment_descriptions=[describe(n, label) for n, label in zip(numbers or range(1, len(labels) + 1), labels)],
        series_instance_uid="1.2.826.0.1.3680043.8.498.5",
        series_number=2,
        sop_instance_uid="1.2.826.0.1.3680043.8.498.6",
        instance_number=1,
        manufacturer="none",
        manufacturer_model_name="none",
        software_versions="0",
        device_serial_number="0",
        transfer_syntax_uid=syntax,
        **options,
    )
    if change:
        change(seg)
    return seg


def flat(array):
    return "".join(map(str, array.astype(int).ravel()))


def segmentations():
    g = grid([9, 7, 6], [0.75, 0.5, 2.5], [-40.5, 33.25, 12.0])  # 63 pixels a frame: no whole number of bytes
    source = slices(g)
    shape = (6, 7, 9)
    one = (rng.random(shape) < 0.4).astype(np.uint8)
    one[[1, 3]] = 0  # absent slices: two inside
    apart = rng.integers(0, 4, shape).astype(np.uint8)
    over = (rng.random((*shape, 3)) < 0.5).astype(np.uint8)
    over[0] = 0
    fraction = rng.random((*shape[:3], 1))
    fraction[0, 0, :2, 0] = [0.5, 0.4999]
    cases = []

    def add(name, seg, labels=None, segments=None, warnings=0, dataset=None, **options):
        cases.append(
            {
                "name": name,
                "file": packed(dataset if dataset is not None else seg, **options),
                "labels": None if labels is None else flat(labels),
                "segments": {key: flat(value) for key, value in (segments or {}).items()},
                "warnings": warnings,
            }
        )

    binary, fractional, labelmap = hd.seg.SegmentationTypeValues.BINARY, hd.seg.SegmentationTypeValues.FRACTIONAL, hd.seg.SegmentationTypeValues.LABELMAP
    add("BINARY, absent slices", segmentation(source, one, binary, ["Läsion"]), one, {"Läsion": one, "1": one})
    several = {str(n): apart == n for n in (1, 2, 3)}
    add("BINARY, three segments", segmentation(source, apart, binary, ["a", "b", "c"]), apart, several)
    add("BINARY, overlapping", segmentation(source, over, binary, ["a", "b", "c"]), None, {"abc"[n]: over[..., n] for n in range(3)})
    half = np.round(fraction[..., 0] * 200) * 2 >= 200
    add("FRACTIONAL", segmentation(source, fraction, fractional, ["p"], max_fractional_value=200), half, {"p": half}, warnings=1)
    add("LABELMAP, 8 bits", segmentation(source, apart, labelmap, ["a", "b", "c"]), apart, several)
    wide = apart.astype(np.uint16)
    wide[apart == 3] = 300
    add("LABELMAP, 16 bits, a number above 255", segmentation(source, wide, labelmap, ["a", "b", "c"], numbers=[1, 2, 300]), None, {"300": apart == 3, "b": apart == 2})
    deflated = segmentation(source, one, binary, ["a"])
    deflated.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    add("BINARY, deflated", deflated, one)
    implicit = segmentation(source, apart, labelmap, ["a", "b", "c"], syntax=ImplicitVRLittleEndian)
    add("LABELMAP, implicit", implicit, apart)

    def shuffle(seg):
        groups = list(seg.PerFrameFunctionalGroupsSequence)
        planes = seg.pixel_array
        order = rng.permutation(len(groups))
        seg.PerFrameFunctionalGroupsSequence = [groups[n] for n in order]
        seg.PixelData = np.ascontiguousarray(planes[order]).tobytes()

    add("LABELMAP, frames in no order", segmentation(source, apart, labelmap, ["a", "b", "c"], change=shuffle), apart)
    refused = segmentation(source, apart, labelmap, ["a", "b", "c"], syntax=RLELossless)
    # heights 0.6, 1.2, 1.9, ... as scanners write them: the image's grid is even, from its first to its last slice
    even = grid([9, 7, 6], [0.75, 0.5, 0.625], [-40.5, 33.25, 0.6], (0, 0, 0))
    rounded = segmentation(slices(even, 1), apart, binary, ["a", "b", "c"])
    span = round(0.6 + 5 * 0.625, 1) - 0.6
    rounding = {"grid": {**even, "spacing": [0.75, 0.5, span / 5], "origin": [-40.5, 33.2, 0.6]}, "file": packed(rounded), "labels": flat(apart)}
    return {"grid": g, "cases": cases, "compressed": packed(refused), "rounded": rounding}


def circle(centre, radius, points, turn=0.1):
    angle = turn + 2 * np.pi * np.arange(points) / points
    return np.stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)], 1)


def even_odd(loops, size, spacing):
    """Crossing number of a ray along +x from each voxel centre, in the plane's own mm."""
    x, y = np.meshgrid(np.arange(size[0]) * spacing[0], np.arange(size[1]) * spacing[1])
    inside = np.zeros(x.shape, bool)
    for loop in loops:
        for (x0, y0), (x1, y1) in zip(loop, np.roll(loop, -1, 0)):
            if y0 == y1:
                continue
            crosses = (y0 > y) != (y1 > y)
            inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside


def structures():
    g = grid([64, 48, 4], [0.9, 1.1, 3.0], [-20.0, 15.0, -100.0])
    d = np.array(g["direction"]).reshape(3, 3)
    centre = (28.7, 26.3)
    outer, inner = circle(centre, 20, 120), circle(centre, 9, 80)
    back = inner[::-1]
    keyhole = np.concatenate([outer, outer[:1], back[-1:], back, outer[:1]])  # in along one line and out again
    rois = [
        ("disc", "CLOSED_PLANAR", [outer], np.pi * 400),
        ("ring, nested", "CLOSED_PLANAR", [outer, inner], np.pi * (400 - 81)),
        ("ring, XOR", "CLOSEDPLANAR_XOR", [outer, inner], np.pi * (400 - 81)),
        ("ring, keyhole", "CLOSED_PLANAR", [keyhole], np.pi * (400 - 81)),
        ("two islands", "CLOSED_PLANAR", [circle((15, 20), 8, 60), circle((42, 30), 10, 60)], np.pi * 164),
    ]

    def place(loop, height):
        points = np.column_stack([loop, np.full(len(loop), height)])
        return np.array(g["origin"]) + points @ d.T

    def contour(kind, points):
        item = Dataset()
        item.ContourGeometricType = kind
        item.NumberOfContourPoints = len(points)
        item.ContourData = [f"{v:.4f}" for v in points.ravel()]
        return item

    def dataset(entries):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ImplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = RTStructureSetStorage
        meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.3680043.8.498.7"
        s = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        s.SOPClassUID, s.SOPInstanceUID, s.Modality = RTStructureSetStorage, meta.MediaStorageSOPInstanceUID, "RTSTRUCT"
        s.PatientName, s.PatientID, s.StructureSetLabel = "Doe^Jane", "SECRET", "SECRET"
        s.StructureSetROISequence, s.ROIContourSequence, s.RTROIObservationsSequence = [], [], []
        for number, (name, contours) in enumerate(entries, 1):
            roi = Dataset()
            roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID, roi.ROIGenerationAlgorithm = number, name, FRAME, ""
            s.StructureSetROISequence.append(roi)
            item = Dataset()
            item.ReferencedROINumber, item.ContourSequence = number, contours
            s.ROIContourSequence.append(item)
            observation = Dataset()
            observation.ObservationNumber, observation.ReferencedROINumber = number, number
            observation.RTROIInterpretedType, observation.ROIInterpreter = "", ""
            s.RTROIObservationsSequence.append(observation)
        return s

    entries, expected = [], []
    for name, kind, loops, area in rois:
        heights = [3.0, 6.0]  # slices 1 and 2
        entries.append((name, [contour(kind, place(loop, z)) for z in heights for loop in loops]))
        plane = even_odd(loops, g["size"], g["spacing"])
        expected.append({"name": name, "area": area, "plane": hashlib.sha256(plane.astype(np.uint8).tobytes()).hexdigest(), "voxels": int(plane.sum())})
    point = place(np.array([centre]), 3.0)
    upright = np.array([[20, 20, 0.0], [20, 35, 0.0], [20, 35, 9.0], [20, 20, 9.0]])
    crooked = np.array([[20, 20, 0.0], [40, 35, 0.0], [30, 38, 9.0]])
    square = np.array([[10, 10], [30, 10], [30, 30], [10, 30]], float)
    fine = [contour("CLOSED_PLANAR", place(square, z)) for z in (2.0, 3.0, 4.0, 4.2)]
    entries += [
        ("point", [contour("POINT", point)]),
        ("disc and point", [contour("CLOSED_PLANAR", place(outer, 3.0)), contour("POINT", point)]),
        ("upright", [contour("CLOSED_PLANAR", np.array(g["origin"]) + upright @ d.T)]),
        ("crooked", [contour("CLOSED_PLANAR", np.array(g["origin"]) + crooked @ d.T)]),
        ("finer than the slices", fine),
        ("outside", [contour("CLOSED_PLANAR", place(square, 300.0))]),
        ("with a gap", [contour("CLOSED_PLANAR", place(square, z)) for z in (0.0, 9.0)]),
        ("open", [contour("OPEN_PLANAR", place(square, 3.0))]),
        ("twice", fine), ("twice", fine),
    ]
    square_voxels = int(even_odd([square], g["size"], g["spacing"]).sum())
    return {
        "grid": g,
        "frameOfReferenceUid": FRAME,
        "file": packed(dataset(entries)),
        "single": packed(dataset(entries[:1])),
        "rois": expected,
        "square": square_voxels,
    }


def truths():
    folder = Path(os.environ.get("ONCO_RESPONSE_DATA", ROOT.parent / "shared/data")) / "dicom-seg"
    if not folder.exists():
        return json.loads(OUT.read_text())["truths"]
    import SimpleITK as sitk

    def sha(name, label=None):
        array = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / name)))
        array = array if label is None else array == label
        return hashlib.sha256(array.astype(np.uint8).tobytes()).hexdigest(), int((array > 0).sum())

    rows = [
        ("liver.dcm", None, "liver_seg.nrrd", None),
        *[("partial_overlaps.dcm", n, f"partial_overlaps-{f}.nrrd", n) for n, f in ((1, 1), (2, 2), (3, 3), (4, 1), (5, 1))],
        ("sparse-labelmap-noppv.dcm", None, "sparse_labelmap_noppv_seg.nrrd", None),
        ("23x38x3/seg/label.seg", None, "23x38x3/nrrd/label.nrrd", None),
    ]
    out = []
    for file, segment, truth, label in rows:
        image = sitk.ReadImage(str(folder / truth))
        digest, voxels = sha(truth, label)
        out.append({"file": file, "segment": segment, "sha256": digest, "voxels": voxels, "size": image.GetSize(), "spacing": image.GetSpacing(), "origin": image.GetOrigin()})
    return out


OUT.write_text(json.dumps({"segmentations": segmentations(), "structures": structures(), "truths": truths()}, ensure_ascii=False) + "\n")
print(OUT, OUT.stat().st_size)
