"""The "measured" cost source: latency as it was measured on the target, by ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adadeep.core.cost import Provenance, Quantity
from adadeep.core.cost_source import LATENCY, Candidate
from adadeep.core.target import Target

_DIGITS = 9  # what comes of sums in another order is the same number


class MeasuredSource:
    """The unit's latency times the candidate's ratio to it.

    Both have their uncertainty, and so has T; the ratio's alone is beside it.
    """

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
        return [_costs(candidate) for candidate in candidates]


def _costs(candidate: Candidate) -> Mapping[str, Quantity]:
    measured, unit, latency = candidate.measurement, candidate.unit, candidate.latency_ms
    if measured is None or latency is None or unit is None:
        return {}
    agent = measured.agent
    return {
        LATENCY: Quantity(
            _rounded(latency.value),
            Provenance.MEASURED,
            f"{measured.device_title}, {agent.runtime} {agent.runtime_version}",
            measured.disturbed,
            _rounded(latency.low),
            _rounded(latency.high),
            ratio=candidate.ratio if unit.is_initial else None,
            statistic=candidate.statistic,
        )
    }


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


MEASURED = MeasuredSource()
