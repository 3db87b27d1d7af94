"""The kits run over what a package adds that is no part of adadeep, as its own tests would.

The package is in tests/plugin_package; tests/integration/test_plugin_search.py searches with it.
"""

from __future__ import annotations

import configparser
import sys
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from adadeep.testing.agent_kinds import AgentKindKit
from adadeep.testing.cost_sources import CostSourceKit
from adadeep.testing.executors import ExecutorKit
from adadeep.testing.precisions import PrecisionKit
from adadeep.testing.samplers import SamplerKit
from adadeep.testing.task_parts import DataSetKit, MetricKit, NetworkKit, RecipeKit, few
from adadeep.testing.techniques import TechniqueKit

PACKAGE = Path(__file__).parents[1] / "plugin_package"


@pytest.fixture(scope="module")
def theirs() -> Callable[[str], Any]:
    """An entry of theirs, by its target; the package is on no path, so installed nowhere."""

    def entry(target: str) -> Any:
        module, _, attribute = f"their_plugins.{target}".partition(":")
        sys.path.append(str(PACKAGE))
        try:
            return getattr(import_module(module), attribute)
        finally:
            sys.path.remove(str(PACKAGE))

    return entry


@pytest.mark.tf
class TestP1(TechniqueKit):
    @pytest.fixture
    def technique(self, theirs):
        return theirs("p1:P1")


class TestSingles(SamplerKit):
    @pytest.fixture
    def kind(self, theirs):
        return theirs("singles:SINGLES")

    @pytest.fixture(params=["forwards", "backwards"])
    def preset(self, request):
        return request.param


@pytest.mark.tf
class TestFloat16(PrecisionKit):
    @pytest.fixture
    def precision(self, theirs):
        return theirs("half:HALF")


class TestPower(CostSourceKit):
    @pytest.fixture
    def source(self, theirs):
        return theirs("power:POWER")


class TestNetworksFirst(ExecutorKit):
    @pytest.fixture
    def kind(self, theirs):
        return theirs("networks_first:NETWORKS_FIRST")


@pytest.mark.agent_life
class TestTheirAgent(AgentKindKit):
    @pytest.fixture
    def kind(self, theirs):
        return theirs("their_agent:THEIR_AGENT")


class TestCells(DataSetKit):
    @pytest.fixture
    def data_set(self, theirs):
        return theirs("cells:CELLS")


@pytest.mark.tf
class TestPerceptron(NetworkKit):
    @pytest.fixture
    def network(self, theirs):
        return theirs("cells:PERCEPTRON")

    @pytest.fixture
    def data(self, theirs):
        return theirs("cells:CELLS").load()


@pytest.mark.tf
class TestTheirRecipe(RecipeKit):
    @pytest.fixture
    def recipe(self, theirs):
        return theirs("cells:RECIPE")

    @pytest.fixture
    def data(self, theirs):
        return few(theirs("cells:CELLS").load())

    @pytest.fixture
    def network(self, theirs):
        return theirs("cells:PERCEPTRON")

    @pytest.fixture
    def metric(self, theirs):
        return theirs("cells:BRIER")


class TestBrier(MetricKit):
    @pytest.fixture
    def metric(self, theirs):
        return theirs("cells:BRIER")

    @pytest.fixture
    def labels(self, theirs):
        return few(theirs("cells:CELLS").load()).y_val


def test_what_stands_for_the_installed_package_is_what_pip_would_have_made():
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    points = configparser.ConfigParser(delimiters="=")
    points.optionxform = str
    info = PACKAGE / f"their_plugins-{project['version']}.dist-info"
    points.read(info / "entry_points.txt")
    assert {name: dict(points[name]) for name in points.sections()} == project["entry-points"]
    assert (
        f"Name: {project['name']}\nVersion: {project['version']}\n"
        in (info / "METADATA").read_text()
    )
