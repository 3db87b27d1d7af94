"""Every data set keeps the promises of `core.task`."""

from __future__ import annotations

import pytest

from adadeep.core.task import Data, DataSet
from adadeep.testing.task_parts import DataSetKit
from adadeep.training.registry import DATA_SETS
from fakes.task_parts import data_of


class TestDataSet(DataSetKit):
    @pytest.fixture(params=list(DATA_SETS))
    def data_set(self, request: pytest.FixtureRequest) -> DataSet:
        return DATA_SETS.get(request.param)

    @pytest.fixture
    def data(self, data_set: DataSet) -> Data:
        return data_of(data_set.name)

    def test_it_has_the_name_that_it_is_registered_by(self, data_set: DataSet) -> None:
        assert DATA_SETS.get(data_set.name) is data_set
