"""Checks of a LayerChoice's parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping

from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.layers import LayerSpec
from adadeep.core.plan import LayerChoice
from adadeep.core.registry import suggestion

Parameter = float | int | str


def checked(choice: LayerChoice, defaults: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """The parameters of a choice over a technique's defaults.

    Raises:
        TechniqueNotApplicable: a parameter that the technique doesn't have.
    """
    for name, _ in choice.parameters:
        if name not in defaults:
            hint = suggestion(name, list(defaults))
            raise TechniqueNotApplicable(
                f"{choice.technique} has no parameter {name!r}.{hint} "
                f"It takes: {', '.join(defaults) or 'none'}."
            )
    return {**defaults, **dict(choice.parameters)}


def number(
    choice: LayerChoice, parameters: Mapping[str, Parameter], name: str, low: float, high: float
) -> float:
    """A parameter that must be a number with low < number <= high.

    Raises:
        TechniqueNotApplicable: it is not.
    """
    value = parameters[name]
    if isinstance(value, (str, bool)) or not low < value <= high or math.isinf(value):
        at_most = "" if math.isinf(high) else f", at most {high:g}"
        raise TechniqueNotApplicable(
            f"{choice.technique}: {name}={value} must be a finite number above {low:g}{at_most}."
        )
    return value


def require(applies: bool, technique: str, layer: LayerSpec, takes: str = "") -> None:
    """Refuses a layer that a technique can't take.

    Args:
        applies: whether it can.
        technique: its name.
        layer: the layer.
        takes: what it can, for people: "dense layers"; empty says nothing of it.

    Raises:
        TechniqueNotApplicable: `applies` is false.
    """
    if not applies:
        reason = f": it takes {takes}" if takes else ""
        raise TechniqueNotApplicable(
            f"{technique} can't be applied to layer {layer.name!r} ({layer.kind}, "
            f"{layer.input_shape} -> {layer.output_shape}){reason}."
        )
