"""Networks of our own, of several sizes and kinds, which are the same on every device.

They are single layers, so that they run wherever the layers of a profile's table do. What is
learned of them holds for others of about their size and time: `core/noise.py`.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from types import MappingProxyType

from adadeep.measure.layer_models import SingleLayer, conv, dense, tflite_of

# The sharp one: small enough for any cache, and run a hundred times in a block.
SHARP = "small"
# On a laptop of 2020 a run takes 1 us, 0.1 ms, 1 ms (13 MB of weights) and 8 ms.
REFERENCES: Mapping[str, SingleLayer] = MappingProxyType({
    "tiny": SingleLayer(dense(64, 10)),
    SHARP: SingleLayer(conv(14, 32, 32, 3)),
    "heavy": SingleLayer(dense(3136, 1024)),
    "slow": SingleLayer(conv(56, 64, 64, 3)),
})  # fmt: skip

_made: set[str] = set()


@functools.cache
def reference_model(name: str) -> bytes:
    """The .tflite of a reference, the same bytes every time.

    Raises:
        KeyError: there is none of that name.
    """
    model = tflite_of(REFERENCES[name])
    _made.add(hashlib.sha256(model).hexdigest())
    return model


def reference_models() -> dict[str, bytes]:
    """All of them by name, the quickest first."""
    return {name: reference_model(name) for name in REFERENCES}


def made_references() -> frozenset[str]:
    """The hashes of those that this process made, and so of all that it can have measured."""
    return frozenset(_made)
