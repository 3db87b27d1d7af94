"""The models that are recorded: other ones teach the noise, of the same range of sizes."""

from __future__ import annotations

import functools
from collections.abc import Callable

from adadeep.core.layers import LayerSpec
from adadeep.measure.layer_models import SingleLayer, conv, dense, depthwise, tflite_of

# From 1 us to 30 ms on a computer of today; "fc" has 13 MB of weights.
MODELS: dict[str, Callable[[], LayerSpec]] = {
    "tiny": lambda: dense(16, 16),
    "small": lambda: conv(14, 32, 64, 3),
    "fc": lambda: dense(3136, 1024),
    "middle": lambda: conv(28, 64, 64, 3),
    "long": lambda: conv(56, 96, 96, 3),
    # References.
    "ref-tiny": lambda: dense(32, 24),
    "ref-small": lambda: conv(28, 32, 32, 3),
    "ref-fc": lambda: dense(1800, 1800),
    "ref-long": lambda: conv(28, 128, 128, 3),
    # Halves of pairs.
    "small-9": lambda: conv(14, 32, 58, 3),
    "small-x3": lambda: conv(14, 64, 96, 3),
    "fc-9": lambda: dense(3136, 920),
    "depth": lambda: depthwise(28, 64, 3),
}
ABSOLUTE = ("tiny", "small", "fc", "middle", "long")
REFERENCES = ("ref-tiny", "ref-small", "ref-fc", "ref-long")
SHARP = "ref-small"
PAIRS = (
    ("small", "small-9"),
    ("small-x3", "small"),
    ("fc", "fc-9"),
    ("fc", "middle"),
    ("middle", "depth"),
)
SELF = ("small", "fc")


def plans() -> dict[str, Callable[[], LayerSpec]]:
    """30 models as a search compares them: the same layer with fewer and fewer filters."""
    wide = {f"plan-{n}": functools.partial(conv, 14, 32, 24 + 3 * n, 3) for n in range(20)}
    heavy = {f"plan-fc-{n}": functools.partial(dense, 3136, 520 + 56 * n) for n in range(10)}
    return {**wide, **heavy}


@functools.cache
def network(name: str) -> bytes:
    """The .tflite; "NAME+" is NAME with another hash, to be measured against itself."""
    if name.endswith("+"):
        return network(name[:-1]) + bytes(16)  # a FlatBuffer does not mind what follows it
    return tflite_of(SingleLayer({**MODELS, **plans()}[name]()))
