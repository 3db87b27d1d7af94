"""The data that a registered part of a task is tried on: those of a task that uses it."""

from __future__ import annotations

import os
from functools import cache

import pytest

from adadeep.core.errors import ConfigError
from adadeep.core.task import Data, Task
from adadeep.training.data_sets.mnist import DATA_VARIABLE
from adadeep.training.registry import DATA_SETS, TASKS


@cache
def data_of(name: str) -> Data:
    """The data set of that name; skips the test where it can't be had."""
    if name == "mnist" and DATA_VARIABLE not in os.environ:
        pytest.skip(f"mnist would be downloaded: set {DATA_VARIABLE}")
    try:
        return DATA_SETS.get(name).load()
    except ConfigError as error:
        pytest.skip(str(error))


def task_with(part: str, name: str) -> Task:
    """A task whose `part` ("network", "recipe", ...) is the one of that name."""
    tasks = (TASKS.get(task) for task in TASKS)
    found = next((task for task in tasks if getattr(task, part) == name), None)
    return found or pytest.skip(f"no task uses the {part} {name}")
