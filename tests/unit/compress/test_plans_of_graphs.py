"""A plan of many choices is what its choices come to one by one; on networks with branches."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from adadeep.compress.apply import apply_plan
from adadeep.compress.registry import TECHNIQUES
from adadeep.core.plan import CompressionPlan, LayerChoice
from fakes.own_networks import offered, samples, spec, standard

pytestmark = pytest.mark.tf


def last_choices(name: str) -> list[tuple[str, LayerChoice]]:
    """The last choice of every second layer, in order of execution."""
    chosen = dict(offered(name))
    return [(one.name, chosen[one.name]) for one in spec(name).layers if one.name in chosen][::2]


@pytest.mark.parametrize("name", ["siamese", "unet", "resnet50"])
def test_a_plan_makes_what_its_choices_make_one_after_the_other(name: str) -> None:
    model, choices = standard(name), last_choices(name)
    x = samples(model, 24)
    before = model.get_weights()
    made = apply_plan(model, CompressionPlan(tuple(choices)), x)
    alone: Any = model
    for layer, choice in choices:
        alone = TECHNIQUES.get(choice.technique).apply(alone, layer, choice, x).network
    assert [one.name for one in made.network.layers] == [one.name for one in alone.layers]
    for found, want in zip(made.network.get_weights(), alone.get_weights(), strict=True):
        assert found == pytest.approx(want, abs=1e-4, rel=1e-3)
    assert all(map(np.array_equal, model.get_weights(), before))


@pytest.mark.parametrize("name", ["siamese", "resnet50"])
def test_what_a_plan_makes_shares_nothing_with_what_led_to_it(name: str) -> None:
    from adadeep.compress.walk import calls_of

    model = standard(name)
    made = apply_plan(model, CompressionPlan(tuple(last_choices(name)[:3]))).network
    gc.collect()
    assert not {id(one) for one in made.variables} & {id(one) for one in model.variables}
    calls = [id(node.operation) for node in calls_of(made)]
    for operation in made.operations:
        assert len(operation._inbound_nodes) == max(1, calls.count(id(operation)))
