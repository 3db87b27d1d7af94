"""A plan as a person writes it, with settings of their own: what `adadeep compress` is given.

Unlike a search's plans it need not be of a space: LAYER=TECHNIQUE:VALUE takes the first setting
that the technique offers for the layer and that VALUE is nearest to, with this value in its place.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from adadeep.core.layers import LayerSpec, ModelSpec
from adadeep.core.plan import NONE, CompressionPlan, LayerChoice
from adadeep.core.plan_text import ChoiceText, PlanText
from adadeep.core.protocols import Technique

Parameter = float | int | str


def free_plan(
    text: PlanText,
    model: ModelSpec,
    techniques: Mapping[str, Technique[Any]],
    precisions: Collection[str],
) -> tuple[CompressionPlan, tuple[str, ...]]:
    """The plan that is meant, and how short forms were understood, a line each.

    Whether a technique takes its layer and settings is not looked at: who applies it says so.

    Args:
        text: as written.
        model: the network.
        techniques: by name.
        precisions: names.

    Raises:
        ConfigError: an unknown layer, technique, precision or setting; says what there is.
    """
    if text.precision not in precisions:
        raise text.unknown("precision", text.precision, list(precisions))
    layers = {layer.name: layer for layer in model.layers}
    choices, notes = [], []
    for written in text.choices:
        if written.layer not in layers:
            raise text.unknown("layer", written.layer, list(layers))
        if written.technique == NONE:
            continue
        if written.technique not in techniques:
            raise text.unknown("technique", written.technique, list(techniques))
        technique = techniques[written.technique]
        choice = _choice(text, written, technique, layers[written.layer])
        choices.append((written.layer, choice))
        if any(not name for name, _ in written.settings) or not written.settings:
            notes.append(f"{written.layer}={_shown(written)} is taken for {choice.label}")
    return CompressionPlan(tuple(choices), text.precision), tuple(notes)


def _choice(
    text: PlanText, written: ChoiceText, technique: Technique[Any], layer: LayerSpec
) -> LayerChoice:
    offered = list(technique.choices(layer))
    if not offered:  # it can't be applied; which it says by itself where it is tried
        named = tuple((name, _value(value)) for name, value in written.settings if name)
        return LayerChoice(technique.name, named)
    fitting = [choice for choice in offered if written.fits(choice)]
    if fitting:
        return fitting[0]
    parameters: dict[str, Parameter] = {}
    for name, value in written.settings:
        if not name:
            name = _meant(text, written, offered, value)
        parameters[name] = _value(value)
    return LayerChoice(technique.name, _on(offered, parameters))


def _on(
    offered: list[LayerChoice], given: Mapping[str, Parameter]
) -> tuple[tuple[str, Parameter], ...]:
    """The settings on top of those of the offered choice that they have most in common with."""

    def likeness(choice: LayerChoice) -> tuple[int, int]:
        known = dict(choice.parameters)
        texts = [known.get(n) == v for n, v in given.items() if isinstance(v, str)]
        return sum(name in known for name in given), sum(texts)

    best = max(offered, key=likeness)  # of equals the first
    known = dict(best.parameters)
    if not set(given) <= set(known):  # an alternative to what is offered: threshold, not sparsity
        known = {name: value for name, value in known.items() if isinstance(value, str)}
    return tuple({**known, **given}.items())


def _meant(text: PlanText, written: ChoiceText, offered: list[LayerChoice], value: str) -> str:
    """The numeric setting that a bare value is of: of the offered ones the nearest one's."""
    number = _value(value)
    found = [(_distance(known, number), name) for name, known in _numbers(offered)]
    if isinstance(number, str) or not found:
        what = "has no numeric setting" if not found else f"takes a number, not {value!r}"
        raise text.wrong(f"{written.technique} {what}; name a setting: {_settings(offered)}.")
    return min(found, key=lambda pair: pair[0])[1]


def _numbers(offered: list[LayerChoice]) -> Iterator[tuple[str, float]]:
    for choice in offered:
        for name, value in choice.parameters:
            if not isinstance(value, str):
                yield name, value


def _distance(known: float, number: Parameter) -> float:
    """How many times as large one is as the other, as a logarithm."""
    if isinstance(number, str) or number <= 0 or known <= 0:
        return math.inf
    return abs(math.log(number / known))


def _value(text: str) -> Parameter:
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    return text


def _settings(offered: list[LayerChoice]) -> str:
    return ", ".join(choice.label for choice in offered)


def _shown(written: ChoiceText) -> str:
    values = "".join(f":{value}" for _, value in written.settings)
    return f"{written.technique}{values}"
