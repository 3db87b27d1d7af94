"""Applies a whole plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adadeep.compress.registry import TECHNIQUES
from adadeep.core.plan import CompressionPlan

if TYPE_CHECKING:
    import keras


def apply_plan(model: keras.Model, plan: CompressionPlan) -> keras.Model:
    """A new network with every choice of the plan applied; the one given stays as it is.

    From the input to the output: a technique always meets a layer as it was initially, less
    the channels that an earlier one dropped. A choice for a layer that an earlier technique took
    out (L3 takes the dense layers behind its own) has no effect. The precision is the
    converter's business.

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
            compressed = TECHNIQUES.get(choice.technique).apply(compressed, name, choice)
    return compressed


def needs_training(plan: CompressionPlan) -> int:
    """How many times a task's fine-tuning steps this plan needs; 0 if no weight changed.

    The most demanding technique decides.

    Raises:
        ConfigError: an unknown technique.
    """
    factors = [
        int(getattr(TECHNIQUES.get(choice.technique), "training_factor", 1))
        for _, choice in plan.choices
    ]
    return max(factors, default=0)
