"""What there is to decide: a choice for every layer that can be compressed, then the precision.

A decision is the number of an action. All points share one list of actions, so that an action
means the same wherever it is taken; a mask says which are open at a point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.compressed import ModelT
from adadeep.core.layers import LayerSpec, ModelSpec
from adadeep.core.plan import UNCHANGED_PRECISION, CompressionPlan, LayerChoice
from adadeep.core.protocols import Technique

NOTHING = 0  # the number of the action that leaves a layer as it is

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PrecisionChoice:
    """A precision, as decided for the whole network.

    Attributes:
        name: its registered name.
    """

    name: str


Action = LayerChoice | PrecisionChoice


@dataclass(frozen=True, slots=True)
class DecisionPoint:
    """One thing to decide.

    Attributes:
        layer: the layer; None where the precision is decided.
        options: numbers of the actions that are open here, ascending.
    """

    layer: LayerSpec | None
    options: tuple[int, ...]

    @property
    def title(self) -> str:
        """The layer's name, or "precision"."""
        return self.layer.name if self.layer else "precision"


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """All plans of one network.

    Attributes:
        model: the initial network.
        actions: every layer choice and precision; number `NOTHING` is "none".
        points: in the order in which they are decided.
        ending: numbers of the actions after which the later layers can't be decided any more,
            because the technique replaces them.
    """

    model: ModelSpec
    actions: tuple[Action, ...]
    points: tuple[DecisionPoint, ...]
    ending: frozenset[int] = frozenset()

    def mask(self, decisions: Sequence[int]) -> Mask:
        """Which actions are open at the point after those decisions; (actions,) of bool."""
        point = self.points[len(decisions)]
        mask = np.zeros(len(self.actions), dtype=np.bool_)
        if point.layer is not None and self.ending.intersection(decisions):
            mask[NOTHING] = True
        else:
            mask[list(point.options)] = True
        return mask

    def plan(self, decisions: Sequence[int]) -> CompressionPlan:
        """The plan that a full list of decisions makes.

        Raises:
            ValueError: a decision is missing or not open at its point.
        """
        if len(decisions) != len(self.points):
            raise ValueError(f"{len(decisions)} decisions for {len(self.points)} points")
        choices: list[tuple[str, LayerChoice]] = []
        precision = UNCHANGED_PRECISION
        for position, number in enumerate(decisions):
            if not self.mask(decisions[:position])[number]:
                raise ValueError(f"action {number} is not open at point {position}")
            action, layer = self.actions[number], self.points[position].layer
            if isinstance(action, PrecisionChoice):
                precision = action.name
            elif layer is not None:
                choices.append((layer.name, action))
        return CompressionPlan(tuple(choices), precision)

    def decisions(self, plan: CompressionPlan) -> tuple[int, ...]:
        """The decisions that make a plan: the inverse of `plan`.

        Raises:
            ValueError: the plan holds something that is not in this space.
        """
        wanted: list[Action] = [
            plan.choice(point.layer.name) if point.layer else PrecisionChoice(plan.precision)
            for point in self.points
        ]
        decisions = tuple(self.actions.index(action) for action in wanted)
        if self.plan(decisions) != plan:
            raise ValueError(f"not a plan of this space: {plan.label}")
        return decisions


def build_space(
    model: ModelSpec,
    techniques: Sequence[Technique[ModelT]],
    precisions: Sequence[str],
) -> SearchSpace:
    """The space of an initial network: every layer that a technique applies to.

    Args:
        model: the initial network.
        techniques: in the order in which their choices are numbered. One with a true attribute
            `replaces_following` takes the place of all later layers that could be decided on.
        precisions: names of those of the whole network; decided last. Fewer than two are no
            decision.
    """
    actions: list[Action] = [LayerChoice()]
    points: list[DecisionPoint] = []
    ending: set[int] = set()
    for layer in model.layers:
        options = {NOTHING}
        for technique in techniques:
            if technique.applies_to(layer):
                numbers = {_number(actions, choice) for choice in technique.choices(layer)}
                options |= numbers
                if technique.replaces_following:
                    ending |= numbers
        if len(options) > 1:
            points.append(DecisionPoint(layer, tuple(sorted(options))))
    if len(precisions) > 1:
        numbers = {_number(actions, PrecisionChoice(name)) for name in precisions}
        points.append(DecisionPoint(None, tuple(sorted(numbers))))
    return SearchSpace(model, tuple(actions), tuple(points), frozenset(ending))


def _number(actions: list[Action], action: Action) -> int:
    if action not in actions:
        actions.append(action)
    return actions.index(action)
