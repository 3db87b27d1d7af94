"""The record of a target's unit in a run's journal."""

from __future__ import annotations

from dataclasses import dataclass

from adadeep.core.cost_source import UnitLatency
from adadeep.core.measurement import SESSION_DIGITS
from adadeep.core.noise import NoiseModel
from adadeep.core.reader import require_hex

_LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Unit:
    """The latency that all others of a target are told as multiples of, measured well once.

    Attributes:
        target: its key.
        model_sha256: whose latency it is: the initial network's, else that of the sharp reference.
        sessions: ids of those in which it was measured.
        latency: with the interval of what the device takes in the long run.
        basis: for people: where that interval comes from.
        noise: of the device then; it weighs the study's ratios for good, so that what is learned
            of the device later changes none.
        reason: why it is not the initial network's; None if it is.
    """

    target: str
    model_sha256: str
    sessions: tuple[str, ...]
    latency: UnitLatency
    basis: str
    noise: NoiseModel
    reason: str | None = None

    def __post_init__(self) -> None:
        require_hex("a target's key", 8, self.target)
        require_hex("model_sha256", 64, self.model_sha256)
        require_hex("a session's id", SESSION_DIGITS, *self.sessions)
        if self.latency.is_initial != (self.reason is None):
            raise ValueError("a unit is of the initial network, or has a reason why it is not")
        for text in (self.basis, self.reason or ""):
            if len(text) > _LONGEST_TEXT:
                raise ValueError("a text is longer than any of ours")
