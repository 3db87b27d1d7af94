"""Whether a limit of the demand is kept, as far as what was measured can tell. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from adadeep.core.reader import require_finite

_TOLERANCE = 1e-9  # a limit that is the network's own cost is kept by that network


class VerdictState(StrEnum):
    """What can be said of a limit."""

    MET = "met"  # the interval lies within the limit
    OPEN = "open"  # the limit lies in the interval, or there is no interval
    BROKEN = "broken"  # the interval lies beyond the limit


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one limit.

    Attributes:
        limit: the most that is allowed.
        estimate: what was found, in the same unit; None if nothing was.
        low: lower end of the interval; None where there is none.
        high: upper end.
        basis: for people: where estimate and interval come from.
    """

    limit: float
    estimate: float | None
    low: float | None = None
    high: float | None = None
    basis: str = ""

    def __post_init__(self) -> None:
        require_finite(
            "a limit, or what was found", self.limit, self.estimate, self.low, self.high
        )

    @classmethod
    def exact(cls, limit: float, value: float | None, basis: str) -> Verdict:
        """Of a number that is computed and not sampled."""
        return cls(limit, value, value, value, basis)

    @property
    def state(self) -> VerdictState:
        """Met, open or broken."""
        if self.high is not None and self._keeps(self.high):
            return VerdictState.MET
        if self.low is not None and not self._keeps(self.low):
            return VerdictState.BROKEN
        return VerdictState.OPEN

    @property
    def is_within(self) -> bool:
        """Whether the estimate keeps the limit."""
        return self.estimate is not None and self._keeps(self.estimate)

    @property
    def text(self) -> str:
        """ "met", "open, within", "open, beyond" or "broken"."""
        if self.state is not VerdictState.OPEN:
            return str(self.state)
        return f"open, {'within' if self.is_within else 'beyond'}"

    def _keeps(self, value: float) -> bool:
        return value <= self.limit + _TOLERANCE * max(abs(self.limit), 1.0)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Of all limits of a demand.

    Attributes:
        accuracy_loss: against the initial network, on the same samples; a fraction.
        latency_ms: T.
        energy_mj: E.
        storage_bytes: S_p.
    """

    accuracy_loss: Verdict
    latency_ms: Verdict
    energy_mj: Verdict
    storage_bytes: Verdict

    def __iter__(self) -> Iterator[tuple[str, Verdict]]:
        for name in ("accuracy_loss", "latency_ms", "energy_mj", "storage_bytes"):
            yield name, getattr(self, name)

    @property
    def state(self) -> VerdictState:
        """Broken if one is, else open if one is, else met."""
        states = {verdict.state for _, verdict in self}
        for state in (VerdictState.BROKEN, VerdictState.OPEN):
            if state in states:
                return state
        return VerdictState.MET

    @property
    def is_acceptable(self) -> bool:
        """Whether no limit is broken and every estimate is within."""
        return self.state is not VerdictState.BROKEN and all(v.is_within for _, v in self)

    @property
    def text(self) -> str:
        """For tables: "met", "open, within", "open, beyond" or "broken"."""
        if self.state is not VerdictState.OPEN:
            return str(self.state)
        return f"open, {'within' if self.is_acceptable else 'beyond'}"
