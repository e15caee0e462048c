"""Golden counts and hashes of dilation, ring, peritumoural ring, components and region growing, from SimpleITK on the
shared volumes.

Run: python tooling/reference/lesion_mask_goldens.py [shared data folder]
(writes packages/lesion-mask/src/__fixtures__/simpleitk-shared.json)

A mask's hash is the SHA-256 of its 0/1 bytes in file order (x fastest).
"""
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk

ROOT = Path(__file__).parents[2]
DATA = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared/data"
OUT = ROOT / "packages/lesion-mask/src/__fixtures__/simpleitk-shared.json"
# distances as the package counts them: equal but for rounding is within (SimpleITK's map is float32)
ROUNDING_MM = 1e-5


def summary(mask):
    data = np.ascontiguousarray(mask.astype(np.uint8))
    return {"voxels": int(data.sum()), "sha256": hashlib.sha256(data.tobytes()).hexdigest()}


def dilated(image, mm):
    distance = sitk.SignedMaurerDistanceMap(
        image, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
    )
    return sitk.GetArrayFromImage(distance) <= mm + ROUNDING_MM


def components(image, fully):
    labels = sitk.GetArrayFromImage(sitk.ConnectedComponent(image, fully))
    sizes = np.sort(np.bincount(labels.ravel())[1:])[::-1]
    return {
        "count": int(len(sizes)),
        "largest": [int(n) for n in sizes[:5]],
        "sha256": hashlib.sha256(sizes.astype(np.uint32).tobytes()).hexdigest(),
    }


def read(path):
    return sitk.ReadImage(str(DATA / path))


def as_mask(like, array):
    image = sitk.GetImageFromArray(array.astype(np.uint8))
    image.CopyInformation(like)
    return image


def case(name, image, distances, **more):
    array = sitk.GetArrayFromImage(image) != 0
    mask = as_mask(image, array)
    golden = {"name": name, **more, **summary(array), "size": list(image.GetSize()), "byMm": {}}
    for mm in distances:
        grown = dilated(mask, mm)
        golden["byMm"][str(mm)] = {"dilate": summary(grown), "ring": summary(grown & ~array)}
    golden["components"] = {"6": components(mask, False), "26": components(mask, True)}
    return golden


masks = []
organs = read("ct-organs/example_seg.nii.gz")
organ_labels = sitk.GetArrayFromImage(organs)
for label in (3, 5, 20, 86):
    masks.append(
        case(f"ct-organs label {label}", as_mask(organs, organ_labels == label), [3, 7.5, 10],
             file="ct-organs/example_seg.nii.gz", segment=label)
    )
for name in ("brain1", "brain2", "breast1", "lung1", "lung2"):
    file = f"pyradiomics/{name}_label" + ("_crop" if name.startswith("lung") else "") + ".nrrd"
    masks.append(case(name, read(file), [2.5, 6], file=file))
for name in ("STS_002", "STS_029", "STS_043"):
    file = f"sts/ct/{name}_mask.nii.gz"
    masks.append(case(name, read(file), [4], file=file))
for name in ("NACT_06", "NACT_08"):
    enhancement = read(f"nact-dce-mri/{name}_PE1.nii.gz")
    ratio = read(f"nact-dce-mri/{name}_SER.nii.gz")
    tumour = (sitk.GetArrayFromImage(enhancement) >= 70) & (sitk.GetArrayFromImage(ratio) > 0)
    volume = float(tumour.sum() * np.prod(enhancement.GetSpacing()))
    masks.append(case(name, as_mask(enhancement, tumour), [1.5, 5], functionalTumourVolumeMm3=volume))

# a ring of 9 mm around each organ that stops at air and bone: -200 to 250 HU, reached over faces from the organ
ct = read("ct-organs/example_ct_sm.nii.gz")
values = sitk.GetArrayFromImage(ct)
rings = []
for label in (3, 5, 20, 86):
    organ = organ_labels == label
    tissue = dilated(as_mask(organs, organ), 9) & ~organ & (values >= -200) & (values <= 250)
    joined = sitk.BinaryReconstructionByDilation(
        as_mask(organs, organ), as_mask(organs, organ | tissue), backgroundValue=0, foregroundValue=1,
        fullyConnected=False,
    )
    rings.append(
        {"label": label, "mm": 9, "tissue": int(tissue.sum()),
         **summary((sitk.GetArrayFromImage(joined) != 0) & ~organ)}
    )

# region growing without leak control is ConnectedThreshold
grown = []
for voxel, lower, upper in (((20, 32, 16), 20, 120), ((60, 60, 15), -50, 200), ((80, 21, 29), 40, 90)):
    voxel = tuple(int(v) for v in voxel)
    at = values[voxel[2], voxel[1], voxel[0]]
    result = sitk.ConnectedThreshold(ct, [voxel], float(lower), float(upper))
    grown.append(
        {"voxel": list(voxel), "value": int(at), "minimum": lower, "maximum": upper,
         **summary(sitk.GetArrayFromImage(result) != 0)}
    )

OUT.write_text(
    json.dumps({"simpleitk": sitk.Version_VersionString(), "masks": masks, "rings": rings, "grown": grown}, indent=1)
    + "\n"
)
print(OUT, [(m["name"], m["voxels"], m["components"]["26"]["count"]) for m in masks], rings, grown)
