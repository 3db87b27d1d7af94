"""What a session does to the ratio of two models, whatever its placements and launches say.

What a shared machine does to two like models it does to both, and their ratio stays. Unlike ones
part: where one waits for memory that neighbours use too and the other computes within its core's
own cache, their ratio moves from minute to minute as the neighbours come and go, by more than a
session of seconds can show. How much a model moves so beside others is its own variance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from adadeep.core.estimates import LEAST_SD
from adadeep.core.noise_pool import Like, ReferenceNoise, SessionCentres, Variance, pooled
from adadeep.core.noise_series import own_variances

# Of a model's own variance from session to session, where nothing is known: a seventh of its
# placements' deviation, or what models that are larger than a core's own cache do.
_RESTLESS = 0.02
_OWN_CACHE_BYTES = 4 << 20
_CROWDED_SD = 0.1
_GUESS_DF = 4.0
_LEAST_ROWS = 4
_MEDIANS_COST = 1.6  # a row has medians over placements


def session_variance(
    first: Like,
    second: Like,
    references: Sequence[ReferenceNoise],
    sessions: Sequence[SessionCentres],
) -> tuple[Variance, Variance]:
    """What a session adds to the log ratio of two models, by model.

    Args:
        first: size and time of a model.
        second: of the one that it is compared with.
        references: that are known.
        sessions: their medians.
    """
    own = own_between(references, sessions)
    least = [(one, _restless(one)) for one in references]
    unlike = 1 - math.exp(-(first.distance(second) ** 2) / 2)
    found = []
    for like in (first, second):
        known = pooled(like, own)
        value = max(unlike * known.value, pooled(like, least).value)
        found.append(Variance(value, known.df))
    return found[0], found[1]


def own_between(
    references: Sequence[ReferenceNoise], sessions: Sequence[SessionCentres]
) -> list[tuple[ReferenceNoise, Variance]]:
    """Each reference's own variance from session to session, beside the others.

    What sessions' ratios scatter beyond what their placements explain; without enough sessions in
    which the same references ran, a guess.
    """
    known = [one for one in references if one.model_sha256]
    guesses = [_guess(one) for one in references]
    full = [row for row in sessions if all(row.log_of(one.model_sha256) for one in known)]
    if len(known) < 2 or len(full) < _LEAST_ROWS:
        return list(zip(references, guesses, strict=True))
    logs = np.array([[row.log_of(one.model_sha256) for one in known] for row in full])
    count = float(np.mean([row.placements for row in full]))
    placement = np.array([max(one.placement_sd, LEAST_SD) ** 2 for one in known])
    beyond = np.maximum(own_variances(logs) - _MEDIANS_COST * placement / count, 0.0)
    seen = dict(zip((one.model_sha256 for one in known), beyond.tolist(), strict=True))
    df = len(full) - 1.0
    return [
        (one, guess.blended(Variance(seen[one.model_sha256], df)) if one.model_sha256 else guess)
        for one, guess in zip(references, guesses, strict=True)
    ]


def _guess(one: ReferenceNoise) -> Variance:
    """A machine that counts instructions has no neighbours, so nothing strays there."""
    value = _restless(one).value
    if one.model_bytes > _OWN_CACHE_BYTES and one.placement_sd > LEAST_SD:
        value = max(value, _CROWDED_SD**2)
    return Variance(value, _GUESS_DF)


def _restless(one: ReferenceNoise) -> Variance:
    """What remains between models that are alike."""
    return Variance(_RESTLESS * one.placement_sd**2, _GUESS_DF)
