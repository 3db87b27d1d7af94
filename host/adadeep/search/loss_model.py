"""What is believed of the accuracy loss of plans: a sum over their decisions, once unbent.

A choice on a layer loses what its savings let expect, times a factor that is learned. The factor's
logarithm is linear in features of the decision (`features`), so what one layer shows of a
technique is believed of the others, too. Beside that a technique and a precision may add a little
wherever they stand, or win it: networks are trained on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adadeep.core.plan import NONE, LayerChoice
from adadeep.core.space import SearchSpace
from adadeep.search.belief import Scales
from adadeep.search.curved import CurvedBelief, CurvedModel
from adadeep.search.features import DecisionFeatures, Group, PlanFeatures
from adadeep.search.sums import Decisions, Floats, Precisions, Sums

_FACTORS = frozenset({Group.OWN, Group.ACTION, Group.TECHNIQUE, Group.SHARE})
_ADDED = frozenset({Group.TECHNIQUE, Group.PRECISION})
# Standard deviations before anything is seen: of the logarithms of factors, then of what is added
# (fractions of the metric's range), each in the order of `Group`; and of how far a plan strays.
_SCALES = Scales(np.array([0.6, 0.4, 0.4, 0.6, 0.001, 0.004]), 0.0015)
# What a choice on a layer loses, before anything is seen, by the share of the layer that it saves
# (of weights and MACs, the mean): what saves more loses more.
_LOSES, _LOSES_LEAST = 0.014, 0.0004
_BEND = 0.0125  # losses above it add up more than linearly: one technique alone is forgiven
_MOST = 4.0  # of a factor's logarithm


def bent(loss: Floats) -> Floats:
    """Losses on a scale where they add up: as they are when small, logarithmic when large."""
    return np.asarray(np.sign(loss) * _BEND * (np.sqrt(1 + 2 * np.abs(loss) / _BEND) - 1))


def unbent(value: Floats) -> Floats:
    """The inverse of `bent`."""
    return np.asarray(np.sign(value) * _BEND * (np.square(np.abs(value) / _BEND + 1) - 1) / 2)


class LossModel(CurvedModel):
    """What is believed of the loss of all plans.

    Args:
        space: what there is to decide.
        savings: the share of its layer that each choice takes out; (points, actions), 0..1.
    """

    def __init__(self, space: SearchSpace, savings: Floats) -> None:
        self._curve = _SumOfLosses(space, savings)
        super().__init__(CurvedBelief(self._curve, self._curve.groups, _SCALES))

    def see(self, decisions: Decisions, loss: float, variance: float) -> None:
        """Takes what a plan (points,) lost, and the variance of that."""
        value = float(bent(np.array(loss)))
        self._belief.see(decisions, value, variance / (1 + 2 * abs(loss) / _BEND))

    def smoothed(self) -> dict[tuple[int, ...], float]:
        """The losses that were seen, by plan, their noise taken out as far as can be."""
        losses = unbent(self._belief.smoothed())
        return dict(zip(self._belief.plans, losses.tolist(), strict=True))

    def sums(self, weights: Floats) -> Sums:
        """The losses of all plans, bent, under weights (w, features), in w ways."""
        return self._curve.sums(weights)

    def losses(self, decisions: Decisions, weights: Floats, stray: Floats | float) -> Floats:
        """Of plans (n, points) under weights (w, features); (w, n)."""
        return unbent(self.sums(weights).of(decisions) + stray)


class _SumOfLosses:
    """The bent loss of plans, by weights: first of the factors, then of what is added.

    Args:
        space: what there is to decide.
        savings: as of a `LossModel`.

    Attributes:
        groups: of the weights; (features,).
    """

    def __init__(self, space: SearchSpace, savings: Floats) -> None:
        self._factors = DecisionFeatures(space, _FACTORS)
        self._added = DecisionFeatures(space, _ADDED)
        self._count = len(self._factors.groups)
        numbers = {kind: len(_FACTORS) + place for place, kind in enumerate(sorted(_ADDED))}
        added = [numbers[Group(kind)] for kind in self._added.groups]
        self.groups = np.array([*self._factors.groups, *added], np.int64)
        is_choice = [isinstance(a, LayerChoice) and a.technique != NONE for a in space.actions]
        is_layer = [point.layer is not None for point in space.points]
        expected = bent(_LOSES_LEAST + _LOSES * np.square(savings))
        self._expected = np.where(np.outer(is_layer, is_choice), expected, 0.0)

    def sums(self, weights: Floats) -> Sums:
        """Of all plans under weights (w, features), in w ways."""
        tables = self._of_choices(weights) + self._added.tables(weights[:, self._count :])
        whole = Precisions(None, np.zeros(tables.shape[2], np.int64))
        return Sums(whole, np.zeros((1, len(weights))), np.moveaxis(tables, 0, 2)[np.newaxis])

    def of(self, decisions: Decisions) -> _LossesOfPlans:
        """See `Curve`."""
        expected = self._expected[np.arange(decisions.shape[1]), decisions]
        return _LossesOfPlans(
            self._factors.of(decisions), self._added.of(decisions).rows(), expected
        )

    def _of_choices(self, weights: Floats) -> Floats:
        """What each choice loses, but for what is added; (w, points, actions)."""
        logs = self._factors.tables(weights[:, : self._count])
        return np.asarray(self._expected * np.exp(np.clip(logs, -_MOST, _MOST)))


@dataclass(frozen=True, slots=True)
class _LossesOfPlans:
    """The bent losses of some plans; see `PlansCurve`.

    Attributes:
        factors: features of the factors.
        added: of what is added, summed over the decisions; (n, features).
        expected: what each decision loses before anything is seen; (n, points).
    """

    factors: PlanFeatures
    added: Floats
    expected: Floats

    def values(self, weights: Floats) -> Floats:
        """See `PlansCurve`."""
        return np.asarray(
            self._of_choices(weights).sum(axis=1) + self.added @ weights[self.factors.count :]
        )

    def slopes(self, weights: Floats) -> Floats:
        """See `PlansCurve`."""
        return np.concatenate([self.factors.rows(self._of_choices(weights)), self.added], axis=1)

    def _of_choices(self, weights: Floats) -> Floats:
        """What each choice loses, but for what is added; (n, points)."""
        logs = self.factors.added(weights[: self.factors.count])
        return np.asarray(self.expected * np.exp(np.clip(logs, -_MOST, _MOST)))
