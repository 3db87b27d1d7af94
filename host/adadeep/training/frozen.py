"""What of a network is not trained, and how large it is; nested networks are looked into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

_RESCALING = ("Rescaling", "Normalization")


def layers_of(model: Any) -> Iterator[Any]:
    """Every layer, those of nested networks and wrappers, too."""
    for layer in getattr(model, "layers", ()):
        yield layer
        yield from layers_of(layer)
        inner = getattr(layer, "layer", None)  # of a wrapper
        if inner is not None and inner is not layer:
            yield inner
            yield from layers_of(inner)


def hold_statistics(model: keras.Model) -> None:
    """Has batch normalisations go by the statistics that they have, and keep their weights."""
    import keras

    for layer in layers_of(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def frozen_names(model: keras.Model) -> list[str]:
    """Layers with weights, none of which is trained."""
    return [
        layer.name
        for layer in layers_of(model)
        if layer.weights
        and not getattr(layer, "layers", None)
        and (not layer.trainable or not layer.trainable_weights)
    ]


def rescales(model: keras.Model) -> bool:
    """Whether some layer or division before the others brings samples into a range."""
    if any(type(layer).__name__ in _RESCALING for layer in layers_of(model)):
        return True
    names = {type(one).__name__ for one in getattr(model, "operations", ())}
    return bool(names & {"TrueDivide", "Divide", "Multiply"})


def drawing(layer: Any) -> list[Any]:
    """It, its layers, and those that a layer of the user's own holds, in an order that stays."""
    known = list(layers_of(layer)) if hasattr(layer, "operations") else [layer, *layers_of(layer)]
    seen = {id(one) for one in known}
    held = (one for one in layer._flatten_layers(include_self=False) if id(one) not in seen)
    return [*known, *(one for one in held if getattr(one, "_seed_generators", ()))]


def reseed(layers: Iterable[keras.layers.Layer], seed: int) -> None:
    """Has what layers draw (dropout, augmentation) follow from a seed, whoever loaded them."""
    for number, layer in enumerate(layers):
        for place, generator in enumerate(getattr(layer, "_seed_generators", ())):
            generator.state.assign([(seed + 31 * number + place) % 2**31, 0])


def about_map_bytes(model: keras.Model) -> float:
    """Bytes of all feature maps of one sample, about: what a step of training keeps of it."""
    import keras

    others = (
        one
        for network in (model, *layers_of(model))
        for one in getattr(network, "operations", ())
        if not isinstance(one, keras.layers.Layer)
    )
    total = 0.0
    for layer in (*layers_of(model), *others):
        shape = getattr(getattr(layer, "output", None), "shape", None)  # of its only call
        if shape is not None and not getattr(layer, "layers", None):
            total += 4.0 * prod(size or 1 for size in shape[1:])
    return total


def about_macs(model: keras.Model) -> float:
    """Multiplications of one sample, about: each kernel times the positions that it is put at."""
    total = 0.0
    for layer in layers_of(model):
        kernels = [w for w in layer.weights if len(w.shape) >= 2]
        if getattr(layer, "layers", None) or not kernels:
            continue
        shape = getattr(layer, "output", None)
        places = prod(size or 1 for size in shape.shape[1:-1]) if shape is not None else 1
        total += float(sum(prod(kernel.shape) for kernel in kernels)) * places
    return total
