"""Every recipe keeps the promises of `core.task`, in a task that uses it."""

from __future__ import annotations

import pytest

from adadeep.core.metric import Metric
from adadeep.core.task import Data, Network, Recipe, Task
from adadeep.testing.task_parts import RecipeKit, few
from adadeep.training.registry import METRICS, NETWORKS, RECIPES
from fakes.task_parts import data_of, task_with

pytestmark = pytest.mark.tf


class TestRecipe(RecipeKit):
    @pytest.fixture(params=list(RECIPES))
    def recipe(self, request: pytest.FixtureRequest) -> Recipe:
        return RECIPES.get(request.param)

    @pytest.fixture
    def task(self, recipe: Recipe) -> Task:
        return task_with("recipe", recipe.name)

    @pytest.fixture
    def data(self, task: Task) -> Data:
        return few(data_of(task.data_set))

    @pytest.fixture
    def network(self, task: Task) -> Network:
        return NETWORKS.get(task.network)

    @pytest.fixture
    def metric(self, task: Task) -> Metric:
        return METRICS.get(task.metric)

    def test_it_has_the_name_that_it_is_registered_by(self, recipe: Recipe) -> None:
        assert RECIPES.get(recipe.name) is recipe
