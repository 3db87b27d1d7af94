"""Whole plans: applied to a network, or outlined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adadeep.compress.outline import layer_of
from adadeep.compress.registry import TECHNIQUES, Techniques
from adadeep.core.compressed import Compressed
from adadeep.core.layers import ModelSpec
from adadeep.core.plan import CompressionPlan, LayerChoice

if TYPE_CHECKING:
    import keras

    from adadeep.core.rows import Rows


def apply_plan(
    model: keras.Model, plan: CompressionPlan, samples: Rows | None = None
) -> Compressed[keras.Model]:
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
    from adadeep.compress import describe, forward, surgery

    compressed = Compressed(surgery.rebuild(model, {}))
    given = None if samples is None else forward.enough(compressed.network, samples)
    with forward.remembering(given), surgery.in_passing():
        for name, choice in _in_order(describe.model_spec(model), plan, TECHNIQUES):
            if name in _layers(compressed):
                technique = TECHNIQUES.get(choice.technique)
                after = technique.apply(compressed.network, name, choice, given)
                compressed = _composed(compressed, after)
    return Compressed(surgery.rebuild(compressed.network, {}), compressed.hooks)


def outline_plan(
    model: ModelSpec, plan: CompressionPlan, techniques: Techniques
) -> ModelSpec | None:
    """What `apply_plan` makes of a network, in float32: `ModelSpec.in_precision` does the rest.

    Args:
        model: the network.
        plan: what to do with which layer.
        techniques: by name.

    Returns:
        None if it depends on more than a ModelSpec holds.

    Raises:
        TechniqueNotApplicable: see `apply_plan`.
        ConfigError: an unknown technique.
    """
    outline: ModelSpec | None = model
    for name, choice in _in_order(model, plan, techniques):
        if outline is None:
            return None
        if name in {layer.name for layer in outline.layers}:
            outline = techniques.get(choice.technique).outline(outline, name, choice)
    return outline


def _in_order(
    model: ModelSpec, plan: CompressionPlan, techniques: Techniques
) -> Sequence[tuple[str, LayerChoice]]:
    """The choices from the input to the output, when all of their names are known."""
    for name, choice in plan.choices:
        techniques.get(choice.technique)
        layer_of(model, name)
    order = [layer.name for layer in model.layers]
    return sorted(plan.choices, key=lambda pair: order.index(pair[0]))


def _composed(
    before: Compressed[keras.Model], after: Compressed[keras.Model]
) -> Compressed[keras.Model]:
    """The later network, with the hooks of the earlier one's layers that are still there."""
    names = _layers(after)
    kept = {name: hook for name, hook in before.hooks.items() if name in names}
    return Compressed(after.network, {**kept, **after.hooks})


def _layers(compressed: Compressed[keras.Model]) -> set[str]:
    return {layer.name for layer in compressed.network.layers}


def needs_training(plan: CompressionPlan) -> int:
    """How many times a task's fine-tuning steps this plan needs; 0 if no weight changed.

    The most demanding technique decides.

    Raises:
        ConfigError: an unknown technique.
    """
    factors = [TECHNIQUES.get(choice.technique).training_factor for _, choice in plan.choices]
    return max(factors, default=0)
