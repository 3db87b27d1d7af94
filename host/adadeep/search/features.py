"""Plans as rows of features: what each decision adds, on its own layer and as everywhere."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from adadeep.core.plan import UNCHANGED_PRECISION, LayerChoice
from adadeep.core.space import NOTHING, PrecisionChoice, SearchSpace

Floats = npt.NDArray[np.float64]
Decisions = npt.NDArray[np.int64]


class Group(IntEnum):
    """Features whose weights are believed to be of one scale."""

    OWN = 0  # of a choice on a layer
    ACTION = 1  # of a choice, on every layer
    TECHNIQUE = 2  # of a technique, on every layer
    SHARE = 3  # of a technique, times the layer's share of the MACs, and of the weights
    PRECISION = 4
    LAYER = 5  # of a layer, whatever is chosen for it


@dataclass(frozen=True, slots=True)
class PlanFeatures:
    """The features of the decisions of some plans.

    Attributes:
        at: features of each decision, all that are not 0 among them; (slots, n, points).
        values: of those; (slots, n, points).
        count: of all features.
    """

    at: npt.NDArray[np.int64]
    values: Floats
    count: int

    def added(self, weights: Floats) -> Floats:
        """What each decision adds; (n, points) of weights (features,)."""
        return np.asarray((weights[self.at] * self.values).sum(axis=0))

    def rows(self, slopes: Floats | None = None) -> Floats:
        """Summed over the decisions of each plan; (n, features).

        Args:
            slopes: what each decision counts; (n, points). None: 1.
        """
        values = self.values if slopes is None else self.values * slopes
        plans = self.at.shape[1]
        at = self.at + self.count * np.arange(plans)[:, np.newaxis]
        found = np.bincount(at.ravel(), values.ravel(), self.count * plans)
        return np.asarray(found, np.float64).reshape(plans, self.count)


class DecisionFeatures:
    """The features of every decision of a space.

    Args:
        space: what there is to decide.
        groups: that are wanted.

    Attributes:
        of_decision: (points, actions, features); not to be changed once features were asked for.
        groups: of each feature; (features,).
    """

    def __init__(self, space: SearchSpace, groups: frozenset[Group]) -> None:
        self._wanted = groups
        self._names: dict[tuple[object, ...], int] = {}
        self._kinds: list[int] = []
        entries = [
            (place, option, self._feature(group, *name), value)
            for place, point in enumerate(space.points)
            for option in point.options
            for group, name, value in _features(space, place, option)
            if group in groups
        ]
        self.groups = np.array(self._kinds, np.int64)
        shape = (len(space.points), len(space.actions), len(self._kinds))
        self.of_decision: Floats = np.zeros(shape)
        for place, option, feature, value in entries:
            self.of_decision[place, option, feature] = value
        self._slots = self._filled()

    def _filled(self) -> npt.NDArray[np.int64]:
        """Features of a decision, all that are not 0 among them; (slots, points, actions)."""
        is_filled = self.of_decision != 0
        count = int(is_filled.sum(axis=2).max(initial=0))
        order = np.argsort(~is_filled, axis=2, kind="stable")[:, :, :count]
        return np.ascontiguousarray(np.moveaxis(order, 2, 0))

    @functools.cached_property
    def _values(self) -> Floats:
        """Of the features in those slots; (slots, points, actions)."""
        every = np.moveaxis(self._slots, 0, 2)
        found = np.take_along_axis(self.of_decision, every, axis=2)
        return np.ascontiguousarray(np.moveaxis(found, 2, 0))

    def _feature(self, group: Group, *name: object) -> int:
        key = (group, *name)
        if key not in self._names:
            self._names[key] = len(self._names)
            self._kinds.append(group)
        return self._names[key]

    def of(self, decisions: Decisions) -> PlanFeatures:
        """Of plans (n, points)."""
        places = np.arange(decisions.shape[1])
        at = self._slots[:, places, decisions]
        return PlanFeatures(at, self._values[:, places, decisions], len(self.groups))

    def rows(self, decisions: Decisions) -> Floats:
        """Of plans (n, points), summed over their decisions; (n, features)."""
        return self.of(decisions).rows()

    def tables(self, weights: Floats) -> Floats:
        """What each decision adds; (ways, points, actions) of weights (ways, features)."""
        by_feature = np.ascontiguousarray(weights.T)
        shape = (*self.of_decision.shape[:2], len(weights))
        found = np.zeros(shape)
        for slots, values in zip(self._slots, self._values, strict=True):
            found += by_feature[slots] * values[:, :, np.newaxis]
        return np.moveaxis(found, 2, 0)


def _features(
    space: SearchSpace, place: int, option: int
) -> list[tuple[Group, tuple[object, ...], float]]:
    layer, action = space.points[place].layer, space.actions[option]
    if layer is None:
        is_change = action != PrecisionChoice(UNCHANGED_PRECISION)
        return [(Group.PRECISION, (option,), 1.0)] if is_change else []
    own: list[tuple[Group, tuple[object, ...], float]] = [(Group.LAYER, (place,), 1.0)]
    if option == NOTHING:
        return own
    technique = action.technique if isinstance(action, LayerChoice) else ""
    macs = layer.macs / max(space.model.macs, 1)
    weights = layer.nonzero_weights / max(space.model.weights, 1)
    return [
        *own,
        (Group.OWN, (place, option), 1.0),
        (Group.ACTION, (option,), 1.0),
        (Group.TECHNIQUE, (technique,), 1.0),
        (Group.SHARE, (technique, "MACs"), macs),
        (Group.SHARE, (technique, "weights"), weights),
    ]
