"""What new processes of the agent change: the share of launches in the error of a ratio.

A launch's variance is a shrunk estimate: what references' launches told of models of like size and
time, moved by a session's own launches where it has several, each by its degrees of freedom. So
one launch does not deny that launches differ, and three say no more of it than three can.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adadeep.core.noise_pool import Like, ReferenceNoise, Variance, pooled
from adadeep.core.noise_series import Floats, trimmed_mean

_SHARE = Variance(0.1, 2.0)  # of a launch's variance to a placement's: a guess
_BY_CHANCE = 4.0  # times as large as foretold the variance of a few launches may be


def launch_of(like: Like, references: Sequence[ReferenceNoise]) -> Variance:
    """Of a launch's log mean of a model, its placements' share left out.

    Args:
        like: the model's size and time.
        references: that are known.
    """
    return pooled(like, [(one, _of_reference(one)) for one in references if one.placement_df])


def _of_reference(one: ReferenceNoise) -> Variance:
    """Few launches tell little: a share of its placements' variance, as is usual, counts, too."""
    usual = Variance(_SHARE.value * one.placement_sd**2, _SHARE.df)
    return usual.blended(Variance(one.launch_sd**2, one.launch_df))


def launch_variance(
    known: Variance, launches: Sequence[Floats], placement: float
) -> tuple[float, float]:
    """Variance that launches add to the mean of a log ratio, and its degrees of freedom.

    Args:
        known: of a launch of both models, see `launch_of`.
        launches: of each launch its placements' log ratios.
        placement: variance of one of these.
    """
    if len(launches) > 1:
        means = [trimmed_mean(one)[0] for one in launches]
        each = placement / float(np.mean([len(one) for one in launches]))
        seen = max(float(np.var(means, ddof=1)) - each, 0.0)
        own = Variance(seen, len(launches) - 1.0)
        known = _unless_contradicted(known, own).blended(own)
    return known.value / len(launches), known.df


def _unless_contradicted(known: Variance, own: Variance) -> Variance:
    """What is foretold counts for less where another is seen: it may be true of other models."""
    if own.value <= _BY_CHANCE * known.value:
        return known
    return Variance(known.value, known.df * _BY_CHANCE * known.value / own.value)
