"""Golden values for the robustness and explanation functions of packages/metrics: split-conformal sets, Mahalanobis distances,
permutation importance.

Run: python tooling/reference/metrics_conformal_golden.py > packages/metrics/src/__fixtures__/conformal.json
Needs: numpy scipy scikit-learn mapie (versions are written into the file).

MAPIE takes numpy's "higher" quantile at (n + 1) level / n, which is rank ceil((n + 1) level (n - 1) / n) + 1. That is the rank of the
papers, ceil((n + 1) level), except where (n + 1) level is whole, where it is one more: such sizes are left out below.
"""

import json
import sys
import warnings
from importlib.metadata import version

import numpy as np
from mapie.classification import SplitConformalClassifier
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.covariance import EmpiricalCovariance, LedoitWolf, ShrunkCovariance
from sklearn.inspection import permutation_importance
from sklearn.metrics import roc_auc_score

warnings.simplefilter("ignore")


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose input is its probability."""

    def __init__(self):
        self.classes_ = np.array([0, 1])
        self.fitted_ = True

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 0], X[:, 0]])

    def predict(self, X):
        return (X[:, 0] >= 0.5).astype(int)


def mapie_sets(labels, probabilities, new, level):
    conformal = SplitConformalClassifier(estimator=Given(), confidence_level=level, conformity_score="lac", prefit=True)
    conformal.conformalize(probabilities[:, None], labels)
    sets = conformal.predict_set(new[:, None])[1][:, :, 0]
    return [[int(label) for label in (0, 1) if row[label]] for row in sets]


def conformal_set(rng, n, level):
    labels = np.r_[np.zeros(n // 2, int), np.ones(n - n // 2, int)]
    logits = rng.normal(size=n) + 1.2 * (labels - 0.5)
    probabilities = 1 / (1 + np.exp(-logits))
    new = np.linspace(0.001, 0.999, 201)
    # Within each class the set of label k is MAPIE's marginal procedure on the cases of class k alone.
    per_class = []
    for label in (0, 1):
        scores = np.where(labels == 1, 1 - probabilities, probabilities)[labels == label]
        rank = int(np.ceil((len(scores) + 1) * level))
        per_class.append(float(np.sort(scores)[rank - 1]) if rank <= len(scores) else 1.0)
    return {
        "labels": labels.tolist(),
        "probabilities": probabilities.tolist(),
        "level": level,
        "new": new.tolist(),
        "sets": mapie_sets(labels, probabilities, new, level),
        "perClass": per_class,
    }


def mahalanobis_set(rng, n, d):
    mixing = rng.normal(size=(d, d))
    rows = rng.normal(size=(n, d)) @ mixing + rng.normal(size=d) * 3
    new = rng.normal(size=(6, d)) @ mixing * np.array([[1], [1], [2], [3], [0.1], [5]])
    models = {"ledoitWolf": LedoitWolf().fit(rows), "0.3": ShrunkCovariance(shrinkage=0.3).fit(rows)}
    if n > d + 2:
        models["0"] = EmpiricalCovariance().fit(rows)
    out = {}
    for name, model in models.items():
        squares = model.mahalanobis(new)
        out[name] = {"squares": squares.tolist(), "p": stats.chi2.sf(squares, d).tolist()}
    out["ledoitWolf"]["shrinkage"] = float(models["ledoitWolf"].shrinkage_)
    left_out = None
    if n > d + 2:
        left_out = sorted(float(EmpiricalCovariance().fit(np.delete(rows, i, 0)).mahalanobis(rows[i : i + 1])[0]) for i in range(n))
    return {"rows": rows.tolist(), "new": new.tolist(), "models": out, "leftOut": left_out}


class Linear(Given):
    def __init__(self, weights=(1.5, -0.5, 0.0)):
        super().__init__()
        self.weights = weights

    def predict_proba(self, X):
        p = 1 / (1 + np.exp(-X @ np.array(self.weights)))
        return np.column_stack([1 - p, p])


def importance_set(rng):
    n, repeats, seed = 50, 5, 3
    X = rng.normal(size=(n, 3))
    model = Linear()
    y = (rng.uniform(size=n) < model.predict_proba(X)[:, 1]).astype(int)
    scorer = lambda estimator, X, y: roc_auc_score(y, estimator.predict_proba(X)[:, 1])
    result = permutation_importance(model, X, y, scoring=scorer, n_repeats=repeats, random_state=seed)
    # scikit-learn draws one seed, then for each column shuffles one index array again and again, each time applying it to the
    # column as the last shuffle left it.
    drawn = np.random.RandomState(seed).randint(np.iinfo(np.int32).max + 1)
    orders = []
    for _ in range(3):
        state, order, column, of_column = np.random.RandomState(drawn), np.arange(n), np.arange(n), []
        for _ in range(repeats):
            state.shuffle(order)
            column = column[order]
            of_column.append(column.tolist())
        orders.append(of_column)
    return {
        "weights": list(model.weights),
        "rows": X.tolist(),
        "labels": y.tolist(),
        "orders": orders,
        "baseline": scorer(model, X, y),
        "importances": result.importances.tolist(),
        "mean": result.importances_mean.tolist(),
        "deviation": result.importances_std.tolist(),
    }


rng = np.random.default_rng(20261122)
json.dump(
    {
        "versions": {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "mapie")},
        "conformal": [conformal_set(rng, n, level) for n, level in ((30, 0.9), (45, 0.8), (57, 0.7), (200, 0.95))],
        "mahalanobis": [mahalanobis_set(rng, 60, 4), mahalanobis_set(rng, 20, 12), mahalanobis_set(rng, 12, 25), mahalanobis_set(rng, 15, 1)],
        "importance": importance_set(rng),
    },
    sys.stdout,
    separators=(",", ":"),
)
