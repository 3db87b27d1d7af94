"""The networks of the zoo in their full size, and every choice of the tiny ones; takes minutes."""

from __future__ import annotations

import pytest

from fakes.own_networks import check_choices, offered, outputs, samples, spec, standard
from own.zoo import ZOO, build, shaken

pytestmark = [pytest.mark.tf, pytest.mark.soak, pytest.mark.slow]


@pytest.mark.parametrize("name", ZOO)
def test_every_choice_that_is_offered_is_made_as_outlined_and_computes(name: str) -> None:
    check_choices(standard(name), spec(name), offered(name))


# By keras.applications' and their papers' counts: 300 million at 224x224 by (96/224)^2, and 3.86
# thousand million.
MACS = {"mobilenet_v2": 300.8e6 * (96 / 224) ** 2 - 990 * 1280, "resnet50": 3.858e9}


@pytest.mark.parametrize("name", ZOO)
def test_a_full_network_stays_what_it_is_and_takes_the_first_choice_of_each(name: str) -> None:
    from adadeep.compress.describe import model_spec
    from adadeep.compress.graph import standard as standard_of
    from adadeep.compress.registry import TECHNIQUES
    from adadeep.core.plan import NONE

    network = shaken(build(name))
    model = standard_of(network)
    described = model_spec(model)
    x = samples(model, 2)
    for found, want in zip(outputs(model, x), outputs(network, x), strict=True):
        assert found == pytest.approx(want, abs=1e-4, rel=1e-3)
    if name in MACS:
        assert described.macs == pytest.approx(MACS[name], rel=0.01)
    choices = {}
    for layer in described.layers if name != "transfer" else ():
        for technique in (TECHNIQUES.get(one) for one in TECHNIQUES.usable() if one != NONE):
            if layer.repeats is None and technique.choices(layer):
                choices.setdefault(technique.name, (layer.name, technique.choices(layer)[-1]))
    check_choices(model, described, choices.values())
