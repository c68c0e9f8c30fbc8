"""What SciPy, statsmodels and pingouin take for the statistics that the bench `stats` measures.

Reads the samples from the JSON file that is named, prints one JSON object: for each task the CPU seconds of one
call on one thread, some results to compare, and the versions.
"""

import json
import os
import sys
import time

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np
import pingouin
import scipy
from scipy import stats
import statsmodels
from statsmodels.stats.multitest import multipletests

RESAMPLES = 10_000


def cpu(call, rounds):
    """The smallest CPU time of a call; calls that are too short for the clock are timed together."""
    call()
    start = time.process_time()
    call()
    once = time.process_time() - start
    calls = max(1, int(0.02 / max(once, 1e-6)))
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(calls):
            call()
        best = min(best, (time.process_time() - start) / calls)
    return best


def mean_difference(x, y, axis=-1):
    return np.mean(x, axis=axis) - np.mean(y, axis=axis)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        samples = {name: np.array(values) for name, values in json.load(file).items()}
    one, rate, x, y = samples["one"], samples["rate"], samples["x"], samples["y"]
    few_x, few_y = samples["few_x"], samples["few_y"]
    many_x, many_y, p = samples["many_x"], samples["many_y"], samples["p"]
    long = samples["long"]

    def bootstrap(sample, statistic):
        return stats.bootstrap((sample,), statistic, n_resamples=RESAMPLES, method="BCa")

    def permutation(x, y):
        return stats.permutation_test(
            (x, y), mean_difference, n_resamples=RESAMPLES, vectorized=True
        )

    def welch():
        found = stats.ttest_ind(x, y, equal_var=False)
        return found.statistic, found.pvalue, found.confidence_interval(0.95)

    def describe():
        sd = np.std(long, ddof=1)
        order = np.min(long), np.median(long), np.max(long)
        return np.sum(long), np.mean(long), sd, sd / len(long) ** 0.5, order

    tasks = {
        "bca_mean": cpu(lambda: bootstrap(one, np.mean), 5),
        "bca_rate": cpu(lambda: bootstrap(rate, np.mean), 5),
        "bca_median": cpu(lambda: bootstrap(one, np.median), 5),
        "permutation_1000": cpu(lambda: permutation(x, y), 3),
        "permutation_30": cpu(lambda: permutation(few_x, few_y), 5),
        "welch": cpu(welch, 9),
        "welch_pingouin": cpu(lambda: pingouin.ttest(x, y, correction=True), 9),
        "mann_whitney": cpu(lambda: stats.mannwhitneyu(many_x, many_y), 7),
        "holm": cpu(lambda: multipletests(p, method="holm"), 5),
        "describe": cpu(describe, 9),
    }
    versions = {
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
        "pingouin": pingouin.__version__,
    }
    results = {
        "welch": float(stats.ttest_ind(x, y, equal_var=False).pvalue),
        "mann_whitney": float(stats.mannwhitneyu(many_x, many_y).pvalue),
        "holm": float(multipletests(p, method="holm")[1].sum()),
        "describe": float(np.std(long, ddof=1) + np.median(long)),
    }
    json.dump({"cpu_seconds": tasks, "results": results, "versions": versions}, sys.stdout)


if __name__ == "__main__":
    main()
