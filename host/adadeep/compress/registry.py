"""The techniques by name. Adding one is a file and a line here (and the contract tests run)."""

from __future__ import annotations

from typing import Any

from adadeep.core.protocols import Technique
from adadeep.core.registry import Registry

# Technique[keras.Model]; Any, for Keras must not be imported to list what there is.
Techniques = Registry[Technique[Any]]

TECHNIQUES: Techniques = Registry(
    "technique",
    {
        "none": "adadeep.compress.none:NONE_TECHNIQUE",
        "W1f": "adadeep.compress.w1f_svd:W1F",
        "W3": "adadeep.compress.w3_pruning:W3",
        "L3": "adadeep.compress.l3_global_average_pooling:L3",
        "C2": "adadeep.compress.c2_depthwise_separable:C2",
        "L1": "adadeep.compress.l1_fire:L1",
    },
    group="adadeep.techniques",
    protocol=Technique,
)
