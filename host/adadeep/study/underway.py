"""A plan on its way: its network, what measured it, what is missing still."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from adadeep.core.plan import CompressionPlan
from adadeep.core.session import MeasuredTogether
from adadeep.storage.records import Artifact, Remade, TrialRecord


@dataclass(slots=True)
class Underway:
    """A plan on its way.

    Attributes:
        plan: what is tried.
        artifact: its network, once there is one.
        measurements: by target key, ids of sessions.
        failures: by target key.
        reason: why there is no network.
        missing: keys of targets that are to measure it still.
        making_s: that making it took.
        measuring_s: that measuring it took.
        full: whether its network is made by the full recipe.
    """

    plan: CompressionPlan
    artifact: Artifact | None = None
    measurements: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    reason: str | None = None
    missing: set[str] = field(default_factory=set)
    making_s: float = 0.0
    measuring_s: float = 0.0
    full: bool = False

    @classmethod
    def again(cls, record: TrialRecord, full: bool = False) -> Underway:
        """Of a plan that some target has still to measure."""
        return cls(
            record.plan,
            measurements=dict(record.measurements),
            failures=dict(record.failures),
            making_s=record.making_s,
            measuring_s=record.measuring_s,
            full=full,
        )

    def measured(
        self, target: str, sessions: Iterable[MeasuredTogether], model_sha256: str
    ) -> None:
        """Takes what earlier sessions on a target tell of its network."""
        found = (session.id for session in sessions if session.of(model_sha256))
        self.measurements.setdefault(target, next(found))
        self.missing.discard(target)

    @property
    def is_done(self) -> bool:
        """Whether nothing more comes."""
        return self.reason is not None or (self.artifact is not None and not self.missing)

    def record(self) -> TrialRecord:
        """What came of it so far."""
        kind = Remade if self.full else TrialRecord
        return kind(
            plan=self.plan,
            artifact=self.artifact.key if self.artifact else None,
            measurements=dict(self.measurements),
            failures=dict(self.failures),
            reason=self.reason,
            making_s=round(self.making_s, 3),
            measuring_s=round(self.measuring_s, 3),
        )


def text_of(error: Exception) -> str:
    """An error as a trial has it for its reason."""
    return f"{type(error).__name__}: {error}"[:2000]
