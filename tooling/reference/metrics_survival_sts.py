"""Golden values for the survival measures of packages/metrics on real follow-up: 51 patients with soft-tissue sarcoma
(shared/data/sts), any event, 27 of 51. Groups are the tumour's grade (not known for three, a group of its own); the risk is age plus
20 years a step of grade (unknown: intermediate), a fixed rule that nothing was fitted for; predicted survival is exponential with a rate
that rises with that risk.

Run: python tooling/reference/metrics_survival_sts.py ../shared/data > packages/metrics/src/__fixtures__/survival-sts.json
Needs: numpy pandas lifelines scikit-survival (versions are written into the file). No row of the data is written.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from sksurv.metrics import brier_score, concordance_index_censored, concordance_index_ipcw, integrated_brier_score
from sksurv.util import Surv

table = pd.read_csv(Path(sys.argv[1]) / "sts" / "clinical_outcomes.csv")
times, events = table.time_days.to_numpy(), table.event.to_numpy()
risk = table.age.to_numpy() + 20 * table.grade.map({"Low": 0, "Intermediate": 1, "High": 2}).fillna(1).to_numpy()
followed = Surv.from_arrays(events == 1, times)


def curve(t, e):
    fitted = KaplanMeierFitter().fit(t, e)
    limits = fitted.confidence_interval_survival_function_.to_numpy()
    median = float(fitted.median_survival_time_)
    return {
        "times": fitted.timeline.tolist(),
        "survival": fitted.survival_function_.iloc[:, 0].tolist(),
        "lower": np.nan_to_num(limits[:, 0]).tolist(),
        "upper": np.nan_to_num(limits[:, 1]).tolist(),
        "median": median if np.isfinite(median) else None,
    }


test = multivariate_logrank_test(times, table.grade.fillna("not known"), events)
grid = np.arange(180, 1441, 90.0)
survival = np.exp(-np.outer(np.exp((risk - 90) / 40) / 1500, grid))
json.dump(
    {
        "versions": {name: version(name) for name in ("lifelines", "scikit-survival", "numpy")},
        "kaplanMeier": curve(times, events),
        "highGrade": curve(times[table.grade == "High"], events[table.grade == "High"]),
        "logRank": {"statistic": float(test.test_statistic), "p": float(test.p_value)},
        "harrell": float(concordance_index_censored(events == 1, times, risk)[0]),
        "uno": float(concordance_index_ipcw(followed, followed, risk, tau=1440)[0]),
        "grid": grid.tolist(),
        "brier": brier_score(followed, followed, survival, grid)[1].tolist(),
        "integratedBrier": float(integrated_brier_score(followed, followed, survival, grid)),
    },
    sys.stdout,
)
