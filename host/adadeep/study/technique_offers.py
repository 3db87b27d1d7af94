"""What techniques would do to the layers of a network, by their outlines: nothing is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adadeep.core.layers import LayerSpec, ModelSpec
from adadeep.core.plan import NONE
from adadeep.core.protocols import Technique
from adadeep.core.space import attempts

_ABOUT = 1.01


@dataclass(frozen=True, slots=True)
class Offer:
    """A technique on a layer, with the setting of it that saves most of S_p.

    Attributes:
        layer: its name.
        technique: its name.
        settings: all that it offers and that can be applied, as they are written.
        best: the one that the savings are of; None where only the weights tell.
        storage_saved: share of the network's S_p; None likewise.
        macs_saved: share of the network's MACs; likewise.
    """

    layer: str
    technique: str
    settings: tuple[str, ...]
    best: str | None
    storage_saved: float | None
    macs_saved: float | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A technique that a layer can't take.

    Attributes:
        layer: its name.
        technique: its name.
        reason: a sentence.
    """

    layer: str
    technique: str
    reason: str


@dataclass(frozen=True, slots=True)
class Offers:
    """What can be done to a network.

    Attributes:
        model: the network.
        offers: in the order of its layers.
        refusals: likewise: of layers that a technique is for, and can't be applied to.
        untouched: layers with weights that no technique is for, by kind.
    """

    model: ModelSpec
    offers: tuple[Offer, ...]
    refusals: tuple[Refusal, ...]
    untouched: Mapping[str, tuple[str, ...]]


def offers_of(model: ModelSpec, techniques: Mapping[str, Technique[Any]]) -> Offers:
    """What techniques would do to each layer of a network alone."""
    offers: list[Offer] = []
    refusals: list[Refusal] = []
    untouched: dict[str, list[str]] = {}
    for layer in model.layers:
        is_asked = False
        for name, technique in techniques.items():
            if name == NONE:
                continue
            found = _on_layer(model, layer, technique)
            is_asked = is_asked or found is not None
            if isinstance(found, Offer):
                offers.append(found)
            elif found is not None:
                refusals.append(Refusal(layer.name, name, found))
        if layer.weights and not is_asked:
            untouched.setdefault(str(layer.kind), []).append(layer.name)
    kinds = {kind: tuple(names) for kind, names in untouched.items()}
    return Offers(model, tuple(offers), tuple(refusals), kinds)


def _on_layer(model: ModelSpec, layer: LayerSpec, technique: Technique[Any]) -> Offer | str | None:
    """What it offers, why it can't, or None where it is not for such layers."""
    tried = attempts(model, technique, layer)
    possible = [one for one in tried if one.refusal is None]
    if not possible:
        return tried[0].refusal if tried else None
    labels = tuple(one.choice.label for one in possible)
    told = [(one.choice, one.outline) for one in possible if one.outline is not None]
    if not told:
        return Offer(layer.name, technique.name, labels, None, None, None)
    least = min(made.parameter_storage_bytes for _, made in told)
    good = (pair for pair in told if pair[1].parameter_storage_bytes <= _ABOUT * least)
    best, made = next(good)  # of about equals the one that the technique offers first
    return Offer(
        layer.name, technique.name, labels, best.label,
        _saved(model.parameter_storage_bytes, made.parameter_storage_bytes),
        _saved(model.macs, made.macs),
    )  # fmt: skip


def _saved(before: float, after: float) -> float:
    return 1 - after / before if before else 0.0
