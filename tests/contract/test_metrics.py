"""Every metric keeps the promises of `core.metric`, on labels of a task that uses it."""

from __future__ import annotations

import numpy as np
import pytest

from adadeep.core.metric import Metric
from adadeep.testing.task_parts import Array, MetricKit, few
from adadeep.training.registry import METRICS
from fakes.metrics import ERROR
from fakes.task_parts import data_of, task_with


class TestMetric(MetricKit):
    @pytest.fixture(params=list(METRICS))
    def metric(self, request: pytest.FixtureRequest) -> Metric:
        return METRICS.get(request.param)

    @pytest.fixture
    def labels(self, metric: Metric) -> Array:
        return few(data_of(task_with("metric", metric.name).data_set)).y_val

    def test_it_has_the_name_that_it_is_registered_by(self, metric: Metric) -> None:
        assert METRICS.get(metric.name) is metric


class TestOneThatIsNoAccuracy(MetricKit):
    @pytest.fixture
    def metric(self) -> Metric:
        return ERROR

    @pytest.fixture
    def labels(self) -> Array:
        return np.arange(10.0)
