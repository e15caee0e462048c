"""Golden values for packages/metrics from scikit-learn, scipy, statsmodels, lifelines and numpy.

Run: python tooling/reference/metrics_golden.py > packages/metrics/src/__fixtures__/golden.json
Needs: numpy scipy scikit-learn statsmodels lifelines (versions are written into the file).
"""

import json
import sys

import lifelines
import numpy as np
import scipy
import sklearn
import statsmodels
import statsmodels.api as sm
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import concordance_index
from scipy import optimize, stats
from scipy.special import expit, logit
from sklearn import metrics
from sklearn.calibration import _sigmoid_calibration, calibration_curve
from sklearn.isotonic import IsotonicRegression
from statsmodels.stats.proportion import proportion_confint


def delong(labels, a, b):
    """The definition of DeLong 1988 with all pairs, O(P N): nothing shared with the fast form under test."""
    components = []
    for s in (a, b):
        wins = (s[labels == 1][:, None] > s[labels == 0][None]) + 0.5 * (s[labels == 1][:, None] == s[labels == 0][None])
        components.append((wins.mean(1), wins.mean(0), wins.mean()))
    s10 = np.cov([c[0] for c in components])
    s01 = np.cov([c[1] for c in components])
    covariance = s10 / (labels == 1).sum() + s01 / (labels == 0).sum()
    difference = components[0][2] - components[1][2]
    z = difference / np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    standard_error = np.sqrt(covariance[0, 0])
    log_odds = logit(components[0][2])
    half = stats.norm.ppf(0.975) * standard_error / (components[0][2] * (1 - components[0][2]))
    return {
        "covariance": covariance.tolist(),
        "z": z,
        "p": 2 * stats.norm.sf(abs(z)),
        "standardError": standard_error,
        "lower": max(0, components[0][2] - stats.norm.ppf(0.975) * standard_error),
        "upper": min(1, components[0][2] + stats.norm.ppf(0.975) * standard_error),
        "logit": [expit(log_odds - half), expit(log_odds + half)],
    }


def ece(labels, probabilities, bins, confidence):
    """gpleiss/temperature_scaling: bins (lo, hi]; the positive-class form uses p and y instead of max p and correctness."""
    value = np.maximum(probabilities, 1 - probabilities) if confidence else probabilities
    outcome = ((probabilities >= 0.5) == labels) if confidence else labels
    total = 0
    for low, high in zip(np.arange(bins) / bins, np.arange(1, bins + 1) / bins):
        inside = (value > low) & (value <= high)
        if inside.any():
            total += inside.mean() * abs(outcome[inside].mean() - value[inside].mean())
    return total


def net_benefit(labels, probabilities, t):
    treated = probabilities >= t
    return float((treated & (labels == 1)).mean() - (treated & (labels == 0)).mean() * t / (1 - t))


def binary_set(name, labels, a, b, threshold):
    """a and b are probabilities; the reference takes their exact float64 values, which JSON keeps."""
    fpr, tpr, roc_thresholds = metrics.roc_curve(labels, a, drop_intermediate=False)
    precision, recall, pr_thresholds = metrics.precision_recall_curve(labels, a)
    logits = logit(a)
    pa, pb = _sigmoid_calibration(logits, labels)
    nll = lambda t: np.mean(np.logaddexp(0, -(2 * labels - 1) * logits / t))
    temperature = optimize.minimize_scalar(nll, bounds=(0.01, 50), method="bounded", options={"xatol": 1e-11}).x
    isotonic = IsotonicRegression(out_of_bounds="clip", y_min=None).fit(a, labels)
    grid = np.linspace(-0.1, 1.1, 13)
    cox = sm.Logit(labels, sm.add_constant(logits)).fit(disp=0, tol=1e-14, maxiter=200).params
    large = sm.GLM(labels, np.ones((len(labels), 1)), family=sm.families.Binomial(), offset=logits).fit(tol=1e-14).params[0]
    curve = calibration_curve(labels, a, n_bins=10, strategy="uniform")
    quantile_curve = calibration_curve(labels, a, n_bins=5, strategy="quantile")
    predicted = (a >= threshold).astype(int)
    tn, fp, fn, tp = metrics.confusion_matrix(labels, predicted).ravel()
    rho = stats.spearmanr(a, b)
    return {
        "name": name,
        "labels": labels.tolist(),
        "a": a.tolist(),
        "b": b.tolist(),
        "threshold": threshold,
        "rocAuc": metrics.roc_auc_score(labels, a),
        "prAuc": metrics.average_precision_score(labels, a),
        "roc": {"fpr": fpr.tolist(), "tpr": tpr.tolist(), "thresholds": roc_thresholds[1:].tolist()},
        "pr": {"precision": precision.tolist(), "recall": recall.tolist(), "thresholds": pr_thresholds.tolist()},
        "confusion": {"tp": int(tp), "fp": int(fp), "tn": int(tn), "fn": int(fn)},
        "f1Score": metrics.f1_score(labels, predicted),
        "balancedAccuracy": metrics.balanced_accuracy_score(labels, predicted),
        "sensitivity": metrics.recall_score(labels, predicted),
        "specificity": metrics.recall_score(labels, predicted, pos_label=0),
        "brierScore": metrics.brier_score_loss(labels, a),
        "delong": delong(labels, a, b),
        "ecePositive": ece(labels, a, 10, False),
        "eceConfidence": ece(labels, a, 15, True),
        "calibration": [c.tolist() for c in curve],
        "calibrationQuantile": [c.tolist() for c in quantile_curve],
        "cox": {"slope": cox[1], "intercept": cox[0], "calibrationInTheLarge": large},
        "platt": {"a": pa, "b": pb},
        "temperature": temperature,
        "isotonic": {"grid": grid.tolist(), "values": isotonic.predict(grid).tolist()},
        "netBenefit": [net_benefit(labels, a, t) for t in (0.1, 0.25, 0.5, 0.75)],
        "spearman": {"rho": rho.statistic, "p": rho.pvalue},
    }


def survival_set(name, times, events, groups, risks):
    fitter = KaplanMeierFitter().fit(times, events)
    interval = fitter.confidence_interval_survival_function_
    test = multivariate_logrank_test(times, groups, events)
    # lifelines' own limit where survival reaches 0 is not a number; the package says 0 there.
    return {
        "name": name,
        "times": times.tolist(),
        "events": events.tolist(),
        "groups": groups.tolist(),
        "risks": risks.tolist(),
        "survival": fitter.survival_function_.iloc[:, 0].tolist(),
        "lower": np.nan_to_num(interval.iloc[:, 0].to_numpy(), nan=0).tolist(),
        "upper": np.nan_to_num(interval.iloc[:, 1].to_numpy(), nan=0).tolist(),
        "median": None if np.isinf(fitter.median_survival_time_) else fitter.median_survival_time_,
        "logRank": {"statistic": test.test_statistic, "p": test.p_value},
        "concordance": concordance_index(times, -risks, events),
    }


def make():
    rng = np.random.default_rng(20261122)
    labels = (rng.random(40) < 0.4).astype(int)
    tied = np.clip(np.round(expit(rng.normal(size=40) + 1.2 * labels - 0.5), 1), 0.05, 0.95)
    tied_b = np.clip(np.round(expit(rng.normal(size=40) + 0.6 * labels - 0.5), 1), 0.05, 0.95)
    labels_rare = (rng.random(120) < 0.12).astype(int)
    rare = expit(rng.normal(size=120) + 1.0 * labels_rare - 2)
    rare_b = expit(rng.normal(size=120) * 2 + 0.3 * labels_rare - 2)
    labels_worse = (rng.random(60) < 0.6).astype(int)
    worse = expit(1.5 * rng.normal(size=60) + 0.4 * labels_worse)
    worse_b = expit(rng.normal(size=60) + 1.5 * labels_worse)
    n = 60
    times = np.ceil(rng.exponential(10, n))
    events = (rng.random(n) < 0.7).astype(int)
    groups = rng.integers(0, 3, n)
    risks = np.round(-times / 10 + rng.normal(size=n), 1)
    early = np.array([6, 7, 10, 15, 19, 25, 3, 5, 8, 9, 12, 30.0])
    early_events = np.array([1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0])
    return {
        "versions": {
            "python": sys.version.split()[0],
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__,
            "statsmodels": statsmodels.__version__,
            "lifelines": lifelines.__version__,
        },
        "binary": [
            binary_set("ties, n = 40", labels, tied, tied_b, 0.5),
            binary_set("rare positives, n = 120", labels_rare, rare, rare_b, 0.2),
            binary_set("weak model, n = 60", labels_worse, worse, worse_b, 0.6),
        ],
        "survival": [
            survival_set("three groups, tied times, n = 60", times, events, groups, risks),
            survival_set("two groups, n = 12", early, early_events, np.repeat([0, 1], 6), -early[::-1]),
        ],
        "wilson": [
            {"successes": s, "total": t, "level": level, "limits": proportion_confint(s, t, 1 - level, "wilson")}
            for s, t, level in ((8, 10, 0.95), (0, 7, 0.95), (7, 7, 0.9), (37, 150, 0.99))
        ],
        "normalTwoSided": [[z, 2 * stats.norm.sf(z)] for z in (0.01, 0.5, 1.959963984540054, 4, 9)],
        "normalQuantile": [[p, stats.norm.ppf(p)] for p in (1e-12, 0.001, 0.025, 0.3, 0.5, 0.7, 0.975, 0.9999)],
        "chiSquare": [[x, df, stats.chi2.sf(x, df)] for x, df in ((0.1, 1), (3.84, 1), (5, 2), (40, 3), (2, 7))],
        "student": [[t, df, 2 * stats.t.sf(t, df)] for t, df in ((0.1, 1), (2.1, 4), (1.5, 38), (6, 118), (30, 10))],
    }


json.dump(make(), sys.stdout, indent=1)
