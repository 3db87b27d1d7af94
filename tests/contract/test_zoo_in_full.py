"""The networks of the zoo in their full size, and every choice of the tiny ones; takes minutes."""

from __future__ import annotations

import pytest

from fakes.own_networks import (
    check_choices,
    choices_of,
    offered,
    outputs,
    samples,
    spec,
    standard,
)
from own.zoo import ZOO, build, shaken

pytestmark = [pytest.mark.tf, pytest.mark.soak, pytest.mark.slow]


@pytest.mark.parametrize("name", ZOO)
def test_every_choice_that_is_offered_is_made_as_outlined_and_computes(name: str) -> None:
    check_choices(standard(name), spec(name), offered(name))


# TF-slim's table of MobileNetV2 has 56 million at 96x96 with 1,000 classes (ours has 10); 3.86
# thousand million are ResNet50's in its paper's successors, with the stride in the first 1x1.
MACS = {"mobilenet_v2": 56e6 - 990 * 1280, "resnet50": 3.858e9}


@pytest.mark.parametrize("name", ZOO)
def test_a_full_network_stays_what_it_is_and_takes_a_choice_of_each_technique(name: str) -> None:
    from adadeep.compress.describe import model_spec
    from adadeep.compress.graph import standard as standard_of

    network = shaken(build(name))
    model = standard_of(network)
    described = model_spec(model)
    x = samples(model, 2)
    for found, want in zip(outputs(model, x), outputs(network, x), strict=True):
        assert found == pytest.approx(want, abs=1e-4, rel=1e-3)
    if name in MACS:
        assert described.macs == pytest.approx(MACS[name], rel=0.01)
    first = {choice.technique: (layer, choice) for layer, choice in choices_of(described)}
    check_choices(model, described, first.values())
