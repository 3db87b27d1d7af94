"""Every task keeps the promises of `core.task`."""

from __future__ import annotations

import pytest

from adadeep.core.task import Data, Task
from adadeep.testing.task_parts import TaskKit
from adadeep.training.registry import TASKS
from fakes.task_parts import data_of


@pytest.mark.tf
class TestTask(TaskKit):
    @pytest.fixture(params=list(TASKS))
    def task(self, request: pytest.FixtureRequest) -> Task:
        return TASKS.get(request.param)

    @pytest.fixture
    def data(self, task: Task) -> Data:
        return data_of(task.data_set)

    def test_it_has_the_name_that_it_is_registered_by(self, task: Task) -> None:
        assert TASKS.get(task.name) is task
