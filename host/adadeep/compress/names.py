"""Names of the layers that techniques make: "conv2__depthwise" came from "conv2"."""

from __future__ import annotations

_SEPARATOR = "__"  # Keras forbids "/"


def derived(layer: str, part: str) -> str:
    """Name of a part of what replaces a layer."""
    return f"{layer}{_SEPARATOR}{part}"


def group_of(name: str) -> str:
    """Name of the initial layer that a layer came from; its own name if it is one."""
    return name.partition(_SEPARATOR)[0]
