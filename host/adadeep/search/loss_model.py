"""What is believed of the accuracy loss of plans: a sum over their decisions, once unbent."""

from __future__ import annotations

import numpy as np

from adadeep.core.plan import NONE, LayerChoice
from adadeep.core.space import SearchSpace
from adadeep.search.belief import LinearBelief, Scales
from adadeep.search.features import DecisionFeatures, Group
from adadeep.search.sums import Decisions, Floats, Precisions, Sums

# Standard deviations of what a decision adds to the loss (a fraction of the metric's range), by
# `Group`, before anything is seen; and of how far a plan strays from the sum.
_LOSS_SCALES = Scales(np.array([0.004, 0.003, 0.003, 0.006, 0.004]), 0.0015)
# What a choice on a layer adds, before anything is seen, by what it takes out of the layer (of
# weights and MACs, the mean of the shares): what saves more loses more.
_LOSES, _LOSES_LEAST = 0.02, 0.0005
_LOSS_GROUPS = frozenset(Group) - {Group.LAYER}
_BEND = 0.0125  # losses above it add up more than linearly: one technique alone is forgiven
_TYPICAL = 0.005  # loss of a choice whose weights have the scales above
_LEAST_VARIANCE = 1e-10


def bent(loss: Floats) -> Floats:
    """Losses on a scale where they add up: as they are when small, logarithmic when large."""
    return np.asarray(np.sign(loss) * _BEND * (np.sqrt(1 + 2 * np.abs(loss) / _BEND) - 1))


def unbent(value: Floats) -> Floats:
    """The inverse of `bent`."""
    return np.asarray(np.sign(value) * _BEND * (np.square(np.abs(value) / _BEND + 1) - 1) / 2)


class LossModel:
    """What is believed of the loss of all plans.

    Args:
        space: what there is to decide.
        savings: the share of its layer that each choice takes out; (points, actions), 0..1.
    """

    def __init__(self, space: SearchSpace, savings: Floats) -> None:
        self.features = DecisionFeatures(space, _LOSS_GROUPS)
        is_choice = [isinstance(a, LayerChoice) and a.technique != NONE for a in space.actions]
        is_layer = [point.layer is not None for point in space.points]
        expected = _LOSES_LEAST + _LOSES * np.square(savings)
        self._expected = np.where(np.outer(is_layer, is_choice), bent(expected), 0.0)
        strength = np.where(self._expected > 0, expected / _TYPICAL, 1.0)
        self.features.of_decision *= strength[:, :, np.newaxis]
        self.belief = LinearBelief(self.features.groups, _LOSS_SCALES)
        self._plans: list[tuple[int, ...]] = []
        self._rows: list[Floats] = []
        self._values: list[float] = []
        self._offsets: list[float] = []
        self._variances: list[float] = []

    def see(self, decisions: Decisions, loss: float, variance: float) -> None:
        """Takes what a plan (points,) lost, and the variance of that."""
        self._plans.append(tuple(int(number) for number in decisions))
        self._rows.append(self.features.rows(decisions[np.newaxis])[0])
        self._offsets.append(float(self._before(decisions[np.newaxis])[0]))
        self._values.append(float(bent(np.array(loss))) - self._offsets[-1])
        self._variances.append(max(variance / (1 + 2 * abs(loss) / _BEND), _LEAST_VARIANCE))

    def fit(self) -> None:
        """Draws conclusions from what was seen."""
        if self._values:
            rows, values = np.stack(self._rows), np.array(self._values)
            self.belief.fit(rows, values, np.array(self._variances))

    def smoothed(self) -> dict[tuple[int, ...], float]:
        """The losses that were seen, by plan, their noise taken out as far as can be."""
        if not self._plans:
            return {}
        losses = unbent(self.belief.smoothed() + np.array(self._offsets))
        return dict(zip(self._plans, losses.tolist(), strict=True))

    def sums(self, weights: Floats) -> Sums:
        """The losses of all plans, bent, under weights (w, features), in w ways."""
        added = np.moveaxis(self.features.tables(weights) + self._expected, 0, 2)
        whole = Precisions(None, np.zeros(added.shape[1], np.int64))
        return Sums(whole, np.zeros((1, len(weights))), added[np.newaxis])

    def losses(self, decisions: Decisions, weights: Floats, stray: Floats | float) -> Floats:
        """Of plans (n, points) under weights (w, features); (w, n)."""
        return unbent(self.sums(weights).of(decisions) + stray)

    def _before(self, decisions: Decisions) -> Floats:
        """Before anything is seen; (n,)."""
        places = np.arange(decisions.shape[1])
        return np.asarray(self._expected[places, decisions].sum(axis=1))
