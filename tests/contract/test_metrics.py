"""Every metric keeps the promises of `core.metric`, on labels of a task that uses it."""

from __future__ import annotations

import numpy as np
import pytest

from adadeep.core.metric import Metric
from adadeep.testing.task_parts import Array, MetricKit, few
from adadeep.training.ends import End, Meaning
from adadeep.training.registry import METRICS
from fakes.metrics import ERROR
from fakes.task_parts import data_of, task_with

# No registered task is judged by these; below they are tried on outputs of their own.
OF_OWN_NETWORKS = ("balanced_accuracy", "f1", "mean_error", "iou", "agreement")


class TestMetric(MetricKit):
    @pytest.fixture(params=[name for name in METRICS if name not in OF_OWN_NETWORKS])
    def metric(self, request: pytest.FixtureRequest) -> Metric:
        return METRICS.get(request.param)

    @pytest.fixture
    def labels(self, metric: Metric) -> Array:
        return few(data_of(task_with("metric", metric.name).data_set)).y_val

    def test_it_has_the_name_that_it_is_registered_by(self, metric: Metric) -> None:
        assert METRICS.get(metric.name) is metric


class Own(MetricKit):
    """Of a user's own network: of other outputs than a task here has."""

    end = End(classes=3)
    shape = (3,)

    @pytest.fixture
    def labels(self) -> Array:
        return np.arange(12) % 3

    def outputs(self, labels: Array, seed: int) -> Array:
        raw = np.random.default_rng(seed).normal(size=(len(labels), *self.shape))
        return np.asarray(raw / (1 + np.abs(raw)).sum(), np.float32)


class TestOfClasses(Own):
    @pytest.fixture(params=["accuracy", "balanced_accuracy", "agreement"])
    def metric(self, request: pytest.FixtureRequest) -> Metric:
        return METRICS.get(request.param).of(self.end)


class TestOfTwoClasses(Own):
    end = End(classes=2)
    shape = (2,)

    @pytest.fixture
    def metric(self) -> Metric:
        return METRICS.get("f1").of(self.end)

    @pytest.fixture
    def labels(self) -> Array:
        return np.arange(12) % 2


class TestOfAFlag(TestOfTwoClasses):
    end = End(meaning=Meaning.FLAGS, is_raw=True, classes=2)
    shape = (1,)


class TestOfPixels(Own):
    end = End(classes=3, is_one=False)
    shape = (4, 4, 3)

    @pytest.fixture(params=["accuracy", "iou", "agreement"])
    def metric(self, request: pytest.FixtureRequest) -> Metric:
        return METRICS.get(request.param).of(self.end)

    @pytest.fixture
    def labels(self) -> Array:
        return np.random.default_rng(0).integers(0, 3, (12, 4, 4))


class TestOfFlags(Own):
    end = End(meaning=Meaning.FLAGS, is_raw=True, classes=2, is_one=False)
    shape = (5, 5, 1)

    @pytest.fixture(params=["accuracy", "iou", "agreement"])
    def metric(self, request: pytest.FixtureRequest) -> Metric:
        return METRICS.get(request.param).of(self.end)

    @pytest.fixture
    def labels(self) -> Array:
        return np.random.default_rng(0).integers(0, 2, (12, 5, 5, 1), np.uint8)


class TestOfValues(Own):
    end = End(meaning=Meaning.VALUES, low=-0.1, high=0.1)
    shape = (2,)

    @pytest.fixture(params=["mean_error", "agreement"])
    def metric(self, request: pytest.FixtureRequest) -> Metric:
        return METRICS.get(request.param).of(self.end)

    @pytest.fixture
    def labels(self) -> Array:
        return np.random.default_rng(0).uniform(-0.1, 0.1, (12, 2))


def test_every_metric_of_ours_is_tried_on_outputs_that_it_suits() -> None:
    tried = {"accuracy", "balanced_accuracy", "f1", "agreement", "iou", "mean_error"}
    assert {entry.name for entry in METRICS.entries if not entry.is_plugin} == tried


class TestOneThatIsNoAccuracy(MetricKit):
    @pytest.fixture
    def metric(self) -> Metric:
        return ERROR

    @pytest.fixture
    def labels(self) -> Array:
        return np.arange(10.0)
