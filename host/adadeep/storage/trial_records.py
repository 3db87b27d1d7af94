"""What came of a plan, as the journal holds it: its trial, its remaking, its test."""

from __future__ import annotations

from dataclasses import dataclass, field

from adadeep.core.measurement import SESSION_DIGITS
from adadeep.core.plan import CompressionPlan
from adadeep.core.reader import require_hex, require_range
from adadeep.core.scores import SampleScores

KEY_DIGITS = 16  # of a `content_key`
_LONGEST_REASON = 2000


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """What came of a plan.

    Attributes:
        plan: what was tried.
        artifact: key of its network; None if it could not be made.
        measurements: by target key, the id of the first session in which its network was measured.
        failures: by target key, why it can't be had there.
        reason: why there is no network; None if there is one.
        making_s: wall time until there was a network.
        measuring_s: wall time that measuring it took, on all targets.
    """

    plan: CompressionPlan
    artifact: str | None = None
    measurements: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    reason: str | None = None
    making_s: float = 0.0
    measuring_s: float = 0.0

    def __post_init__(self) -> None:
        require_hex("artifact", KEY_DIGITS, self.artifact)
        require_hex("a session's id", SESSION_DIGITS, *self.measurements.values())
        require_range("a time in seconds", 0, 1e9, self.making_s, self.measuring_s)
        if (self.artifact is None) != (self.reason is not None):
            raise ValueError("a trial has a network, or a reason why there is none")
        for text in (self.reason, *self.failures.values()):
            if text is not None and len(text) > _LONGEST_REASON:
                raise ValueError("a reason is longer than any of ours")


@dataclass(frozen=True, slots=True)
class Remade(TrialRecord):
    """What came of making a plan's network again by the full recipe.

    That network is the one that is tested and delivered.
    """

    def __post_init__(self) -> None:
        TrialRecord.__post_init__(self)
        if not self.plan.choices:
            raise ValueError("a plan that trains nothing is not made again")


@dataclass(frozen=True, slots=True)
class HeldTest:
    """A network on the held-back samples, which the search does not see.

    Attributes:
        plan_key: CompressionPlan.key.
        model_sha256: of the .tflite that was run.
        number: of this finalist among all that were ever tested in this run, from 1; 0 for the
            initial network, which they are compared with.
        tail: the error that each end of its interval may have; 0 for the initial network.
        scores: of the samples.
    """

    plan_key: str
    model_sha256: str
    number: int
    tail: float
    scores: SampleScores

    def __post_init__(self) -> None:
        require_hex("plan_key", 16, self.plan_key)
        require_hex("model_sha256", 64, self.model_sha256)
        require_range("number", 0, 10_000, self.number)
        require_range("tail", 0, 0.5, self.tail)
        if (self.number == 0) != (self.plan_key == CompressionPlan().key):
            raise ValueError("number 0 is the initial network's, and only that is")
