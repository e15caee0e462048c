"""The peers' side of `pnpm bench metrics`: one task in one process, its time and what it found as JSON on stdout.

DeLong in the form of Sun and Xu 2014 (midranks of all cases and of each class), in numpy and scipy, vectorised throughout;
the bootstrap as it is usually written: a loop that draws positives and negatives and calls scikit-learn's roc_auc_score.
"""
import json
import os
import sys
import time

import numpy as np
from scipy.stats import norm, rankdata
from sklearn.metrics import roc_auc_score

task, data = sys.argv[1:3]
labels = np.fromfile(os.path.join(data, "metrics-labels.bin"), dtype=np.uint8)
a = np.fromfile(os.path.join(data, "metrics-a.bin"))
b = np.fromfile(os.path.join(data, "metrics-b.bin"))


def placements(scores, positive):
    x, y = scores[positive], scores[~positive]
    m, n = len(x), len(y)
    ranks = rankdata(np.concatenate([x, y]))
    auc = ranks[:m].sum() / (m * n) - (m + 1) / (2 * n)
    return auc, (ranks[:m] - rankdata(x)) / n, 1 - (ranks[m:] - rankdata(y)) / m


def delong():
    positive = labels == 1
    m, n = positive.sum(), (~positive).sum()
    (auc_a, x_a, y_a), (auc_b, x_b, y_b) = placements(a, positive), placements(b, positive)
    s = np.cov(x_a, x_b) / m + np.cov(y_a, y_b) / n
    z = (auc_a - auc_b) / np.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1])
    return [auc_a, auc_b, z, 2 * norm.sf(abs(z))]


def bootstrap():
    y, s = labels[:10_000], a[:10_000]
    rng = np.random.default_rng(1)
    positives, negatives = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    values = []
    for _ in range(2000):
        drawn = np.concatenate([rng.choice(positives, len(positives)), rng.choice(negatives, len(negatives))])
        values.append(roc_auc_score(y[drawn], s[drawn]))
    return [roc_auc_score(y, s), *np.quantile(values, [0.025, 0.975])]


start = time.perf_counter()
found = delong() if task.startswith("DeLong") else bootstrap()
print(json.dumps({"milliseconds": 1000 * (time.perf_counter() - start), "found": [float(value) for value in found]}))
