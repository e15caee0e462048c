"""Golden values of @onco-response/volume from SimpleITK and scipy, on a small oblique image.

Run: python tooling/reference/volume_goldens.py  (writes packages/volume/src/__fixtures__/simpleitk.json)
"""
import json
from pathlib import Path

import numpy as np
import scipy
import SimpleITK as sitk
from scipy import ndimage

OUT = Path(__file__).parents[2] / "packages/volume/src/__fixtures__/simpleitk.json"
rng = np.random.default_rng(20261)
SIZE, SPACING, ORIGIN = [13, 12, 11], [0.8, 0.7, 2.5], [-12.5, 30.25, -101.0]


def rotation(degrees):
    a, b, c = np.deg2rad(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rx @ ry @ rz


def image(array, direction):
    img = sitk.GetImageFromArray(array)
    img.SetSpacing(SPACING)
    img.SetOrigin(ORIGIN)
    img.SetDirection(direction.ravel().tolist())
    return img


def grid(img):
    return {
        "size": list(img.GetSize()),
        "spacing": list(img.GetSpacing()),
        "origin": list(img.GetOrigin()),
        "direction": list(img.GetDirection()),
    }


def flat(img, digits=6):
    return [round(float(v), digits) for v in sitk.GetArrayFromImage(img).ravel()]


smooth = ndimage.gaussian_filter(rng.normal(size=SIZE[::-1]), 1.0) * 2000
array = np.round(smooth).astype(np.int16)
direction = rotation([7, -4, 3])
source = image(array, direction)
as_float = sitk.Cast(source, sitk.sitkFloat64)


def target(size, spacing, shift, axes):
    ref = sitk.Image(size, sitk.sitkFloat64)
    ref.SetSpacing(spacing)
    ref.SetDirection(axes.ravel().tolist())
    ref.SetOrigin((np.array(ORIGIN) + direction @ np.array(shift)).tolist())
    return ref


# no position half-way between two voxels: there ITK's nearest neighbour depends on rounding noise
targets = {
    # same axes, other spacing, partly outside the source
    "aligned": target([9, 8, 7], [1.3, 1.1, 3.1], [-0.93, 0.62, 1.2], direction),
    # same axes running backwards along y
    "flipped": target([7, 8, 6], [1.0, 0.9, 2.0], [0.45, 7.3, 2.2], direction @ np.diag([1, -1, 1])),
    "oblique": target([8, 7, 6], [1.2, 1.0, 2.9], [0.7, 0.4, 2.3], rotation([-5, 9, 12])),
}
methods = {"nearest": sitk.sitkNearestNeighbor, "linear": sitk.sitkLinear, "bspline": sitk.sitkBSpline}
resampled = [
    {
        "target": name,
        "interpolation": method,
        "grid": grid(ref),
        "values": flat(sitk.Resample(as_float, ref, sitk.Transform(), code, -3000.0)),
    }
    for name, ref in targets.items()
    for method, code in methods.items()
]

# A sagittal-like order of axes for reorient
permuted = rotation([3, 5, -6]) @ np.array([[0, 0, -1], [1, 0, 0], [0, -1, 0]])
tilted = image(array, permuted)
oriented = {
    code: {**grid(img), "values": [int(v) for v in sitk.GetArrayFromImage(img).ravel()]}
    for code in ["LPS", "RAS"]
    for img in [sitk.DICOMOrient(tilted, code)]
}

mask = (smooth > 250).astype(np.uint8)
distance = ndimage.distance_transform_edt(mask == 0, sampling=SPACING[::-1])
inside = ndimage.distance_transform_edt(mask == 1, sampling=SPACING[::-1])
components = {}
for connectivity, structure in [(6, ndimage.generate_binary_structure(3, 1)), (26, np.ones((3, 3, 3)))]:
    labels, count = ndimage.label(mask, structure)
    components[connectivity] = sorted(np.bincount(labels.ravel())[1:].tolist(), reverse=True)

OUT.write_text(
    json.dumps(
        {
            "versions": {"SimpleITK": sitk.Version.VersionString(), "scipy": scipy.__version__},
            "source": {**grid(source), "values": array.ravel().tolist()},
            "resampled": resampled,
            "permuted": {"direction": permuted.ravel().tolist(), "oriented": oriented},
            "mask": mask.ravel().tolist(),
            "distance": [round(float(v), 6) for v in distance.ravel()],
            "erodeDistance": [round(float(v), 6) for v in inside.ravel()],
            "components": components,
        }
    )
)
print(OUT, OUT.stat().st_size, "bytes;", mask.sum(), "mask voxels;", {k: len(v) for k, v in components.items()})
