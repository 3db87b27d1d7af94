"""Names of the layers that techniques make: "conv2__depthwise" came from "conv2"."""

from __future__ import annotations

SEPARATOR = "__"  # Keras forbids "/"
_CALL = "@"  # Layers that are called more than once: "conv", "conv@2", ...


def derived(layer: str, part: str) -> str:
    """Name of a part of what replaces a layer."""
    return f"{layer}{SEPARATOR}{part}"


def group_of(name: str) -> str:
    """Name of the initial layer that a layer came from; its own name if it is one."""
    return name.partition(_CALL)[0].partition(SEPARATOR)[0]


def call_name(layer: str, number: int) -> str:
    """Name of what a layer computes when it is called for that time; the first is its own."""
    return layer if number == 1 else f"{layer}{_CALL}{number}"


def called_layer(name: str) -> str:
    """Name of the layer that is called."""
    return name.partition(_CALL)[0]
