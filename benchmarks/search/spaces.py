"""A search space in a file, so that a table needs neither Keras nor the techniques of its time."""

from __future__ import annotations

from typing import Any

import msgspec

from adadeep.core.layers import ModelSpec
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.space import Action, DecisionPoint, PrecisionChoice, SearchSpace

STEPS = {"mnist": 4}


def space_content(space: SearchSpace) -> dict[str, Any]:
    """What `space_of` takes; JSON."""
    return {
        "model": msgspec.to_builtins(space.model),
        "actions": [_action_content(action) for action in space.actions],
        "points": [
            {"layer": point.layer.name if point.layer else None, "options": list(point.options)}
            for point in space.points
        ],
        "ending": sorted(space.ending),
    }


def space_of(content: dict[str, Any]) -> SearchSpace:
    """The space that `space_content` wrote."""
    model = msgspec.convert(content["model"], ModelSpec)
    layers = {layer.name: layer for layer in model.layers}
    points = tuple(
        DecisionPoint(layers.get(point["layer"]), tuple(point["options"]))
        for point in content["points"]
    )
    actions = tuple(_action(action) for action in content["actions"])
    return SearchSpace(model, actions, points, frozenset(content["ending"]))


def plan_of(content: dict[str, Any]) -> CompressionPlan:
    """A plan from its canonical JSON, read."""
    layers = tuple((name, _choice(choice)) for name, choice in content["layers"].items())
    return CompressionPlan(layers, content["precision"])


def _action_content(action: Action) -> dict[str, Any]:
    if isinstance(action, PrecisionChoice):
        return {"precision": action.name}
    return {"technique": action.technique, **dict(action.parameters)}


def _action(content: dict[str, Any]) -> Action:
    if "precision" in content:
        return PrecisionChoice(content["precision"])
    return _choice(content)


def _choice(content: dict[str, Any]) -> LayerChoice:
    parameters = {name: value for name, value in content.items() if name != "technique"}
    return LayerChoice(content["technique"], tuple(parameters.items()))


def some(samples: Any, task: str) -> Any:
    """Of the held-back and the test part: on MNIST every fourth sample, for time's sake."""
    return samples[:: STEPS.get(task, 1)]
