"""DICOM segmentations that @onco-response/imaging-io writes, read back by highdicom and dcmqi.

Run: pnpm --filter @onco-response/imaging-io build && python tooling/reference/imaging_seg_readback.py
     (pip install highdicom dcmqi SimpleITK)
pydicom makes small series, node writes masks of random labels over them, and highdicom and dcmqi's segimage2itkimage
read voxels, geometry, references and descriptions back. What is asserted here held for the very bytes whose SHA-256 goes
into the fixture, so the tests need only compare that hash.
"""
import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import zlib
from importlib.metadata import version
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

ROOT = Path(__file__).parents[2]
OUT = ROOT / "packages/imaging-io/src/__fixtures__/dicom-seg-readback.json"
LIBRARY = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "packages/imaging-io/dist/node.js").resolve()
NOW = "2026-03-04T05:06:07Z"
UID = "1.2.826.0.1.3680043.8.498.9"
rng = np.random.default_rng(23)


def rotation(degrees):
    a, b, c = np.deg2rad(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rx @ ry @ rz


def text(value):
    return f"{value:.10f}"[:16]


def base(g, sop_class, instance, syntax):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = instance
    s = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    s.SpecificCharacterSet = "ISO_IR 100"
    s.SOPClassUID, s.SOPInstanceUID = sop_class, instance
    s.PatientName, s.PatientID, s.PatientBirthDate, s.PatientSex = "Döe^Jane", "SECRET", "19700101", "F"
    s.StudyInstanceUID, s.SeriesInstanceUID, s.FrameOfReferenceUID = f"{UID}.1", f"{UID}.2", f"{UID}.3"
    s.StudyID, s.StudyDate, s.StudyTime, s.AccessionNumber = "1", "20200101", "120000", "A1"
    s.Modality, s.SeriesNumber, s.InstanceNumber, s.Manufacturer = "CT", 3, 1, "none"
    s.PositionReferenceIndicator, s.ReferringPhysicianName, s.PatientAge = "", "", "050Y"
    s.Rows, s.Columns, s.SamplesPerPixel, s.PhotometricInterpretation = g["size"][1], g["size"][0], 1, "MONOCHROME2"
    s.BitsAllocated = s.BitsStored = 16
    s.HighBit, s.PixelRepresentation = 15, 0
    return s


def place(g, k):
    d = np.array(g["direction"]).reshape(3, 3)
    orientation = [text(v) for v in [*d[:, 0], *d[:, 1]]]
    return orientation, [text(v) for v in np.array(g["origin"]) + k * g["spacing"][2] * d[:, 2]]


def save(dataset):
    import io

    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def series(g, syntax=ExplicitVRLittleEndian):
    """The last slice first: neither names nor instance numbers are in the order of the grid."""
    out = []
    for number, k in enumerate(reversed(range(g["size"][2])), 1):
        s = base(g, CTImageStorage, f"{UID}.4.{k + 1}", syntax)
        s.InstanceNumber, s.SliceThickness = number, g["spacing"][2]
        s.PixelSpacing = [g["spacing"][1], g["spacing"][0]]
        s.ImageOrientationPatient, s.ImagePositionPatient = place(g, k)
        s.PixelData = bytes(s.Rows * s.Columns * 2)
        out.append(save(s))
    return out


def item(**attributes):
    d = Dataset()
    for key, value in attributes.items():
        setattr(d, key, value)
    return d


def enhanced(g):
    """One file, its frames from the last slice to the first."""
    s = base(g, EnhancedCTImageStorage, f"{UID}.5", ExplicitVRLittleEndian)
    s.NumberOfFrames = g["size"][2]
    measures = item(PixelSpacing=[g["spacing"][1], g["spacing"][0]], SliceThickness=g["spacing"][2])
    scaling = item(RescaleSlope=1, RescaleIntercept=0, RescaleType="HU")
    s.SharedFunctionalGroupsSequence = [item(PixelMeasuresSequence=[measures], PixelValueTransformationSequence=[scaling])]
    frames = []
    for k in reversed(range(g["size"][2])):
        orientation, position = place(g, k)
        frames.append(
            item(
                PlanePositionSequence=[item(ImagePositionPatient=position)],
                PlaneOrientationSequence=[item(ImageOrientationPatient=orientation)],
            )
        )
    s.PerFrameFunctionalGroupsSequence = frames
    s.PixelData = bytes(s.Rows * s.Columns * 2 * g["size"][2])
    return [save(s)]


def grid(size, spacing, origin, degrees):
    return {"size": size, "spacing": spacing, "origin": origin, "direction": rotation(degrees).ravel().tolist()}


OBLIQUE = grid([9, 7, 6], [0.75, 0.5, 2.5], [-40.5, 33.25, 12.0], (12, -8, 25))  # 63 pixels: no whole number of bytes
UPRIGHT = grid([10, 5, 4], [0.9, 1.1, 0.8], [10.0, -20.0, -300.0], (0, 0, 0))
FEET_UP = grid([5, 3, 5], [1.5, 1.0, 3.0], [1.0, 2.0, 3.0], (180, 0, 0))  # the normal runs downwards


def labels(g, highest, empty=()):
    array = rng.integers(0, highest + 1, g["size"][::-1]).astype(np.uint8)
    array[list(empty)] = 0
    return array


LIVER = {"value": "10200004", "scheme": "SCT", "meaning": "Liver"}
ORGAN = {"value": "91723000", "scheme": "SCT", "meaning": "Anatomical Structure"}
DESCRIBED = [
    {"label": 1, "name": "Tumour", "algorithm": "MANUAL", "color": [220, 20, 60]},
    {"label": 2, "name": "Liver", "category": ORGAN, "type": LIVER, "algorithm": "AUTOMATIC", "algorithmName": "net 1"},
]
CASES = [
    ("oblique, two segments, absent slices", OBLIQUE, series, labels(OBLIQUE, 2, [1, 3]), {"segments": DESCRIBED}),
    ("three defaults, all frames", UPRIGHT, series, labels(UPRIGHT, 3, [0]), {"omitEmptyFrames": False}),
    ("normal runs down, implicit", FEET_UP, lambda g: series(g, ImplicitVRLittleEndian), labels(FEET_UP, 1), {}),
    ("names in UTF-8", UPRIGHT, series, labels(UPRIGHT, 1), {"segments": [{"label": 1, "name": "Läsion 肝"}]}),
    ("enhanced image", OBLIQUE, enhanced, labels(OBLIQUE, 2, [5]), {}),
    ("label map", OBLIQUE, series, labels(OBLIQUE, 3, [0, 2]), {"kind": "labelmap"}),
]

WRITE = f"""
import {{ readDicomSeries, writeDicomSeg }} from {json.dumps(LIBRARY.as_uri())};
import {{ readFileSync }} from 'node:fs';
const {{ source, out, labels, options, now }} = JSON.parse(readFileSync(0, 'utf8'));
const {{ volume, series }} = await readDicomSeries(source);
const {{ size, spacing, origin, direction }} = volume;
const mask = {{ data: Uint8Array.from(labels), size, spacing, origin, direction }};
await writeDicomSeg(out, mask, {{ source: series, now: new Date(now), ...options }});
"""


def write(folder, out, array, options):
    task = {"source": str(folder), "out": str(out), "labels": array.ravel().tolist(), "options": options, "now": NOW}
    program = out.with_name("write.mjs")
    program.write_text(WRITE)
    subprocess.run(["node", program], timeout=60, input=json.dumps(task), text=True, check=True)


def affine(g):
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(g["direction"]).reshape(3, 3) * np.array(g["spacing"])
    matrix[:3, 3] = g["origin"]
    return matrix


def by_highdicom(path, g, array, files, options):
    seg = hd.seg.segread(path)
    sources = [pydicom.dcmread(file) for file in files]
    # the references: voxels asked for by the instance or frame of the image they were drawn on
    if len(sources) == 1:
        frames = list(range(g["size"][2], 0, -1))
        if seg.segmentation_type.value == "BINARY":
            stored = seg.get_pixels_by_source_frame(
                sources[0].SOPInstanceUID, frames, combine_segments=True, assert_missing_frames_are_empty=True
            )
            np.testing.assert_array_equal(stored, array)
    else:
        instances = [f"{UID}.4.{k + 1}" for k in range(g["size"][2])]
        stored = seg.get_pixels_by_source_instance(
            instances, combine_segments=True, assert_missing_frames_are_empty=True
        )
        np.testing.assert_array_equal(stored, array)
    referenced = {uid for _, _, uid in seg.get_source_image_uids()}
    assert referenced == {s.SOPInstanceUID for s in sources}, referenced
    # the geometry: a volume built from the frames' own positions; its axes are slice (down its normal or up), row, column
    volume = seg.get_volume(combine_segments=True)
    for index in np.ndindex(*volume.spatial_shape):
        point = np.array(volume.affine) @ [*index, 1]
        column, row, slice_ = np.linalg.solve(affine(g), point)[:3]
        nearest = np.round([slice_, row, column]).astype(int)
        np.testing.assert_allclose([slice_, row, column], nearest, atol=1e-4)
        assert volume.array[index] == array[tuple(nearest)]
    assert volume.array.astype(bool).sum() == array.astype(bool).sum()
    s = sources[0]
    assert (seg.PatientName, seg.PatientID, seg.PatientAge) == (s.PatientName, "SECRET", "050Y")
    assert (seg.StudyInstanceUID, seg.FrameOfReferenceUID) == (s.StudyInstanceUID, s.FrameOfReferenceUID)
    assert (seg.ContentDate, seg.ContentTime) == ("20260304", "050607")
    given = {d["label"]: d for d in options.get("segments", [])}
    described = {}
    for number in seg.segment_numbers:
        d = seg.get_segment_description(number)
        assert d.segment_label == given.get(number, {}).get("name", f"Segment {number}")
        color = given.get(number, {}).get("color")
        if color:
            np.testing.assert_allclose(list(d.RecommendedDisplayCIELabValue), hd.color.CIELabColor.from_rgb(*color).value, atol=1)
        described[str(number)] = [d.segment_label, d.segmented_property_category.meaning, d.segmented_property_type.meaning, d.algorithm_type.value]
    return {"segments": described, "frames": int(seg.NumberOfFrames)}


def by_dcmqi(path, folder, g, array, options):
    out = Path(folder) / "dcmqi"
    out.mkdir()
    tool = Path(sys.executable).parent / "segimage2itkimage"
    command = [tool, "--inputDICOM", path, "--outputDirectory", out, "--outputType", "nii"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    meta = json.loads((out / "meta.json").read_text())
    found = np.zeros_like(array)
    files = sorted(out.glob("*.nii.gz"))
    for file in files:
        image = sitk.ReadImage(str(file))
        stored = sitk.GetArrayFromImage(image)
        for k, j, i in np.argwhere(stored):
            point = image.TransformIndexToPhysicalPoint([int(i), int(j), int(k)])
            place = np.linalg.solve(affine(g), [*point, 1])[:3]
            np.testing.assert_allclose(place, np.round(place), atol=1e-3)  # NIfTI is float32
            x, y, z = np.round(place).astype(int)
            found[z, y, x] = stored[k, j, i]
    np.testing.assert_array_equal(found, array)
    described = {str(d["labelID"]): d for group in meta["segmentAttributes"] for d in group}
    for given in options.get("segments", []):
        d = described[str(given["label"])]
        assert d["SegmentLabel"] == given["name"], d
        if "color" in given:
            np.testing.assert_allclose(d["recommendedDisplayRGBValue"], given["color"], atol=1)
    return {"files": len(files), "segments": len(described)}


def check_modules(path):
    """Attributes of type 1 are there and not empty, of type 2 there, in every item; values fit their representations.

    dciodvfy cannot be had from PyPI, and dicom-validator downloads the standard: highdicom carries its tables.
    """
    pydicom.config.settings.reading_validation_mode = pydicom.config.RAISE
    seg = pydicom.dcmread(path)
    [element.value for element in seg.iterall()]
    pydicom.config.settings.reading_validation_mode = pydicom.config.WARN
    tables = Path(hd.__file__).parent / "_standard"
    modules = json.loads((tables / "iod_module_map.json").read_text())["segmentation"]
    attributes = json.loads((tables / "module_attribute_map.json").read_text())
    conditional = {"frame-of-reference", "common-instance-reference"}
    groups = {"SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"}
    checked = 0
    for module in modules:
        if module["usage"] != "M" and module["key"] not in conditional:
            continue
        for attribute in attributes[module["key"]]:
            if attribute["type"] not in ("1", "2") or attribute["path"][-1:] and attribute["path"][-1] in groups:
                continue  # which functional groups there are is conditional
            items = [seg]
            for step in attribute["path"]:
                items = [inner for outer in items for inner in outer.get(step, [])]
            for one in items:
                assert attribute["keyword"] in one, (module["key"], attribute)
                empty = one[attribute["keyword"]].is_empty
                assert attribute["type"] == "2" or not empty, (module["key"], attribute)
                checked += 1
    return checked


def main():
    results = []
    for name, g, make, array, options in CASES:
        with tempfile.TemporaryDirectory() as folder:
            images = Path(folder) / "images"
            images.mkdir()
            files = make(g)
            for number, data in enumerate(files):
                (images / f"{number}.dcm").write_bytes(data)
            path = Path(folder) / "mask.dcm"
            write(images, path, array, options)
            result = {
                "name": name,
                "grid": g,
                "files": [base64.b64encode(zlib.compress(data, 9)).decode() for data in files],
                "labels": "".join(map(str, array.ravel())),
                "options": options,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "highdicom": by_highdicom(path, g, array, sorted(images.iterdir()), options),
            }
            result["dcmqi"] = by_dcmqi(path, folder, g, array, options)
            result["attributes"] = check_modules(path)
            results.append(result)
            print(name, result["highdicom"], result["dcmqi"], result["attributes"])
    versions = {package: version(package) for package in ("highdicom", "dcmqi", "pydicom")}
    OUT.write_text(json.dumps({"now": NOW, "readBy": versions, "cases": results}, ensure_ascii=False) + "\n")
    print(OUT, OUT.stat().st_size)


main()
