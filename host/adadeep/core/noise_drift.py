"""How far a device was off its centre while a session ran, by the references that ran in it.

What a shared machine does to one model of a session it does to a like one beside it: their log
medians correlate by 0.9 and more from session to session. Where the centre of a reference is known
of other sessions, its stray here tells of the model's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adadeep.core.noise_pool import Like, ReferenceNoise, SessionCentres
from adadeep.core.noise_sessions import AT_ONCE_S
from adadeep.core.session import MeasuredTogether

_LEAST_CENTRES = 4  # sessions at other times, for a reference's centre
_ALIKE = 0.9  # correlation with a reference of the same size and time
_LEAST_SHARED = 0.3  # correlation below which a reference tells nothing
_WORTH_SAYING = 0.01  # of a drift
_FLICKER = 0.5  # of sessions within an hour that count as if they were independent


@dataclass(frozen=True, slots=True)
class Drift:
    """What is to be taken off a model's log median.

    Attributes:
        log: how far it was off, as far as the reference tells.
        left: share of the variance between sessions that is left then.
    """

    log: float
    left: float

    def words(self) -> str:
        """How fast the device was then, where that is worth a word: the ends are moved by it."""
        if abs(self.log) < _WORTH_SAYING:
            return ""
        pace = "slower" if self.log > 0 else "faster"
        return f"; it ran {100 * math.expm1(abs(self.log)):.0f} % {pace} than usual meanwhile"


NO_DRIFT = Drift(0.0, 1.0)


def drift_of(
    session: MeasuredTogether,
    model: Like,
    references: Sequence[ReferenceNoise],
    sessions: Sequence[SessionCentres],
) -> Drift:
    """By the reference in a session that is nearest to a model; none where none is near and known.

    Args:
        session: in which the model ran beside references.
        model: its size and time.
        references: that are known.
        sessions: of which their centres are known; those at the time of this one don't count.
    """
    when = session.measurements[0].before.timestamp
    others = [row for row in sessions if abs(row.unix_s - when) >= AT_ONCE_S]
    best = NO_DRIFT
    for one in references:
        measured = session.of(one.model_sha256) if one.model_sha256 else None
        logs = [log for row in others if (log := row.log_of(one.model_sha256)) is not None]
        if measured is None or len(logs) < _LEAST_CENTRES:
            continue
        shared = _ALIKE * math.exp(-(model.distance(one) ** 2) / 2)
        left = 1 - shared**2 + shared**2 / (_FLICKER * len(logs))
        if shared >= _LEAST_SHARED and left < best.left:
            stray = math.log(measured.latency_ms) - float(np.mean(logs))
            best = Drift(shared * stray, left)
    return best
