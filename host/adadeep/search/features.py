"""Plans as rows of features: what each decision adds, on its own layer and as everywhere."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from adadeep.core.plan import UNCHANGED_PRECISION, LayerChoice
from adadeep.core.space import NOTHING, PrecisionChoice, SearchSpace

Floats = npt.NDArray[np.float64]
Decisions = npt.NDArray[np.int64]

OWN, ACTION, TECHNIQUE, PRECISION = range(4)
GROUPS = 4


class DecisionFeatures:
    """The features of every decision of a space.

    A choice on a layer has a weight of its own; weights that layers share, of the choice and of
    its technique, each times the layer's share of the network's MACs and of its weights; a
    precision has one.

    Args:
        space: what there is to decide.

    Attributes:
        of_decision: (points, actions, features); 0 where nothing is changed.
        groups: `OWN`, `ACTION`, `TECHNIQUE` or `PRECISION`; (features,).
    """

    def __init__(self, space: SearchSpace) -> None:
        self._names: dict[tuple[object, ...], int] = {}
        self._kinds: list[int] = []
        entries: list[tuple[int, int, int, float]] = []
        macs, weights = max(space.model.macs, 1), max(space.model.weights, 1)
        for place, point in enumerate(space.points):
            layer = point.layer
            for number in (n for n in point.options if n != NOTHING):
                if layer is None:
                    if space.actions[number] == PrecisionChoice(UNCHANGED_PRECISION):
                        continue
                    entries.append((place, number, self._feature(PRECISION, number), 1.0))
                    continue
                entries.append((place, number, self._feature(OWN, place, number), 1.0))
                action = space.actions[number]
                technique = action.technique if isinstance(action, LayerChoice) else ""
                shares = layer.macs / macs, layer.nonzero_weights / weights
                for what, share in enumerate(shares):
                    for group, name in ((ACTION, number), (TECHNIQUE, technique)):
                        entries.append((place, number, self._feature(group, name, what), share))
        self.groups = np.array(self._kinds, np.int64)
        shape = (len(space.points), len(space.actions), len(self._kinds))
        self.of_decision: Floats = np.zeros(shape)
        for place, number, feature, value in entries:
            self.of_decision[place, number, feature] = value

    def _feature(self, group: int, *name: object) -> int:
        key = (group, *name)
        if key not in self._names:
            self._names[key] = len(self._names)
            self._kinds.append(group)
        return self._names[key]

    def rows(self, decisions: Decisions) -> Floats:
        """Of plans (n, points); (n, features)."""
        places = np.arange(self.of_decision.shape[0])
        return np.asarray(self.of_decision[places, decisions].sum(axis=1))

    def tables(self, weights: Floats) -> Floats:
        """What each decision adds; (..., points, actions) of weights (..., features)."""
        return np.asarray(np.tensordot(weights, self.of_decision, axes=([-1], [2])))
