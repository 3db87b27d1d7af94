"""What every cost source does, for networks with and without a measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from adadeep.core.cost import Provenance, Quantity, Ratio
from adadeep.core.cost_source import QUANTITIES, Candidate, CostSource, UnitLatency
from adadeep.core.layers import ModelSpec
from adadeep.core.reader import require_name
from adadeep.testing.measurements import measurement, target
from adadeep.testing.spaces import MODEL

TARGET = target()
_UNIT_NS = 1_040_000  # of the reference below


def candidate(weights: int, is_measured: bool = True) -> Candidate:
    """A network whose first layer has so many weights."""
    first, *others = MODEL.layers
    first = replace(first, weights=weights, nonzero_weights=weights)
    spec = ModelSpec(f"with {weights}", MODEL.input_shape, (first, *others))
    bare = Candidate(spec, 4 * weights + 2000)
    if not is_measured:
        return bare
    ns = 1_000_000 + 1000 * weights
    ratio = ns / _UNIT_NS
    return replace(
        bare,
        measurement=measurement(f"{weights} weights".encode(), ns),
        ratio=Ratio(ratio, 0.99 * ratio, 1.01 * ratio),
        unit=UnitLatency(_UNIT_NS / 1e6, 0.9 * _UNIT_NS / 1e6, 1.1 * _UNIT_NS / 1e6),
    )


REFERENCE = candidate(40)
MEASURED = [candidate(weights) for weights in (10, 400, 40)]
UNMEASURED = [candidate(weights, is_measured=False) for weights in (10, 400)]


class CostSourceKit:
    """The contract of `CostSource` in `core/cost_source.py`."""

    @pytest.fixture
    def source(self) -> CostSource:
        """The source; to be overridden."""
        raise NotImplementedError

    def test_names_itself(self, source: CostSource) -> None:
        require_name("cost source", source.name)
        assert source.title
        assert isinstance(source.needs_measurement, bool)

    def test_offers_quantities_that_there_are_and_says_how_it_has_them(
        self, source: CostSource
    ) -> None:
        offers = source.offers(TARGET)
        assert offers, "it offers nothing on any device"
        assert set(offers) <= set(QUANTITIES)
        assert Provenance.UNAVAILABLE not in offers.values()
        assert source.offers(TARGET) == offers

    def test_gives_what_it_offers_of_what_is_measured(self, source: CostSource) -> None:
        given = source.costs(MEASURED, REFERENCE, TARGET)
        assert len(given) == len(MEASURED)
        for quantities in given:
            assert_as_offered(source, quantities)
            assert set(quantities) == set(source.offers(TARGET))

    def test_leaves_out_what_it_can_not_tell_of_what_is_not_measured(
        self, source: CostSource
    ) -> None:
        given = source.costs(UNMEASURED, REFERENCE, TARGET)
        assert len(given) == len(UNMEASURED)
        for quantities in given:
            assert_as_offered(source, quantities)
            whole = set(quantities) == set(source.offers(TARGET))
            assert whole or source.needs_measurement

    def test_a_network_costs_the_same_whoever_is_asked_for_with_it(
        self, source: CostSource
    ) -> None:
        together = source.costs([*MEASURED, *UNMEASURED], REFERENCE, TARGET)
        alone = [source.costs([one], REFERENCE, TARGET)[0] for one in [*MEASURED, *UNMEASURED]]
        assert list(together) == alone

    def test_of_no_network_it_tells_nothing(self, source: CostSource) -> None:
        assert not source.costs([], REFERENCE, TARGET)


def assert_as_offered(source: CostSource, quantities: Mapping[str, Quantity]) -> None:
    """Each has the provenance that was offered, a value, and says where it comes from."""
    offers = source.offers(TARGET)
    for name, quantity in quantities.items():
        assert quantity.provenance is offers[name]
        assert quantity.value is not None
        assert quantity.source
