"""Golden values of packages/cohort: canonical JSON hashes (hashlib) and the best reachable AUC (Monte Carlo, numpy).

Run: python tooling/reference/cohort_golden.py   (needs numpy, scikit-learn)
Writes packages/cohort/src/__fixtures__/reference.json
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

OUT = Path(__file__).parents[2] / "packages/cohort/src/__fixtures__/reference.json"
values = [{"b": [1, 2.5, None], "a": {"z": "é\"\n", "y": True}}, [], "", {"cases": {"train": ["case-0001"]}}]
hashes = [
    hashlib.sha256(json.dumps(v, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
    for v in values
]
random = np.random.default_rng(7)
auc = []
for strength, intercept in [(0, 0), (1, 0), (4, 0), (4, -1.5), (-3, 0.5)]:
    m = random.standard_normal(4_000_000)
    y = random.random(len(m)) < 1 / (1 + np.exp(-(intercept + strength * m)))
    best = roc_auc_score(y, m * (np.sign(strength) or 1))
    auc.append({"strength": strength, "intercept": intercept, "auc": best})
OUT.parent.mkdir(parents=True, exist_ok=True)
OUT.write_text(json.dumps({"values": values, "hashes": hashes, "auc": auc}, indent=1) + "\n")
print("wrote", OUT)
