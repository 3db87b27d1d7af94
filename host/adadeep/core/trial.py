"""Trial: one evaluated plan on one target."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from adadeep.core.cost import Cost
from adadeep.core.plan import CompressionPlan
from adadeep.core.reader import require_finite, require_hex, require_range
from adadeep.core.scores import SampleScores


class TrialState(StrEnum):
    """How a trial ended."""

    COMPLETE = "complete"
    FAILED = "failed"  # data too: the reason is recorded and the reward is the floor
    SKIPPED = "skipped"  # a cost that is known beforehand breaks a limit: never trained
    INCOMPLETE = "incomplete"  # the target has not measured it yet: not ranked


@dataclass(frozen=True, slots=True)
class AsSearched:
    """What the search saw of a plan whose network was made again by the full recipe.

    Attributes:
        accuracy: on the validation data.
        model_sha256: of the network of then.
    """

    accuracy: float
    model_sha256: str

    def __post_init__(self) -> None:
        require_finite("accuracy", self.accuracy)
        require_hex("model_sha256", 64, self.model_sha256)


@dataclass(frozen=True, slots=True)
class Trial:
    """One evaluated plan on one target; its costs are made of what was measured, on reading.

    Attributes:
        plan: what was tried.
        state: how it ended on this target.
        accuracy: the quality on the validation data, by the study's metric; None if there is no
            network.
        cost: on this target; None if it is not complete.
        model_sha256: of its .tflite, kept in the run's folder; None if there is none.
        session: in which T was measured first on the target; None if it was not.
        reason: why it is not complete; None if it is.
        seconds: wall time it took.
        scores: of the validation samples, which `accuracy` is the mean of; None if there is no
            network, or they were not kept.
        taken_from: name of the run that made its network; None where this one did.
        as_searched: what the search saw, where all this is of the network that the full recipe
            made; else None.
    """

    plan: CompressionPlan
    state: TrialState
    accuracy: float | None = None
    cost: Cost | None = None
    model_sha256: str | None = None
    session: str | None = None
    reason: str | None = None
    seconds: float = 0.0
    scores: SampleScores | None = field(default=None, repr=False)
    taken_from: str | None = None
    as_searched: AsSearched | None = None

    def __post_init__(self) -> None:
        require_finite("accuracy", self.accuracy)
        require_range("seconds", 0, 1e9, self.seconds)
        require_hex("model_sha256", 64, self.model_sha256)
        known = self.accuracy is not None and self.cost is not None
        if known != (self.state is TrialState.COMPLETE):
            raise ValueError(
                f"a trial that is {self.state} has no accuracy and cost, or lacks them"
            )
