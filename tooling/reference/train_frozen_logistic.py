"""Logistic regression on a frozen encoder's slices, on the folds of a study: what a trained head has to reach.

Class tokens of up to 6 slices spread over the lesion (lesion box + 4 mm, window [-1000, 400] HU, 112 px, DINOv2), averaged;
fitted on a fold's training cases, measured on its test cases.

Run: python tooling/reference/train_frozen_logistic.py COHORT.csv RUN/splits.json ENCODER_FOLDER
Needs: numpy torch transformers SimpleITK scikit-learn
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers import Dinov2Model

cohort, splits, encoder = sys.argv[1:4]
rows = list(csv.DictReader(open(cohort)))
model = Dinov2Model.from_pretrained(encoder).eval()
mean, deviation = (torch.tensor(v)[:, None, None] for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))


def box(mask, spacing, axis):
    at = np.flatnonzero(mask.any(axis=(0, axis)))
    return (at[0] + at[-1]) / 2, (at[-1] - at[0] + 1) * spacing


@torch.no_grad()
def features(row):
    folder = Path(cohort).parent
    image, mask = (sitk.ReadImage(str(folder / row[name])) for name in ("image", "mask"))
    sx, sy, _ = image.GetSpacing()
    hu, inside = sitk.GetArrayFromImage(image).astype(np.float32), sitk.GetArrayFromImage(mask) > 0
    z = np.flatnonzero(inside.any((1, 2)))
    chosen = z[np.unique(np.round(np.linspace(0, len(z) - 1, min(6, len(z)))).astype(int))]
    (cy, height), (cx, width) = box(inside, sy, 2), box(inside, sx, 1)
    half = max(height, width) / 2 + 4
    y, x = slice(max(0, round(cy - half / sy)), round(cy + half / sy) + 1), slice(max(0, round(cx - half / sx)), round(cx + half / sx) + 1)
    slices = torch.tensor(np.clip((hu[chosen][:, y, x] + 1000) / 1400, 0, 1))[:, None]
    pixels = torch.nn.functional.interpolate(slices, size=(112, 112), mode="bilinear").repeat(1, 3, 1, 1)
    return model((pixels - mean) / deviation).last_hidden_state[:, 0].mean(0).numpy()


X = np.stack([features(row) for row in rows])
y = np.array([int(row["label"]) for row in rows])
for c in (0.001, 0.01, 0.1):
    aucs = []
    for fold in json.load(open(splits))["folds"]:
        train, test = (np.array([int(case.split("-")[1]) - 1 for case in fold[part]]) for part in ("train", "test"))
        fitted = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=3000)).fit(X[train], y[train])
        aucs.append(roc_auc_score(y[test], fitted.decision_function(X[test])))
    print(f"C {c}: AUC within folds {np.mean(aucs):.3f} ({', '.join(f'{auc:.3f}' for auc in aucs)})")
