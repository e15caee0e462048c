"""Golden values for packages/tabular from scikit-learn, on synthetic tables.

Run: python tooling/reference/tabular_golden.py > packages/tabular/src/__fixtures__/golden.json
Needs: numpy pandas scikit-learn (versions are written into the file).
"""

import json
import sys

import numpy as np
import pandas as pd
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

# Newton's method to a gradient of 1e-14: the optimum itself, not where L-BFGS stops.
EXACT = dict(solver="newton-cholesky", tol=1e-14, max_iter=500)


def logistic_set(name, x, y, c, class_weight=None):
    options = dict(C=np.inf) if c is None else dict(C=c)
    model = LogisticRegression(class_weight=class_weight, **options, **EXACT).fit(x, y)
    default = LogisticRegression(class_weight=class_weight, **options, max_iter=1000).fit(x, y)
    return {
        "name": name,
        "x": x.tolist(),
        "y": y.tolist(),
        "c": c,
        "classWeight": class_weight or "none",
        "coefficients": model.coef_[0].tolist(),
        "intercept": model.intercept_[0],
        "probabilities": model.predict_proba(x)[:, 1].tolist(),
        "lbfgs": default.coef_[0].tolist(),
    }


def cells(frame):
    return [
        {k: None if pd.isna(v) else (v if isinstance(v, str) else float(v)) for k, v in row.items()}
        for row in frame.to_dict("records")
    ]


def pipeline_set(name, rng, n, c, missing):
    frame = pd.DataFrame(
        {
            "age": np.round(rng.normal(55, 12, n)),
            "log_volume": rng.normal(9, 1.5, n),
            "constant": np.full(n, 0.1),
            "stage": rng.choice(["I", "II", "III", "IV"], n, p=[0.2, 0.4, 0.35, 0.05]),
            "receptor": rng.choice(["neg", "pos"], n),
        }
    )
    y = (rng.random(n) < 1 / (1 + np.exp(-(0.05 * (frame.age - 55) + 0.5 * (frame.log_volume - 9) - 0.6 * (frame.stage == "III"))))).astype(int)
    if missing:
        frame.loc[rng.random(n) < 0.15, "age"] = np.nan
        frame.loc[rng.random(n) < 0.1, "log_volume"] = np.nan
        frame.loc[rng.random(n) < 0.1, "stage"] = None
    train = np.arange(n) < n * 2 // 3
    numeric, categorical = ["age", "log_volume", "constant"], ["stage", "receptor"]
    frame.loc[np.flatnonzero(~train)[0], "receptor"] = "unheard of"
    model = make_pipeline(
        ColumnTransformer(
            [
                ("numeric", make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numeric),
                ("categorical", OneHotEncoder(handle_unknown="ignore", sparse_output=False), categorical),
            ]
        ),
        LogisticRegression(C=c, **EXACT),
    ).fit(frame[train], y[train])
    return {
        "name": name,
        "train": cells(frame[train]),
        "labels": y[train].tolist(),
        "test": cells(frame[~train]),
        "c": c,
        "transformed": model[0].transform(frame[~train]).tolist(),
        "coefficients": model[1].coef_[0].tolist(),
        "intercept": model[1].intercept_[0],
        "probabilities": model.predict_proba(frame[~train])[:, 1].tolist(),
    }


def make():
    rng = np.random.default_rng(20261122)
    n = 80
    x = rng.normal(size=(n, 4)) * [1, 3, 0.2, 1] + [0, 5, 0, 0]
    y = (rng.random(n) < 1 / (1 + np.exp(-(x[:, 0] - 0.5 * x[:, 3])))).astype(int)
    rare = (rng.random(150) < 0.1).astype(int)
    weak = rng.normal(size=(150, 2)) + rare[:, None]
    separable = np.linspace(-1, 1, 20)[:, None] * [1.0, 2.0]
    wide = rng.normal(size=(25, 60))
    return {
        "versions": {"python": sys.version.split()[0], "numpy": np.__version__, "pandas": pd.__version__, "scikit-learn": sklearn.__version__},
        "logistic": [
            logistic_set("four columns, C = 1", x, y, 1.0),
            logistic_set("four columns, C = 0.01", x, y, 0.01),
            logistic_set("four columns, C = 1000", x, y, 1000.0),
            logistic_set("four columns, no penalty", x, y, None),
            logistic_set("rare positives, balanced", weak, rare, 0.5, "balanced"),
            logistic_set("separable and collinear, C = 1", separable, (np.arange(20) >= 10).astype(int), 1.0),
            logistic_set("more columns than rows, C = 0.1", wide, (rng.random(25) < 0.5).astype(int), 0.1),
        ],
        "pipeline": [
            pipeline_set("with gaps, n = 150", rng, 150, 1.0, True),
            pipeline_set("complete, n = 90", rng, 90, 0.3, False),
        ],
    }


json.dump(make(), sys.stdout, separators=(",", ":"), default=float)
