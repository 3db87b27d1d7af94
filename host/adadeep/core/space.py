"""What there is to decide: a choice for every layer that can be compressed, then the precision.

A decision is the number of an action. All points share one list of actions, so that an action
means the same wherever it is taken; a mask says which are open at a point.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.compressed import ModelT
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, TechniqueNotApplicable
from adadeep.core.layers import LayerSpec, ModelSpec
from adadeep.core.plan import NONE, UNCHANGED_PRECISION, CompressionPlan, LayerChoice
from adadeep.core.protocols import Technique
from adadeep.core.registry import suggestion

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

    A choice whose outline is refused is left out; `attempts` says why. A layer that is called
    several times is decided on once.

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
        for technique in techniques if layer.repeats is None else ():
            tried = attempts(model, technique, layer)
            numbers = {_number(actions, one.choice) for one in tried if one.refusal is None}
            options |= numbers
            if technique.replaces_following:
                ending |= numbers
        if len(options) > 1:
            points.append(DecisionPoint(layer, tuple(sorted(options))))
    if len(precisions) > 1:
        numbers = {_number(actions, PrecisionChoice(name)) for name in precisions}
        points.append(DecisionPoint(None, tuple(sorted(numbers))))
    return SearchSpace(model, tuple(actions), tuple(points), frozenset(ending))


@dataclass(frozen=True, slots=True)
class Attempt:
    """What comes of one choice on one layer, by its outline alone.

    Attributes:
        choice: that a technique offers.
        outline: of the network then; None where only the weights tell, or it is refused.
        refusal: why the layer can't take it; None where it can.
    """

    choice: LayerChoice
    outline: ModelSpec | None = None
    refusal: str | None = None


def attempts(
    model: ModelSpec, technique: Technique[ModelT], layer: LayerSpec
) -> tuple[Attempt, ...]:
    """Every choice that a technique offers for a layer; none where it is not for such layers."""
    choices = technique.choices(layer) if technique.applies_to(layer) else ()
    return tuple(_attempt(model, technique, layer, choice) for choice in choices)


def _attempt(
    model: ModelSpec, technique: Technique[ModelT], layer: LayerSpec, choice: LayerChoice
) -> Attempt:
    try:
        return Attempt(choice, technique.outline(model, layer.name, choice))
    except TechniqueNotApplicable as error:
        return Attempt(choice, refusal=str(error))


def restricted(
    space: SearchSpace, keep: Collection[str] = (), only: Collection[str] = ()
) -> SearchSpace:
    """The part of a space in which some layers stay as they are and only some names are chosen.

    To leave a layer as it is, and the precision that a network was trained in, is always allowed.
    Nothing may take a kept layer out: an action after which it can't be decided is not open before
    it. Where nothing is left to decide the space has no points and one plan: the initial network.

    Args:
        space: the whole.
        keep: names of layers.
        only: names of techniques and precisions; empty for all.

    Raises:
        ConfigError: no such layer in the network.
    """
    names = [layer.name for layer in space.model.layers]
    for name in (name for name in keep if name not in names):
        hint = suggestion(name, names)
        raise ConfigError(
            f"--keep: unknown layer {one_line(name, 40)!r}.{hint} There are: {', '.join(names)}."
        )
    last_kept = max((names.index(name) for name in keep), default=-1)
    points = []
    for point in space.points:
        if point.layer and point.layer.name in keep:
            continue
        comes_before = point.layer is not None and names.index(point.layer.name) < last_kept
        options = tuple(
            number
            for number in point.options
            if _is_allowed(space.actions[number], only)
            and not (comes_before and number in space.ending)
        )
        if len(options) > 1:
            points.append(DecisionPoint(point.layer, options))
    return _renumbered(space, points)


def _is_allowed(action: Action, only: Collection[str]) -> bool:
    name = action.name if isinstance(action, PrecisionChoice) else action.technique
    return not only or name in only or name in (NONE, UNCHANGED_PRECISION)


def _renumbered(space: SearchSpace, points: Sequence[DecisionPoint]) -> SearchSpace:
    """A space of those points, without the actions that are open at none of them."""
    used = sorted({NOTHING, *(number for point in points for number in point.options)})
    new = {old: number for number, old in enumerate(used)}
    return SearchSpace(
        space.model,
        tuple(space.actions[number] for number in used),
        tuple(DecisionPoint(p.layer, tuple(new[number] for number in p.options)) for p in points),
        frozenset(new[number] for number in space.ending if number in new),
    )


def _number(actions: list[Action], action: Action) -> int:
    if action not in actions:
        actions.append(action)
    return actions.index(action)
