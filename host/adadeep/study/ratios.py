"""What a run's sessions of measuring tell: all of a target are one graph of ratios.

A network's latency is the unit's times its ratio to the unit, by every session of the target that
links the two. What a sampler is told uses the sessions up to the one in which the network was
measured first: later ones make the ratio sharper, but what was told once stays what it was.
"""

from __future__ import annotations

from collections.abc import Sequence

from adadeep.core.cost import COLD, ITSELF, MEDIAN, P95, P99, Ratio
from adadeep.core.estimates import RatioEstimate
from adadeep.core.measurement import Measurement
from adadeep.core.noise import NoiseModel
from adadeep.core.ratio_graph import Edge, RatioGraph, edges_of
from adadeep.core.session import MeasuredTogether
from adadeep.core.statistics import summarise
from adadeep.storage.records import JournalContent

_FRACTIONS = {P95: 0.95, P99: 0.99}
_DIGITS = 9  # of ratios: what comes of sums in another order is the same number


class TargetRatios:
    """The ratios of a target.

    Args:
        content: of the journal; it may grow.
        target: key of the target.
    """

    def __init__(self, content: JournalContent, target: str) -> None:
        self._content, self._target = content, target

    @property
    def sessions(self) -> list[MeasuredTogether]:
        """Of the target, in the order of the journal."""
        return self._content.sessions_on(self._target)

    def first(self, model_sha256: str, statistic: str = MEDIAN) -> MeasuredTogether | None:
        """The first session that tells a statistic of a model; None if none does."""
        for session in self.sessions:
            measured = session.of(model_sha256)
            if measured is not None and (statistic != COLD or measured.cold_ms is not None):
                return session
        return None

    def to_unit(self, model_sha256: str, until: str | None = None) -> Ratio | None:
        """A model's median latency over the unit's; None where no session links them.

        Args:
            model_sha256: of the model.
            until: id of the last session that counts; None for all.
        """
        unit = self._content.units.get(self._target)
        if unit is None:
            return None
        return self.between(model_sha256, unit.model_sha256, until)

    def between(self, first: str, second: str, until: str | None = None) -> Ratio | None:
        """Of two models, by their hashes; None where no session links them."""
        if first == second:
            return ITSELF
        sessions = self.sessions
        if until is not None:
            place = next((n for n, one in enumerate(sessions) if one.id == until), len(sessions))
            sessions = sessions[: place + 1]
        known, key = self._content.derived, ("ratio", self._target, len(sessions), first, second)
        if key not in known:
            found = self._graph(sessions).ratio(first, second)
            known[key] = None if found is None else ratio_of(found)
        ratio: Ratio | None = known[key]
        return ratio

    def _graph(self, sessions: Sequence[MeasuredTogether]) -> RatioGraph:
        """Of sessions; the last one that was asked for is kept."""
        known, key = self._content.derived, ("graph", self._target)
        if key not in known or known[key][0] != len(sessions):
            edges = [edge for one in sessions for edge in self._edges(one)]
            known[key] = len(sessions), RatioGraph.of(edges)
        graph: RatioGraph = known[key][1]
        return graph

    def _edges(self, session: MeasuredTogether) -> tuple[Edge, ...]:
        known, key = self._content.derived, ("edges", session.id)
        unit = self._content.units.get(self._target)
        if unit is None:
            return ()
        if key not in known:
            known[key] = edges_of(session, unit.noise)
        edges: tuple[Edge, ...] = known[key]
        return edges


def tail_of(measurement: Measurement, statistic: str, noise: NoiseModel) -> Ratio | None:
    """A statistic of a model's runs over their median, of its own session.

    Args:
        measurement: of the model.
        statistic: "median", "p95", "p99" or "cold".
        noise: of the device.

    Returns:
        None where the session does not tell it.
    """
    if statistic == MEDIAN:
        return ITSELF
    if statistic == COLD:
        return _cold(measurement)
    found = noise.percentile(measurement, _FRACTIONS[statistic])
    median = measurement.latency_ms
    return Ratio(found.value_ms / median, found.low_ms / median, found.high_ms / median)


def _cold(measurement: Measurement) -> Ratio | None:
    """Of the runs with cold caches, with the interval of their median."""
    runs = [ns / 1e6 for placement in measurement.placements for ns in placement.cold_ns]
    if not runs:
        return None
    median, found = measurement.latency_ms, summarise(runs)
    return Ratio(found.median / median, found.ci_low / median, found.ci_high / median)


def ratio_of(found: RatioEstimate) -> Ratio:
    """An estimate as a ratio with its interval."""
    ends = (found.ratio, found.low, found.high)
    value, low, high = (float(f"{one:.{_DIGITS}g}") for one in ends)
    return Ratio(value, min(low, value), max(high, value))
