"""MeasuredTogether: a session, in which models were measured in turn and can be compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from adadeep.core.measurement import SESSION_DIGITS, Measurement
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.reader import require_hex

MOST_MODELS = 16


class Ended(StrEnum):
    """Why a session ended."""

    NARROW = "narrow enough"  # the interval of what is compared
    PLACEMENTS = "all placements"  # that the plan has: the noise model says more would not help
    TIME = "time is over"


@dataclass(frozen=True, slots=True)
class MeasuredTogether:
    """A session: models that one agent ran in turn, block by block.

    Attributes:
        id: of the session.
        plan: how it went.
        measurements: of the models, in the order in which they were asked for; all have the same
            placements and rounds.
        ended: why it ended.
    """

    id: str
    plan: MeasuringPlan
    measurements: tuple[Measurement, ...]
    ended: Ended

    def __post_init__(self) -> None:
        require_hex("id", SESSION_DIGITS, self.id)
        if not 1 <= len(self.measurements) <= MOST_MODELS:
            raise ValueError(f"a session has {len(self.measurements)} models")
        if any(one.session != self.id for one in self.measurements):
            raise ValueError("a measurement is of another session")
        numbers = {tuple(p.number for p in one.placements) for one in self.measurements}
        if len(numbers) != 1:
            raise ValueError("its models were not placed together")
        if len({one.target.key for one in self.measurements}) != 1:
            raise ValueError("its models were measured on several targets")

    def of(self, model_sha256: str) -> Measurement | None:
        """What it told of a model; None if that was not in it."""
        return next((one for one in self.measurements if one.model_sha256 == model_sha256), None)


def session_id(models: Sequence[str], plan: MeasuringPlan, target_key: str) -> str:
    """Names a session by what it is to do: 16 hex digits.

    Args:
        models: SHA-256 of each, in their order.
        plan: how it goes.
        target_key: of the target.
    """
    text = json.dumps([list(models), plan.message, target_key], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:SESSION_DIGITS]
