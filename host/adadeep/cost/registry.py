"""The cost sources by name, the best first, and costs put together from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.cost_source import ENERGY, LATENCY, QUANTITIES, Candidate, CostSource
from adadeep.core.errors import ConfigError
from adadeep.core.registry import Registry
from adadeep.core.target import Target

COST_SOURCES: Registry[CostSource] = Registry(
    "cost source",
    {
        "measured": "adadeep.cost.measured:MEASURED",
        "analytic": "adadeep.cost.analytic:ANALYTIC",
    },
    group="adadeep.cost_sources",
    protocol=CostSource,
)

_BEST_FIRST = (Provenance.MEASURED, Provenance.FITTED, Provenance.ANALYTIC)


def choose_sources(target: Target, wanted: Sequence[str] = ()) -> dict[str, str]:
    """The name of the source of each quantity on a target.

    A source that was asked for comes first, the first of several; else what is measured comes
    before what is fitted, and that before what a formula gives; of equals the first in the
    registry.

    Args:
        target: where networks will run.
        wanted: names of sources that are to give all that they offer.

    Raises:
        ConfigError: there is no such source, it gives nothing there, or a quantity has none.
    """
    sources = {name: COST_SOURCES.get(name) for name in wanted} | COST_SOURCES.usable()
    for name in wanted:
        if not sources[name].offers(target):
            raise ConfigError(
                f"cost source {name!r} gives nothing for {target.device_title}; leave it out."
            )
    chosen: dict[str, str] = {}
    for quantity in QUANTITIES:
        offers = [
            (place if name in wanted else len(wanted), _BEST_FIRST.index(provenance), place, name)
            for place, (name, source) in enumerate(sources.items())
            if (provenance := source.offers(target).get(quantity)) in _BEST_FIRST
        ]
        if not offers:
            raise ConfigError(
                f"no cost source gives {quantity} for {target.device_title}; install a package"
                " that brings one (adadeep doctor lists them)."
            )
        chosen[quantity] = min(offers)[-1]
    return chosen


def needs_measurement(sources: Mapping[str, str]) -> bool:
    """Whether candidates have to be measured for these sources (quantity -> name)."""
    return any(COST_SOURCES.get(name).needs_measurement for name in set(sources.values()))


def cost_of(
    candidate: Candidate,
    reference: Candidate,
    target: Target,
    sources: Mapping[str, str],
    otherwise: Quantity | None = None,
) -> Cost | None:
    """The cost of a network on a target, from the sources that were chosen for it.

    Args:
        candidate: the network.
        reference: the initial network there.
        target: where.
        sources: quantity -> name of the source.
        otherwise: what stands for a quantity that can't be told.

    Returns:
        None if nothing does, and a source can't tell yet: the network is not measured there.
    """
    given = {
        name: COST_SOURCES.get(name).costs([candidate], reference, target)[0]
        for name in set(sources.values())
    }
    latency = given[sources[LATENCY]].get(LATENCY, otherwise)
    energy = given[sources[ENERGY]].get(ENERGY, otherwise)
    if latency is None or energy is None:
        return None
    return Cost(
        latency_ms=latency,
        energy_mj=energy,
        storage_bytes=candidate.spec.parameter_storage_bytes,
        activation_bytes=candidate.spec.activation_storage_bytes,
        file_bytes=candidate.file_bytes,
        macs=candidate.spec.macs,
    )
