"""nnU-Net's own resampling, normalisation, Gaussian and tile steps on small arrays: writes
packages/segmentation/src/__fixtures__/preprocessing.json.

    python tooling/reference/segmentation_preprocessing_goldens.py

Made with nnunetv2 2.8.1, batchgenerators 0.25.5, scikit-image 0.26.0, scipy 1.17.1, numpy 2.4.6, torch 2.15.0.
"""

import base64
import json
from pathlib import Path

import numpy as np
import torch
from acvl_utils.cropping_and_padding.bounding_boxes import get_bbox_from_mask
from nnunetv2.inference.sliding_window_prediction import compute_gaussian, compute_steps_for_sliding_window
from nnunetv2.preprocessing.cropping.cropping import create_nonzero_mask
from nnunetv2.preprocessing.normalization import default_normalization_schemes as schemes
from nnunetv2.preprocessing.resampling.default_resampling import compute_new_shape, resample_data_or_seg_to_shape

FIXTURE = Path(__file__).resolve().parents[2] / "packages/segmentation/src/__fixtures__/preprocessing.json"
rng = np.random.default_rng(8)


def packed(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def smooth(shape):
    z, y, x = np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")
    return (np.sin(z / 1.7) * np.cos(y / 2.3) + x / 9 + rng.normal(0, 0.4, shape)).astype(np.float32)


GRIDS = {
    "isotropic, both ways": ((7, 9, 8), (1.5, 1.0, 1.2), (1.0, 1.3, 1.2)),
    "thick first axis": ((6, 11, 9), (5.0, 0.8, 0.9), (3.0, 1.0, 1.0)),
    "thick first axis, planes kept": ((6, 11, 9), (5.0, 0.8, 0.9), (5.0, 1.1, 0.7)),
    "thick first axis, more planes": ((5, 8, 9), (5.0, 1.0, 1.0), (2.0, 1.0, 1.0)),
    "thick only in the target": ((9, 8, 7), (1.0, 1.0, 1.0), (3.5, 0.9, 1.1)),
    "thick middle axis": ((8, 5, 9), (1.0, 4.0, 1.1), (0.8, 3.0, 1.3)),
    "thick last axis": ((8, 9, 5), (1.0, 1.1, 4.0), (1.2, 0.9, 2.5)),
    "two thick axes": ((7, 8, 6), (4.0, 4.0, 1.0), (2.0, 3.0, 1.2)),
    "one plane": ((1, 9, 8), (6.0, 1.0, 1.0), (6.0, 1.4, 0.7)),
}

resampling = []
for name, (shape, spacing, target) in GRIDS.items():
    to = compute_new_shape(shape, spacing, target)
    image = smooth(shape)
    labels = np.clip(np.rint(smooth(shape)), -1, 2).astype(np.int8)
    logits = (smooth(shape) * 3).astype(np.float16)
    common = dict(order_z=0, force_separate_z=None)

    def run(data, is_seg, order):
        return resample_data_or_seg_to_shape(data[None], to, spacing, target, is_seg=is_seg, order=order, **common)[0]

    resampling.append(
        {
            "name": name,
            "from": shape,
            "to": to.tolist(),
            "spacing": spacing,
            "target": target,
            "image": packed(image),
            "imageResampled": packed(run(image, False, 3)),
            "labels": packed(labels),
            "labelsResampled": packed(run(labels, True, 1)),
            "logits": packed(logits.view(np.uint16)),
            "logitsResampled": packed(run(logits, False, 1).view(np.uint16)),
        }
    )

image = (rng.normal(60, 90, (5, 6, 7))).astype(np.float32)
seg = np.where(rng.random((5, 6, 7)) < 0.3, -1, 0).astype(np.int8)
properties = {"mean": 71.25, "std": 63.5, "percentile_00_5": -80.0, "percentile_99_5": 190.0}
normalisation = {
    "image": packed(image),
    "inside": packed((seg >= 0).astype(np.uint8)),
    "properties": properties,
    "results": {},
}
for name in ("CTNormalization", "ZScoreNormalization", "NoNormalization", "RescaleTo01Normalization"):
    for masked in (False, True):
        run = getattr(schemes, name)(use_mask_for_norm=masked, intensityproperties=properties)
        normalisation["results"][f"{name} {masked}"] = packed(run.run(image.copy(), seg))
rgb = rng.integers(0, 256, (2, 3, 4)).astype(np.float32)
normalisation["rgb"] = packed(rgb)
normalisation["rgbResult"] = packed(
    schemes.RGBTo01Normalization(use_mask_for_norm=False, intensityproperties={}).run(rgb.copy())
)

two = np.zeros((2, 7, 8, 9), np.float32)
two[0, 2:6, 1:5, 3:7] = 5
two[0, 3:5, 2:4, 4:6] = 0  # a hole
two[1, 4, 4, 7] = -2
mask = create_nonzero_mask(two)

gaussians = []
for sides in ([6, 8, 8], [5, 7, 9], [24, 20], [1, 16, 12], [32, 24, 28]):
    weights = compute_gaussian(tuple(sides), value_scaling_factor=10, dtype=torch.float16, device=torch.device("cpu"))
    bits = weights.numpy().view(np.uint16)
    gaussians.append({"sides": sides, "bits": packed(bits)} if bits.size < 5000 else
                     {"sides": sides, "middleRow": packed(bits[sides[0] // 2, sides[1] // 3])})  # fmt: skip

steps = [
    {"size": size, "tile": tile, "step": step, "starts": compute_steps_for_sliding_window((size,), (tile,), step)[0]}
    for size, tile, step in [
        (110, 64, 0.5), (64, 64, 0.5), (65, 64, 0.5), (97, 64, 0.5), (33, 8, 0.5), (35, 7, 0.5), (101, 20, 0.7),
        (50, 20, 1), (29, 5, 0.3),
    ]
]  # fmt: skip

halves = np.concatenate(
    [
        rng.normal(0, 1, 200), 10.0 ** rng.uniform(-9, 6, 200), -(10.0 ** rng.uniform(-9, 6, 100)),
        [0, -0.0, 65504, 65519.99, 65520, 2**-24, 2**-25, 1.5 * 2**-24, 2**-14, np.inf, -np.inf, 1 + 2**-11, 1 + 3 * 2**-11],
    ]
).astype(np.float32)  # fmt: skip

FIXTURE.parent.mkdir(exist_ok=True)
FIXTURE.write_text(
    json.dumps(
        {
            "resampling": resampling,
            "normalisation": normalisation,
            "nonzero": {
                "channels": packed(two),
                "shape": two.shape[1:],
                "box": [[int(a), int(b)] for a, b in get_bbox_from_mask(mask)],
                "inside": packed(mask.astype(np.uint8)),
            },
            "gaussians": gaussians,
            "steps": steps,
            "halves": {"values": packed(halves), "bits": packed(halves.astype(np.float16).view(np.uint16))},
        }
    )
    + "\n"
)
