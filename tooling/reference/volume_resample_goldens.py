"""Golden values of resampling, its low-pass and hole filling, in @onco-response/volume, from SimpleITK and scipy.

Run: python tooling/reference/volume_resample_goldens.py  (writes resample.json.gz and holes.json in packages/volume/src/__fixtures__)
Float32 images go in and float32 images come out, as base64 of their bytes; voxels of the target that lie nearer than
`INTERIOR` voxels to the source's edge are NaN: there the boundary rules differ by design.
"""
import base64
import gzip
import json
from pathlib import Path

import numpy as np
import scipy
import SimpleITK as sitk
from scipy import ndimage

OUT = Path(__file__).parents[2] / "packages/volume/src/__fixtures__"
rng = np.random.default_rng(20262)
SIZE, SPACING, ORIGIN = [22, 20, 16], [0.7, 0.8, 2.5], [-12.5, 30.25, -101.0]
INTERIOR = 1


def rotation(degrees):
    a, b, c = np.deg2rad(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rx @ ry @ rz


def packed(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def grid(img):
    return {
        "size": list(img.GetSize()),
        "spacing": list(img.GetSpacing()),
        "origin": list(img.GetOrigin()),
        "direction": list(img.GetDirection()),
    }


# a CT's range of values, rough and smooth parts, fractions of HU
array = (
    ndimage.gaussian_filter(rng.normal(size=SIZE[::-1]), 1.2) * 4000 + rng.normal(size=SIZE[::-1]) * 40 - 200
).clip(-1024, 3000)
array = (np.round(array * 4) / 4).astype(np.float32)
direction = rotation([7, -4, 13])
source = sitk.GetImageFromArray(array)
source.SetSpacing(SPACING)
source.SetOrigin(ORIGIN)
source.SetDirection(direction.ravel().tolist())


def target(size, spacing, first, axes):
    """A grid whose first voxel lies at the source's index `first`."""
    img = sitk.Image(size, sitk.sitkFloat32)
    img.SetSpacing(spacing)
    img.SetDirection(axes.ravel().tolist())
    img.SetOrigin(source.TransformContinuousIndexToPhysicalPoint(first))
    return img


targets = {
    "isotropic": target([9, 9, 16], [1.0, 1.0, 1.0], [2.3, 2.1, 1.6], direction),
    "finer": target([12, 14, 11], [0.31, 0.37, 0.9], [3.4, 2.7, 2.2], direction),
    "coarser": target([5, 4, 4], [2.3, 3.1, 6.0], [2.2, 3.3, 2.4], direction),
    "flipped": target([12, 10, 7], [0.9, 1.1, 2.7], [19.3, 2.4, 13.2], direction @ np.diag([-1, 1, -1])),
    "upright": target([9, 10, 12], [0.9, 1.0, 1.1], [3.1, 4.2, 3.2], np.eye(3)),
    "turned": target([10, 14, 10], [1.2, 0.6, 1.3], [5.3, 4.4, 4.1], rotation([-25, 19, 32])),
}
methods = {"linear": sitk.sitkLinear, "bspline": sitk.sitkBSpline}
resampled = []
for name, like in targets.items():
    points = [
        source.TransformPhysicalPointToContinuousIndex(like.TransformIndexToPhysicalPoint((i, j, k)))
        for k in range(like.GetSize()[2])
        for j in range(like.GetSize()[1])
        for i in range(like.GetSize()[0])
    ]
    depth = np.min(np.minimum(points, np.array(SIZE) - 1 - np.array(points)), axis=1)
    for method, code in methods.items():
        values = sitk.GetArrayFromImage(
            sitk.Resample(source, like, sitk.Transform(), code, 0.0, sitk.sitkFloat32)
        ).ravel()
        values[depth < INTERIOR] = np.nan
        resampled.append(
            {"target": name, "interpolation": method, "grid": grid(like), "values": packed(values)}
        )

blurred = {
    name: packed(ndimage.gaussian_filter(array.astype(np.float64), sigma[::-1], mode="mirror").astype(np.float32))
    for name, sigma in {"even": (1.0, 1.0, 1.0), "uneven": (0.2, 3.7, 0.0), "wide": (0.5, 0.5, 9.0)}.items()
}

holes = {}
for share in (0.5, 0.62, 0.7, 0.8):
    mask = rng.random((9, 11, 13)) < share
    full = ndimage.generate_binary_structure
    holes[str(share)] = {
        "mask": packed(mask.astype(np.uint8)),
        "6": packed(ndimage.binary_fill_holes(mask, full(3, 1)).astype(np.uint8)),
        "26": packed(ndimage.binary_fill_holes(mask, full(3, 3)).astype(np.uint8)),
        **{
            f"slices {axis}, {name}": packed(
                np.stack(
                    [
                        ndimage.binary_fill_holes(plane, full(2, rank))
                        for plane in np.moveaxis(mask, 2 - axis, 0)
                    ],
                    axis=2 - axis,
                ).astype(np.uint8)
            )
            for axis in range(3)
            for name, rank in (("6", 1), ("26", 2))
        },
    }

versions = {"SimpleITK": sitk.Version.VersionString(), "scipy": scipy.__version__}
text = json.dumps(
    {
        "versions": versions,
        "source": {**grid(source), "values": packed(array)},
        "resampled": resampled,
        "blurred": blurred,
    }
)
(OUT / "resample.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
(OUT / "holes.json").write_text(json.dumps({"versions": versions, "size": [13, 11, 9], "masks": holes}))
print({name: (OUT / name).stat().st_size for name in ("resample.json.gz", "holes.json")})
