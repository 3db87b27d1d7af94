"""power: energy as so many watts for as long as a network was measured to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adadeep.core.cost import Provenance, Quantity
from adadeep.core.cost_source import ENERGY, Candidate
from adadeep.core.target import Target

WATTS = 2.0  # that is, mJ/ms


class Power:
    name = "power"
    title = f"{WATTS:g} W for as long as a network runs"
    needs_measurement = True

    def offers(self, target: Target) -> Mapping[str, Provenance]:
        return {ENERGY: Provenance.FITTED}

    def costs(
        self, candidates: Sequence[Candidate], reference: Candidate, target: Target
    ) -> Sequence[Mapping[str, Quantity]]:
        return [_energy(candidate) for candidate in candidates]


def _energy(candidate: Candidate) -> Mapping[str, Quantity]:
    latency, measured = candidate.latency_ms, candidate.measurement
    if latency is None or measured is None:
        return {}
    energy = Quantity(
        WATTS * latency.value,
        Provenance.FITTED,
        f"{WATTS:g} W x T",
        measured.disturbed,
        WATTS * latency.low,
        WATTS * latency.high,
    )
    return {ENERGY: energy}


POWER = Power()
