"""The contract of every metric: scores in its range whatever the outputs, and an agreement."""

from __future__ import annotations

import numpy as np
import pytest

from adadeep.core.metric import Metric, Scale
from adadeep.core.scores import judged
from adadeep.training.registry import METRICS
from fakes.metrics import ERROR
from fakes.task_parts import data_of, few, task_with

CASES = [METRICS.get(name) for name in METRICS]


@pytest.fixture(params=[*CASES, ERROR], ids=lambda metric: metric.name)
def metric(request: pytest.FixtureRequest) -> Metric:
    return request.param


@pytest.fixture
def labels(metric: Metric) -> np.ndarray:
    if metric is ERROR:  # the tests' own: no task has it
        return np.arange(10.0)
    return few(data_of(task_with("metric", metric.name).data_set)).y_val


def outputs(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Of a softmax of as many classes as the labels name."""
    classes = int(labels.max()) + 1
    raw = np.random.default_rng(seed).normal(size=(len(labels), classes)).astype(np.float32)
    return np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", list(METRICS))
def test_a_metric_has_the_name_that_it_is_registered_by(name: str) -> None:
    assert METRICS.get(name).name == name


def test_what_its_numbers_mean_can_be_kept(metric: Metric) -> None:
    scale = Scale.of(metric)
    assert scale.title
    assert scale.loss(scale.best, scale.worsened(scale.best, 1.0)) == 1.0
    assert 0 < metric.least_agreement <= 1


def test_every_sample_gets_a_score_within_the_range(metric: Metric, labels: np.ndarray) -> None:
    given = outputs(labels)
    scores = judged(metric, given, labels)
    assert scores.count == len(labels)
    assert scores.is_binary == metric.is_binary
    alone = [judged(metric, given[n : n + 1], labels[n : n + 1]).mean for n in range(5)]
    assert scores.array[:5].tolist() == pytest.approx(alone)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_outputs_that_are_no_numbers_get_scores_too(
    metric: Metric, labels: np.ndarray, value: float
) -> None:
    broken = np.full_like(outputs(labels), value)
    assert np.isfinite(judged(metric, broken, labels).mean)


def test_equal_outputs_agree_and_others_less(metric: Metric, labels: np.ndarray) -> None:
    first, second = outputs(labels), outputs(labels, seed=1)
    assert metric.agreement(first, first) == 1.0
    assert 0 <= metric.agreement(first, second) < metric.least_agreement
