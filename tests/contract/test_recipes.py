"""The contract of every recipe: it learns, by its seed alone, from the training data alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from adadeep.core.compressed import Compressed
from adadeep.core.scores import judged
from adadeep.core.task import Data, Recipe
from adadeep.training.registry import METRICS, NETWORKS, RECIPES
from fakes.task_parts import data_of, few, task_with

pytestmark = pytest.mark.tf


@pytest.fixture(params=list(RECIPES))
def recipe(request: pytest.FixtureRequest) -> Recipe:
    return RECIPES.get(request.param)


@pytest.fixture
def data(recipe: Recipe) -> Data:
    return few(data_of(task_with("recipe", recipe.name).data_set))


def trained(recipe: Recipe, data: Data, steps: int, seed: int = 0) -> Any:
    network = NETWORKS.get(task_with("recipe", recipe.name).network)
    model = network.build(data.input_shape, data.classes, 0)
    recipe.train(Compressed(model), data, steps, seed, recipe.base_rate)
    return model


def test_a_recipe_has_the_name_that_it_is_registered_by(recipe: Recipe) -> None:
    assert RECIPES.get(recipe.name) is recipe
    assert recipe.title


def test_its_numbers_can_be(recipe: Recipe) -> None:
    assert 0 < recipe.fine_tune_steps <= recipe.base_steps
    assert recipe.batch_size > 0
    assert 0 < recipe.fine_tune_rate <= recipe.base_rate < 1


def test_it_fits_what_it_is_shown(recipe: Recipe, data: Data) -> None:
    metric = METRICS.get(task_with("recipe", recipe.name).metric)
    sign = 1 if metric.higher_is_better else -1
    before, after = (
        judged(metric, np.asarray(model(data.x_train, training=False)), data.y_train).mean
        for model in (trained(recipe, data, 0), trained(recipe, data, 30))
    )
    assert sign * after > sign * before


def test_the_seed_alone_decides_the_weights(recipe: Recipe, data: Data) -> None:
    first, second, other = (trained(recipe, data, 3, seed).get_weights() for seed in (7, 7, 8))
    assert all(map(np.array_equal, first, second))
    assert not all(map(np.array_equal, first, other))


def test_no_steps_change_nothing(recipe: Recipe, data: Data) -> None:
    network = NETWORKS.get(task_with("recipe", recipe.name).network)
    untrained = network.build(data.input_shape, data.classes, 0).get_weights()
    assert all(map(np.array_equal, untrained, trained(recipe, data, 0).get_weights()))


def test_only_the_training_part_is_looked_at(recipe: Recipe, data: Data) -> None:
    others = {f"{kind}_{part}": np.empty(0) for kind in "xy" for part in ("val", "held", "test")}
    blind = replace(data, **others)
    first, second = (trained(recipe, seen, 2).get_weights() for seen in (data, blind))
    assert all(map(np.array_equal, first, second))
