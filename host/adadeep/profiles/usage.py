"""What the sessions of a profile say of its device: whether it became slower."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adadeep.core.device_profile import ProfileReference, ProfileSession


@dataclass(frozen=True, slots=True)
class ReferenceDrift:
    """A reference that several sessions measured in the same way.

    Attributes:
        first_at: when first: ISO 8601, UTC.
        first: as it was then.
        last_at: when last.
        last: as it was then.
    """

    first_at: str
    first: ProfileReference
    last_at: str
    last: ProfileReference

    @property
    def change(self) -> float:
        """Of the latency, relative to the first: 0.07 is 7 % slower."""
        return self.last.latency_ms / self.first.latency_ms - 1


def drifts_of(sessions: Sequence[ProfileSession]) -> tuple[ReferenceDrift, ...]:
    """First and last of each reference that at least two sessions measured.

    With another build of the system, runtime, number of threads or choice of cores it is another.
    """
    drifts: list[ReferenceDrift] = []
    measured = [(one.created, one.reference) for one in sessions if one.reference]
    while measured:
        (first_at, first), *rest = measured
        again = [(at, reference) for at, reference in rest if reference.is_as(first)]
        measured = [pair for pair in rest if pair not in again]
        if again:
            drifts.append(ReferenceDrift(first_at, first, *again[-1]))
    return tuple(drifts)
