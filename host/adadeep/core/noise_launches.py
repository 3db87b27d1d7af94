"""What new processes of the agent change: the share of launches in the error of a ratio."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from adadeep.core.estimates import LEAST_SD
from adadeep.core.noise_pool import ReferenceNoise, Variance
from adadeep.core.noise_series import Floats, trimmed_mean

_SHARE = Variance(0.1, 3.0)  # of a launch's variance to a placement's: a guess
_MOST_DF = 3.0  # that what is known of references counts for
_TELLING = 3  # launches, for their means to be the sample


def launch_share(references: Sequence[ReferenceNoise]) -> Variance:
    """A launch's variance in terms of a placement's: the same for all models, as far as is known.

    Each reference had few launches; together they tell, along with a guess.
    """
    known = [one for one in references if one.launch_df and one.placement_df]
    if not known:
        return _SHARE
    shares = [
        (max(one.launch_sd, LEAST_SD) / max(one.placement_sd, LEAST_SD)) ** 2 for one in known
    ]
    df = sum(one.launch_df for one in known) / 2
    return _SHARE.likened(Variance(math.exp(float(np.mean(np.log(shares)))), df))


def launch_variance(
    share: Variance, bare: float, launches: Sequence[Floats], placement: float
) -> tuple[float, float]:
    """Variance that launches add to the mean of a log ratio, and its degrees of freedom.

    Args:
        share: see `launch_share`.
        bare: variance of a placement, its blocks' share left out, of both models.
        launches: of each launch its placements' log ratios.
        placement: variance of one of these.
    """
    known = Variance(share.value * bare, min(share.df, _MOST_DF))
    if len(launches) > 1:
        each = placement / float(np.mean([len(one) for one in launches]))
        seen = max(float(np.var(_means(launches), ddof=1)) - each, 0.0)
        known = known.blended(Variance(seen, len(launches) - 1.0))
    return known.value / len(launches), known.df


def by_launches(launches: Sequence[Floats]) -> tuple[float, float] | None:
    """Variance of the mean as the launches' own means tell it; None where they are too few."""
    if len(launches) < _TELLING:
        return None
    return float(np.var(_means(launches), ddof=1)) / len(launches), len(launches) - 1.0


def _means(launches: Sequence[Floats]) -> list[float]:
    return [trimmed_mean(one)[0] for one in launches]
