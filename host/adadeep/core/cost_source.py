"""CostSource: where a quantity of a network's cost on a target comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from adadeep.core.cost import ITSELF, MEDIAN, Provenance, Quantity, Ratio
from adadeep.core.layers import ModelSpec
from adadeep.core.measurement import Measurement
from adadeep.core.reader import require_range
from adadeep.core.target import Target

LATENCY, ENERGY = "latency_ms", "energy_mj"
QUANTITIES = (LATENCY, ENERGY)
_LONGEST_MS = 3.6e6


@dataclass(frozen=True, slots=True)
class UnitLatency:
    """What ratios are multiples of: the latency of the initial network, measured well once.

    Attributes:
        latency_ms: the median.
        low_ms: lower end of the 95 % interval of what the device takes in the long run.
        high_ms: upper end.
        is_initial: whether it is the initial network's; else that can't run on the target, and
            the unit is a small network that can.
    """

    latency_ms: float
    low_ms: float
    high_ms: float
    is_initial: bool = True

    def __post_init__(self) -> None:
        require_range(
            "a latency in ms", 0, _LONGEST_MS, self.low_ms, self.latency_ms, self.high_ms
        )
        if not 0 < self.low_ms <= self.latency_ms <= self.high_ms:
            raise ValueError("a unit's latency is not within its interval")

    @property
    def ratio(self) -> Ratio:
        """In ms, as a multiple of one."""
        return Ratio(self.latency_ms, self.low_ms, self.high_ms)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network whose cost is asked for.

    Attributes:
        spec: what it is, in the precision that it runs in.
        file_bytes: size of its .tflite.
        measurement: of the session on the target in which it was measured first; None if there is
            none.
        ratio: its median latency over the unit's, by all sessions that tell it; None if none does.
        unit: of the target; None where nothing is measured.
        statistic: which latency is asked for, see `Quantity`.
        tail: that statistic over the median, of its own session; None where that can't tell.
    """

    spec: ModelSpec
    file_bytes: int
    measurement: Measurement | None = None
    ratio: Ratio | None = None
    unit: UnitLatency | None = None
    statistic: str = MEDIAN
    tail: Ratio | None = ITSELF

    @property
    def relative(self) -> Ratio | None:
        """Of the statistic over the unit's median; None where it can't be told."""
        if self.ratio is None or self.tail is None:
            return None
        return self.ratio.times(self.tail)

    @property
    def latency_ms(self) -> Ratio | None:
        """The statistic in ms, with the uncertainty of the unit; None where it can't be told."""
        relative = self.relative
        return self.unit.ratio.times(relative) if self.unit and relative else None


class CostSource(Protocol):
    """An entry of the registry of cost sources. Pure: what was measured is given to it.

    Attributes:
        name: in the registry, in headers: "measured".
        title: for people.
        needs_measurement: whether a candidate has to be measured on the target for it.
    """

    name: str
    title: str
    needs_measurement: bool

    def offers(self, target: Target) -> Mapping[str, Provenance]:
        """The quantities (`QUANTITIES`) that it can give for a target, and their provenance."""
        ...

    def costs(
        self, candidates: Sequence[Candidate], reference: Candidate, target: Target
    ) -> Sequence[Mapping[str, Quantity]]:
        """What it knows of each candidate, in their order; what it can't tell is left out.

        Args:
            candidates: networks.
            reference: the initial network, on the same target: costs may be ratios to its.
            target: where they run.
        """
        ...
