"""power: energy as so many watts for as long as a network was measured to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adadeep.core.cost import Provenance, Quantity
from adadeep.core.cost_source import ENERGY, Candidate
from adadeep.core.measurement import Measurement
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
        return [
            {ENERGY: _energy(candidate.measurement)} if candidate.measurement else {}
            for candidate in candidates
        ]


def _energy(measurement: Measurement) -> Quantity:
    latency = measurement.latency
    return Quantity(
        WATTS * latency.median,
        Provenance.FITTED,
        f"{WATTS:g} W x T",
        measurement.disturbed,
        WATTS * latency.ci_low,
        WATTS * latency.ci_high,
    )


POWER = Power()
