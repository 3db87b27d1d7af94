"""The "measured" cost source: latency as it was measured on the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adadeep.core.cost import Provenance, Quantity
from adadeep.core.cost_source import LATENCY, Candidate
from adadeep.core.measurement import Measurement
from adadeep.core.target import Target


class MeasuredSource:
    """The median of a candidate's own measurement."""

    name = "measured"
    title = "latency as measured on the device"
    needs_measurement = True

    def offers(self, target: Target) -> Mapping[str, Provenance]:
        """T."""
        del target
        return {LATENCY: Provenance.MEASURED}

    def costs(
        self, candidates: Sequence[Candidate], reference: Candidate, target: Target
    ) -> Sequence[Mapping[str, Quantity]]:
        """T of each that was measured."""
        del reference, target
        return [
            {LATENCY: _latency(candidate.measurement)} if candidate.measurement else {}
            for candidate in candidates
        ]


def _latency(measurement: Measurement) -> Quantity:
    agent, summary = measurement.agent, measurement.latency
    where = f"{measurement.device_title}, {agent.runtime} {agent.runtime_version}"
    return Quantity(
        summary.median,
        Provenance.MEASURED,
        where,
        measurement.disturbed,
        summary.ci_low,
        summary.ci_high,
    )


MEASURED = MeasuredSource()
