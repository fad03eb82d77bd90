"""Answers the questions of main.rs with SciPy and statsmodels: JSON on stdin, JSON on stdout."""

import json
import sys

import numpy
from scipy import stats
from statsmodels.stats import multitest, proportion


def student(question):
    for values in question["lists"]:
        test = stats.ttest_1samp(values, 0.0)
        yield {
            "sd": float(numpy.std(values, ddof=1)),
            "p": float(test.pvalue),
            "intervals": [list(test.confidence_interval(level)) for level in question["levels"]],
        }


def wilson(question):
    level = question["level"]
    for successes, n in question["cases"]:
        test = stats.binomtest(successes, n)
        theirs = proportion.proportion_confint(successes, n, alpha=1 - level, method="wilson")
        yield {
            "scipy": list(test.proportion_ci(level, method="wilson")),
            "statsmodels": [float(end) for end in theirs],
        }


def holm(question):
    for p_values in question["lists"]:
        yield list(multitest.multipletests(p_values, method="holm")[1])


def bootstrap(question):
    for table in question["tables"]:
        values = numpy.array(table)
        seeds, items = (numpy.arange(n) for n in values.shape)

        def interval(samples, statistic):
            found = stats.bootstrap(
                samples,
                statistic,
                n_resamples=question["resamples"],
                method="percentile",
                vectorized=False,
                rng=numpy.random.default_rng(11),
            )
            return list(found.confidence_interval), float(found.standard_error)

        both, error = interval((seeds, items), lambda s, i: values[numpy.ix_(s, i)].mean())
        once, _ = interval((values.ravel(),), numpy.mean)
        yield {"both": both, "standard_error": error, "all values at once": once}


KINDS = {"student": student, "wilson": wilson, "holm": holm, "bootstrap": bootstrap}
question = json.load(sys.stdin)
print(json.dumps(list(KINDS[question["kind"]](question))))
