"""Applies a whole plan."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from adadeep.compress.registry import TECHNIQUES
from adadeep.core.plan import CompressionPlan, LayerChoice

if TYPE_CHECKING:
    import keras
    import numpy as np
    import numpy.typing as npt


def apply_plan(
    model: keras.Model, plan: CompressionPlan, samples: npt.NDArray[np.float32] | None = None
) -> keras.Model:
    """A new network with every choice of the plan applied; the one given stays as it is.

    From the input to the output: a technique always meets a layer as it was initially, less
    the channels that an earlier one dropped. A choice for a layer that an earlier technique took
    out (L3 takes the dense layers behind its own) has no effect. The precision is the
    converter's business.

    Args:
        model: functional or built Sequential.
        plan: what to do with which layer.
        samples: (n, ...) of the training data; with some hundred of them C2, L1 and L3 inherit
            much better than from the weights alone, see `regress`.

    Raises:
        TechniqueNotApplicable: a layer that the network doesn't have, or that can't take it.
        ConfigError: an unknown technique.
    """
    from adadeep.compress import surgery

    known = [layer.name for layer in model.layers]
    for name, choice in plan.choices:
        TECHNIQUES.get(choice.technique)
        surgery.layer_of(model, name)
    compressed = surgery.rebuild(model, {})
    for name, choice in sorted(plan.choices, key=lambda pair: known.index(pair[0])):
        if name in {layer.name for layer in compressed.layers}:
            compressed = _apply(compressed, name, choice, samples)
    return compressed


def _apply(model: Any, layer: str, choice: LayerChoice, samples: Any) -> Any:
    # A technique from elsewhere may have no use for samples: the protocol doesn't name them.
    technique: Any = TECHNIQUES.get(choice.technique)
    if "samples" in inspect.signature(technique.apply).parameters:
        return technique.apply(model, layer, choice, samples=samples)
    return technique.apply(model, layer, choice)


def needs_training(plan: CompressionPlan) -> int:
    """How many times a task's fine-tuning steps this plan needs; 0 if no weight changed.

    The most demanding technique decides.

    Raises:
        ConfigError: an unknown technique.
    """
    factors = [TECHNIQUES.get(choice.technique).training_factor for _, choice in plan.choices]
    return max(factors, default=0)
