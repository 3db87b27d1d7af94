"""The contract of every cost source, and what of it is chosen."""

from __future__ import annotations

import pytest

from adadeep.core.cost import Provenance
from adadeep.core.cost_source import CostSource
from adadeep.core.errors import ConfigError
from adadeep.cost.registry import COST_SOURCES, choose_sources
from adadeep.testing.cost_sources import TARGET, CostSourceKit


class TestCostSource(CostSourceKit):
    @pytest.fixture(params=list(COST_SOURCES))
    def source(self, request: pytest.FixtureRequest) -> CostSource:
        return COST_SOURCES.get(request.param)

    def test_it_has_the_name_that_it_is_registered_by(self, source: CostSource) -> None:
        assert COST_SOURCES.get(source.name) is source


class Toy:
    """Offers a quantity, or nothing."""

    title = "a toy"
    needs_measurement = False

    def __init__(self, name: str, offers: dict[str, Provenance]) -> None:
        self.name, self._offers = name, offers

    def offers(self, target: object) -> dict[str, Provenance]:
        return self._offers


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three more sources, as if they were installed."""
    mine = {
        "meter": Toy("meter", {"energy_mj": Provenance.MEASURED}),
        "guess": Toy("guess", {"energy_mj": Provenance.ANALYTIC}),
        "nothing": Toy("nothing", {}),
    }
    known = {**COST_SOURCES.usable(), **mine}
    monkeypatch.setattr(COST_SOURCES, "usable", lambda: known)
    monkeypatch.setattr(COST_SOURCES, "get", known.__getitem__)


OURS = {"latency_ms": "measured", "energy_mj": "analytic"}


def test_by_default_t_is_measured_and_e_is_what_formulas_give() -> None:
    assert choose_sources(TARGET) == OURS


@pytest.mark.usefixtures("toys")
def test_what_is_measured_comes_before_formulas_and_what_is_asked_for_before_all() -> None:
    assert choose_sources(TARGET) == {**OURS, "energy_mj": "meter"}
    assert choose_sources(TARGET, ["analytic"]) == OURS
    assert choose_sources(TARGET, ["guess"]) == {**OURS, "energy_mj": "guess"}
    assert choose_sources(TARGET, ["guess", "meter"])["energy_mj"] == "guess"


@pytest.mark.usefixtures("toys")
def test_a_source_that_is_asked_for_and_gives_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="'nothing' gives nothing for Fake box; leave it out"):
        choose_sources(TARGET, ["nothing"])
