"""Golden values for packages/metrics beyond metrics_golden.py: partial AUC, unpaired DeLong, BCa, exact tests, calibration by
parts, agreement, weighted survival measures, several classes and masks.

Run: python tooling/reference/metrics_extended_golden.py > packages/metrics/src/__fixtures__/extended.json
Needs: numpy scipy scikit-learn statsmodels scikit-survival pingouin netcal betacal dcurves monai torch
(versions are written into the file). pROC is R: its formulas (partial AUC over sensitivity, unpaired DeLong) are restated here.
"""

import json
import sys
import warnings
from importlib.metadata import version
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pingouin
import statsmodels.api as sm
import torch
from betacal import BetaCalibration
from dcurves import dca
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance, compute_surface_dice
from netcal.metrics import ECE
from scipy import stats
from scipy.special import expit
from sklearn import metrics
from sksurv.metrics import brier_score, concordance_index_censored, concordance_index_ipcw, integrated_brier_score
from sksurv.util import Surv
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

warnings.simplefilter("ignore")


def placements(labels, s):
    pairs = (s[labels == 1][:, None] > s[labels == 0][None]) + 0.5 * (s[labels == 1][:, None] == s[labels == 0][None])
    variance = np.var(pairs.mean(1), ddof=1) / (labels == 1).sum() + np.var(pairs.mean(0), ddof=1) / (labels == 0).sum()
    return pairs.mean(), variance


def unpaired(la, a, lb, b):
    """pROC R/delong.R, delong.unpaired.test, with all pairs instead of placements in O(n log n)."""
    (ta, va), (tb, vb) = placements(la, a), placements(lb, b)
    se = np.sqrt(va + vb)
    df = (va + vb) ** 2 / (va**2 / (len(la) - 1) + vb**2 / (len(lb) - 1))
    t = (ta - tb) / se
    half = stats.t.ppf(0.975, df) * se
    return {"t": t, "df": df, "p": 2 * stats.t.sf(abs(t), df), "limits": [ta - tb - half, ta - tb + half]}


def partial_sensitivity(labels, s, low, high):
    """Area to the right of the curve where sensitivity is in [low, high]: specificity as a function of sensitivity."""
    fpr, tpr, _ = metrics.roc_curve(labels, s, drop_intermediate=False)
    knots = np.unique(np.concatenate([tpr, [low, high]]))
    area = 0
    for left, right in zip(knots[:-1], knots[1:]):
        if left < low or right > high:
            continue
        middle = (left + right) / 2  # the curve is straight within a piece, so the midpoint rule is exact
        segment = np.searchsorted(tpr, middle)
        x0, x1, y0, y1 = fpr[segment - 1], fpr[segment], tpr[segment - 1], tpr[segment]
        area += (right - left) * (1 - (x0 + (x1 - x0) * (middle - y0) / (y1 - y0)))
    return area


def ece_mass(labels, p, bins):
    edges = np.quantile(p, np.linspace(0, 1, bins + 1))
    index = np.clip(np.searchsorted(edges[1:-1], p, side="left"), 0, bins - 1)
    return sum((index == k).mean() * abs(labels[index == k].mean() - p[index == k].mean()) for k in np.unique(index))


def murphy(labels, p):
    q = labels.mean()
    values = np.unique(p)
    share = np.array([(p == v).mean() for v in values])
    observed = np.array([labels[p == v].mean() for v in values])
    return [float((share * (values - observed) ** 2).sum()), float((share * (observed - q) ** 2).sum()), q * (1 - q)]


def murphy_binned(labels, p, bins):
    """Stephenson 2008: reliability, resolution and, term by term, within-bin variance less twice the covariance."""
    index = np.clip(np.ceil(p * bins).astype(int) - 1, 0, bins - 1)
    reliability = resolution = within = 0
    for k in np.unique(index):
        f, o = p[index == k], labels[index == k]
        reliability += len(f) / len(p) * (f.mean() - o.mean()) ** 2
        resolution += len(f) / len(p) * (o.mean() - labels.mean()) ** 2
        within += (((f - f.mean()) ** 2).sum() - 2 * ((f - f.mean()) * (o - o.mean())).sum()) / len(p)
    return [reliability, resolution, within]


def beta_exact(labels, p):
    """statsmodels' Newton fit to full precision, where betacal's own fit stops early; betacal's rule for a negative coefficient."""
    x = np.column_stack([np.log(p), -np.log1p(-p), np.ones(len(p))])
    fit = lambda columns: sm.Logit(labels, x[:, columns]).fit(disp=0, tol=1e-14, maxiter=300).params
    both = fit([0, 1, 2])
    if both[0] < 0:
        only = fit([1, 2])
        return [0, only[0], only[1]]
    if both[1] < 0:
        only = fit([0, 2])
        return [only[0], 0, only[1]]
    return both.tolist()


def at_specificity(labels, s, target):
    best = max((np.mean(s[labels == 1] >= t), np.mean(s[labels == 0] < t)) for t in [*np.unique(s), np.inf] if np.mean(s[labels == 0] < t) >= target)
    return [float(v) for v in best]


def at_sensitivity(labels, s, target):
    best = max((np.mean(s[labels == 0] < t), np.mean(s[labels == 1] >= t)) for t in np.unique(s) if np.mean(s[labels == 1] >= t) >= target)
    return [float(v) for v in best]


def binary_set(name, rng, n, prevalence, decimals):
    labels = (rng.random(n) < prevalence).astype(int)
    make = lambda effect: np.clip(np.round(expit(rng.normal(size=n) + effect * labels - 0.5), decimals), 0.01, 0.99)
    a, b = make(1.3), make(0.5)
    other = rng.permutation(n)[: n * 2 // 3]
    beta = BetaCalibration("abm").fit(a.reshape(-1, 1), labels)
    thresholds = [0.1, 0.3, 0.6]
    frame = dca(data=pd.DataFrame({"y": labels, "p": a}), outcome="y", modelnames=["p"], thresholds=thresholds)
    model = frame[frame.model == "p"].set_index("threshold").loc[thresholds]
    correct = [((s >= 0.5) == labels).astype(int) for s in (a, b)]
    table = [[int(((correct[0] == i) & (correct[1] == j)).sum()) for j in (1, 0)] for i in (1, 0)]
    discordant, fewer = table[0][1] + table[1][0], min(table[0][1], table[1][0])
    point = stats.binom.pmf(fewer, discordant, 0.5)
    mid = 1 - point / 2 if table[0][1] == table[1][0] else 2 * stats.binom.cdf(fewer, discordant, 0.5) - point
    rho = stats.spearmanr(a, b).statistic
    return {
        "name": name,
        "labels": labels.tolist(),
        "a": a.tolist(),
        "b": b.tolist(),
        "other": other.tolist(),
        "mcclish": [[m, metrics.roc_auc_score(labels, a, max_fpr=m)] for m in (0.05, 0.1, 0.33, 0.8)],
        "partialSensitivity": [[lo, hi, partial_sensitivity(labels, a, lo, hi)] for lo, hi in ((0.9, 1), (0.25, 0.77), (0, 1))],
        "atSpecificity": [[t, at_specificity(labels, a, t)] for t in (0, 0.5, 0.9, 1)],
        "atSensitivity": [[t, at_sensitivity(labels, a, t)] for t in (0, 0.5, 0.9, 1)],
        "unpaired": unpaired(labels, a, labels[other], b[other]),
        # netcal bins [lo, hi), the package (lo, hi]: with sevenths no probability lies on an edge.
        "eceNetcal": ECE(7).measure(a, labels),
        "eceMass": ece_mass(labels, a, 5),
        "murphy": murphy(labels, a),
        "murphyBinned": murphy_binned(labels, a, 10),
        "beta": {"grid": [0.05, 0.4, 0.9], "values": beta.predict(np.array([[0.05], [0.4], [0.9]])).tolist(), "exact": beta_exact(labels, a)},
        "dca": {"thresholds": thresholds, "netBenefit": model.net_benefit.tolist(), "avoided": model.net_intervention_avoided.tolist()},
        "mcnemar": {
            "correct": [c.tolist() for c in correct],
            "exact": mcnemar(table, exact=True).pvalue,
            "chiSquare": mcnemar(table, exact=False, correction=False).statistic,
            "chiSquareP": mcnemar(table, exact=False, correction=False).pvalue,
            "midP": mid,
        },
        "spearman": {
            "fisher": [float(v) for v in pingouin.compute_esci(stat=rho, nx=n, ny=n, eftype="r", decimals=15)],
            "bonettWright": np.tanh(np.arctanh(rho) + np.array([-1, 1]) * stats.norm.ppf(0.975) * np.sqrt((1 + rho**2 / 2) / (n - 3))).tolist(),
        },
    }


def permutation_sets():
    labels = np.array([0, 0, 1, 1, 0, 1, 0, 1, 1])
    a = np.array([0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.2, 0.9, 0.3])
    b = np.array([0.5, 0.2, 0.3, 0.7, 0.6, 0.1, 0.2, 0.5, 0.8])
    auc = lambda y, s: metrics.roc_auc_score(y, s)
    ranks = [stats.rankdata(s) for s in (a, b)]
    result = {"labels": labels.tolist(), "a": a.tolist(), "b": b.tolist(), "label": {}, "difference": {}}
    for alternative in ("greater", "less", "two-sided"):
        # 9! pairings repeat each labelling equally often, so choosing the positives gives the same p
        result["label"][alternative] = stats.permutation_test(
            (a[labels == 1], a[labels == 0]),
            lambda x, y: auc(np.r_[np.ones(len(x)), np.zeros(len(y))], np.r_[x, y]),
            permutation_type="independent", n_resamples=np.inf, alternative=alternative).pvalue
        result["difference"][alternative] = stats.permutation_test(
            ranks, lambda x, y: auc(labels, x) - auc(labels, y),
            permutation_type="samples", n_resamples=np.inf, alternative=alternative).pvalue
    return result


def bca_set(rng):
    """scipy's BCa limits of a given bootstrap distribution of a difference of two means, and the jackknife they rest on."""
    x, y = rng.exponential(size=12), rng.exponential(size=9) * 2
    statistic = lambda p, q, axis=-1: np.mean(p, axis=axis) ** 2 - np.mean(q, axis=axis)
    distribution = np.array([statistic(rng.choice(x, 12), rng.choice(y, 9)) for _ in range(300)])
    given = SimpleNamespace(bootstrap_distribution=distribution)
    result = stats.bootstrap((x, y), statistic, n_resamples=0, bootstrap_result=given, method="BCa", confidence_level=0.9)
    return {
        "estimate": statistic(x, y),
        "distribution": distribution.tolist(),
        "leftOut": [[statistic(np.delete(x, i), y) for i in range(12)], [statistic(x, np.delete(y, i)) for i in range(9)]],
        "level": 0.9,
        "limits": list(result.confidence_interval),
    }


def icc_set(name, ratings):
    n, k = ratings.shape
    frame = pd.DataFrame([(i, j, ratings[i, j]) for i in range(n) for j in range(k)], columns=["s", "r", "v"])
    table = pingouin.intraclass_corr(frame, "s", "r", "v")
    # pingouin rounds the limits to two digits: the same formulas without rounding (Shrout and Fleiss, McGraw and Wong).
    grand, rows, columns = ratings.mean(), ratings.mean(1), ratings.mean(0)
    msb = k * ((rows - grand) ** 2).sum() / (n - 1)
    msw = ((ratings - rows[:, None]) ** 2).sum() / (n * (k - 1))
    msj = n * ((columns - grand) ** 2).sum() / (k - 1)
    mse = ((ratings - rows[:, None] - columns + grand) ** 2).sum() / ((n - 1) * (k - 1))
    q = lambda d1, d2: stats.f.ppf(0.975, d1, d2)
    one = [msb / msw / q(n - 1, n * (k - 1)), msb / msw * q(n * (k - 1), n - 1)]
    three = [msb / mse / q(n - 1, (n - 1) * (k - 1)), msb / mse * q((n - 1) * (k - 1), n - 1)]
    rho = (msb - mse) / (msb + (k - 1) * mse + k * (msj - mse) / n)
    a, b = k * rho / (n * (1 - rho)), 1 + k * rho * (n - 1) / (n * (1 - rho))
    v = (a * msj + b * mse) ** 2 / ((a * msj) ** 2 / (k - 1) + (b * mse) ** 2 / ((n - 1) * (k - 1)))
    fu, fl = q(n - 1, v), q(v, n - 1)
    two = [n * (msb - fu * mse) / (fu * (k * msj + (k * n - k - n) * mse) + n * msb), n * (fl * msb - mse) / (k * msj + (k * n - k - n) * mse + n * fl * msb)]
    limits = {
        "1,1": [(f - 1) / (f + k - 1) for f in one], "2,1": two, "3,1": [(f - 1) / (f + k - 1) for f in three],
        "1,k": [1 - 1 / f for f in one], "2,k": [k * t / (1 + (k - 1) * t) for t in two], "3,k": [1 - 1 / f for f in three],
    }
    forms = {}
    for form, (_, row) in zip(limits, table.iterrows()):
        reported = row["CI95"] if "CI95" in row else row["CI95%"]
        forms[form] = {"icc": row["ICC"], "f": row["F"], "df": [int(row["df1"]), int(row["df2"])], "p": row["pval"] if "pval" in row else row["p_val"],
                       "rounded": [float(x) for x in reported], "limits": [float(x) for x in limits[form]]}
    return {"name": name, "ratings": ratings.tolist(), "forms": forms}


def survival_set(name, rng, n, ties):
    risk = np.round(rng.normal(size=n), 1)
    event_time, censor_time = rng.exponential(10 * np.exp(-0.7 * risk)), rng.exponential(15, n)
    times = np.minimum(event_time, censor_time)
    if ties:
        times = np.ceil(times)
    events = event_time <= censor_time
    y = Surv.from_arrays(events, times)
    grid = np.quantile(times, [0.1, 0.3, 0.5, 0.7])
    grid = np.unique(np.round(grid, 2))
    survival = np.exp(-np.outer(np.exp(0.7 * risk) / 10, grid))
    tau = float(np.quantile(times, 0.8))
    train_event, train_censor = rng.exponential(12, 2 * n), rng.exponential(18, 2 * n)
    train = Surv.from_arrays(train_event <= train_censor, np.minimum(train_event, train_censor))
    keep = tau if tau < train["time"].max() else float(train["time"].max()) * 0.9
    return {
        "name": name,
        "times": times.tolist(),
        "events": events.astype(int).tolist(),
        "risks": risk.tolist(),
        "harrell": concordance_index_censored(events, times, risk)[0],
        "tau": tau,
        "uno": concordance_index_ipcw(y, y, risk, tau=tau)[0],
        "train": {"times": train["time"].tolist(), "events": train["event"].astype(int).tolist()},
        "unoTrain": concordance_index_ipcw(train, y, risk, tau=keep)[0],
        "tauTrain": keep,
        "grid": grid.tolist(),
        "survival": survival.tolist(),
        "brier": brier_score(y, y, survival, grid)[1].tolist(),
        "integrated": integrated_brier_score(y, y, survival, grid),
    }


def multiclass_set(rng):
    labels = np.r_[np.arange(3), rng.integers(0, 3, 47), 3, 3, 3]
    scores = np.round(rng.dirichlet(np.ones(4), len(labels)) + 0.4 * np.eye(4)[labels], 2)
    scores /= scores.sum(1, keepdims=True)
    roc = lambda mode, average: metrics.roc_auc_score(labels, scores, multi_class=mode, average=average)
    return {"labels": labels.tolist(), "scores": scores.tolist(), "handTill": roc("ovo", "macro"), "macro": roc("ovr", "macro"), "weighted": roc("ovr", "weighted")}


def mask_set(name, a, b, spacing):
    """Arrays are [z, y, x] here, so that flattening gives x fastest."""
    tensor = lambda m: torch.from_numpy(m.astype(np.float64))[None, None]
    ta, tb = tensor(a), tensor(b)
    options = dict(include_background=True, spacing=list(spacing[::-1]))
    if a.shape[0] == 1:
        ta, tb, options["spacing"] = ta[:, :, 0], tb[:, :, 0], list(spacing[1::-1])
    both = 2 * (a & b).sum() / (a.sum() + b.sum())
    return {
        "name": name,
        "size": list(a.shape[::-1]),
        "spacing": list(spacing),
        "a": np.flatnonzero(a).tolist(),
        "b": np.flatnonzero(b).tolist(),
        "dice": both,
        "hausdorff": compute_hausdorff_distance(ta, tb, **options).item(),
        "hausdorff95": compute_hausdorff_distance(ta, tb, percentile=95, **options).item(),
        "symmetric": compute_average_surface_distance(ta, tb, symmetric=True, **options).item(),
        "aToB": compute_average_surface_distance(ta, tb, **options).item(),
        "surfaceDice": compute_surface_dice(ta, tb, [1.5], include_background=True, spacing=options["spacing"]).item(),
    }


def ball(shape, centre, radius, spacing):
    z, y, x = np.indices(shape)
    return ((x - centre[0]) * spacing[0]) ** 2 + ((y - centre[1]) * spacing[1]) ** 2 + ((z - centre[2]) * spacing[2]) ** 2 <= radius**2


def make():
    rng = np.random.default_rng(20261123)
    s = (0.8, 1.1, 2.5)
    shape = (9, 20, 24)
    one, two = ball(shape, (9, 9, 4), 6, s), ball(shape, (12, 10, 5), 5.2, s)
    ragged = one & (rng.random(shape) < 0.8)
    flat = (1, 18, 16)
    names = ["numpy", "scipy", "scikit-learn", "statsmodels", "scikit-survival", "pingouin", "netcal", "betacal", "dcurves", "monai"]
    p_values = rng.random(7) ** 3
    p_values[3] = p_values[5]
    shrout = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7.0]])
    noisy = rng.normal(size=(20, 1)) + 0.4 * rng.normal(size=(20, 2)) + [0, 0.2]
    return {
        "versions": {name: version(name) for name in names},
        "binary": [
            binary_set("ties, n = 60", rng, 60, 0.4, 1),
            binary_set("few ties, n = 150", rng, 150, 0.25, 3),
            binary_set("many positives, n = 90", rng, 90, 0.7, 2),
        ],
        "permutation": permutation_sets(),
        "bca": bca_set(rng),
        "clopperPearson": [
            {"successes": k, "total": n, "level": level, "limits": [float(x) for x in proportion_confint(k, n, 1 - level, "beta")]}
            for k, n, level in ((8, 10, 0.95), (0, 7, 0.95), (7, 7, 0.9), (37, 150, 0.99), (1, 100000, 0.95), (2900, 3000, 0.95))
        ],
        "holm": {"p": p_values.tolist(), "adjusted": multipletests(p_values, method="holm")[1].tolist()},
        "icc": [icc_set("Shrout and Fleiss 1979, table 2", shrout), icc_set("test-retest, n = 20", noisy), icc_set("no agreement", rng.normal(size=(9, 3)))],
        "survival": [survival_set("continuous times, n = 80", rng, 80, False), survival_set("tied times, n = 80", rng, 80, True)],
        "multiclass": multiclass_set(rng),
        "masks": [
            mask_set("two balls", one, two, s),
            mask_set("ragged against ball", ragged, two, s),
            mask_set("one slice", ball(flat, (7, 8, 0), 5, s), ball(flat, (9, 9, 0), 3.5, s), s),
            mask_set("on the border", ball(shape, (1, 1, 0), 7, s), ball(shape, (3, 2, 1), 6, s), s),
        ],
        "fTail": [[f, a, b, stats.f.sf(f, a, b)] for f, a, b in ((0.5, 3, 7), (11, 5, 18), (2.2, 19, 20.5))],
        "fQuantile": [[t, a, b, stats.f.isf(t, a, b)] for t, a, b in ((0.025, 5, 18), (0.025, 4.3, 5), (0.5, 100, 80))],
        "studentInterval": [[level, df, stats.t.ppf(0.5 + level / 2, df)] for level, df in ((0.95, 3), (0.9, 57.3), (0.99, 4000))],
    }


json.dump(make(), sys.stdout, separators=(",", ":"), default=float)
