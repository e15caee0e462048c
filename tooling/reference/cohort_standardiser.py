"""Golden values of packages/cohort's standardiser: scikit-learn's StandardScaler, SimpleImputer, OneHotEncoder.

StandardScaler leaves missing values out of mean and deviation and keeps them; SimpleImputer then puts in the median
and adds an indicator for columns that lack values. Run: python tooling/reference/cohort_standardiser.py
Writes packages/cohort/src/__fixtures__/standardiser.json
"""

import json
from pathlib import Path

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

OUT = Path(__file__).parents[2] / "packages/cohort/src/__fixtures__/standardiser.json"
random = np.random.default_rng(11)
COUNT = 40


def rows(count):
    age = np.round(random.normal(61, 11, count), 1)
    ca125 = np.round(np.exp(random.normal(5, 1.2, count)), 1)  # skewed: its median is far from its mean
    stage = random.choice(["II", "III", "IV"], count)
    given = {"age": age, "ca125": ca125, "stage": stage.astype(object)}
    given["ca125"] = np.where(random.random(count) < 0.25, np.nan, ca125)
    given["stage"] = np.where(random.random(count) < 0.2, None, given["stage"])
    return given


def matrix(given):
    return np.column_stack([given["age"], given["ca125"]]).astype(float)


def listed(given):
    clean = lambda v: None if v is None or (isinstance(v, float) and np.isnan(v)) else v
    return [
        {"age": clean(float(a)), "ca125": clean(float(c)), "stage": clean(s)}
        for a, c, s in zip(given["age"], given["ca125"], given["stage"])
    ]


train, test = rows(COUNT), rows(15)
test["age"][3] = np.nan  # missing where no training row lacks it
numbers = make_pipeline(StandardScaler(), SimpleImputer(strategy="median", add_indicator=True)).fit(matrix(train))
known = np.array([s for s in train["stage"] if s is not None], dtype=object)
stages = OneHotEncoder(sparse_output=False, handle_unknown="ignore").fit(known.reshape(-1, 1))


def features(given):
    n = numbers.transform(matrix(given))  # age, ca125, ca125 missing
    s = stages.transform(np.array([x or "" for x in given["stage"]], dtype=object).reshape(-1, 1))  # "" -> 0 in all
    missing = np.array([[1.0 if x is None else 0.0] for x in given["stage"]])
    return np.hstack([n, s, missing]).tolist()


value = {
    "columns": ["age", "ca125", "stage"],
    "train": listed(train),
    "test": listed(test),
    "names": ["age", "ca125", "ca125 missing", *[f"stage={c}" for c in stages.categories_[0]], "stage missing"],
    "expected": {"train": features(train), "test": features(test)},
}
OUT.write_text(json.dumps(value, indent=1) + "\n")
print("wrote", OUT)
