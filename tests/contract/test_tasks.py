"""The contract of every task: the parts that it names are there and go together."""

from __future__ import annotations

import numpy as np
import pytest

from adadeep.core.compressed import Compressed
from adadeep.core.scores import judged
from adadeep.core.task import Task
from adadeep.training.registry import DATA_SETS, METRICS, NETWORKS, RECIPES, TASKS
from fakes.task_parts import data_of, few


@pytest.fixture(params=list(TASKS))
def task(request: pytest.FixtureRequest) -> Task:
    return TASKS.get(request.param)


def test_a_task_has_the_name_that_it_is_registered_by(task: Task) -> None:
    assert TASKS.get(task.name) is task
    assert task.title


def test_its_parts_are_there(task: Task) -> None:
    assert task.network in NETWORKS
    assert task.data_set in DATA_SETS
    assert task.recipe in RECIPES
    assert task.metric in METRICS


@pytest.mark.tf
def test_its_network_is_trained_and_judged(task: Task) -> None:
    data = few(data_of(task.data_set))
    model = NETWORKS.get(task.network).build(data.input_shape, data.classes, 0)
    recipe = RECIPES.get(task.recipe)
    recipe.train(Compressed(model), data, 1, 0, recipe.base_rate)
    outputs = np.asarray(model(data.x_val, training=False))
    assert judged(METRICS.get(task.metric), outputs, data.y_val).count == len(data.x_val)
