"""Reads an evaluation log with Inspect and prints what Inspect saw, as JSON.

Usage: read_eval_log.py LOG COPY
COPY is where Inspect writes the log anew, for the reader under test to read.
"""

import json
import sys
import zipfile

import inspect_ai
from inspect_ai._util.zipfile import zipfile_compress_kwargs
from inspect_ai.log import (
    read_eval_log,
    read_eval_log_sample,
    read_eval_log_sample_summaries,
    write_eval_log,
)

path, copy = sys.argv[1:]
log = read_eval_log(path)
header = read_eval_log(path, header_only=True)
assert header.samples is None
# Reading the samples, Inspect adds their ids to the dataset.
header.eval.dataset.sample_ids = log.eval.dataset.sample_ids
assert header.eval == log.eval
assert header.results.scores == log.results.scores
summaries = read_eval_log_sample_summaries(path)
first = read_eval_log_sample(path, log.samples[0].id)
assert first == log.samples[0]
# Inspect compresses with Zstandard, which the reader under test does not know.
zipfile_compress_kwargs["compression"] = zipfile.ZIP_DEFLATED
write_eval_log(log, copy)


def scores(sample):
    return {name: {"value": score.value, "answer": score.answer} for name, score in sample.scores.items()}


def sample(sample):
    return {
        "id": sample.id,
        "epoch": sample.epoch,
        "input": sample.input,
        "choices": sample.choices,
        "target": sample.target,
        "metadata": sample.metadata,
        "scores": scores(sample),
    }


print(
    json.dumps(
        {
            "inspect": inspect_ai.__version__,
            "version": log.version,
            "status": log.status,
            "created": log.eval.created,
            "task": log.eval.task,
            "task_version": log.eval.task_version,
            "model": log.eval.model,
            "dataset": {"name": log.eval.dataset.name, "samples": log.eval.dataset.samples},
            "metadata": log.eval.metadata,
            "scorers": {scorer.name: scorer.metadata for scorer in log.eval.scorers},
            "metrics": {
                score.name: {name: metric.value for name, metric in score.metrics.items()}
                for score in log.results.scores
            },
            "completed": [log.results.total_samples, log.results.completed_samples],
            "samples": [sample(one) for one in log.samples],
            "summaries": {one.id: {**sample(one), "completed": one.completed} for one in summaries},
            "reductions": {
                reduction.scorer: {one.sample_id: one.value for one in reduction.samples}
                for reduction in log.reductions
            },
        }
    )
)
