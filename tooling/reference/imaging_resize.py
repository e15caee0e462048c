"""Golden values for @onco-response/lesion-mask: torch's antialiased bilinear resize of a small plane.

Run: python tooling/reference/imaging_resize.py
"""
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import interpolate

OUT = Path(__file__).parents[2] / "packages/lesion-mask/src/__fixtures__/resize.json"
plane = np.random.default_rng(3).random((12, 12)).round(4)
image = torch.tensor(plane)[None, None]
resized = {
    size: interpolate(image, size=(size, size), mode="bilinear", antialias=True, align_corners=False)[0, 0].flatten().tolist()
    for size in (5, 8, 12, 17)
}
OUT.parent.mkdir(exist_ok=True)
OUT.write_text(json.dumps({"torch": torch.__version__, "plane": plane.ravel().tolist(), "resized": resized}))
print(OUT, OUT.stat().st_size)
