"""Names of derived layers, checks of parameters, metadata without TensorFlow."""

from __future__ import annotations

import subprocess
import sys

import pytest

from adadeep.compress.apply import needs_training
from adadeep.compress.names import derived, group_of
from adadeep.compress.parameters import checked, number
from adadeep.compress.registry import TECHNIQUES
from adadeep.core.errors import ConfigError, TechniqueNotApplicable
from adadeep.core.plan import CompressionPlan, LayerChoice


def test_a_derived_name_leads_back_to_its_layer() -> None:
    assert group_of(derived("conv2", "depthwise")) == "conv2"
    assert group_of("conv2") == "conv2"


def test_defaults_fill_what_a_choice_leaves_open() -> None:
    choice = LayerChoice("C2", (("alpha", 0.25),))
    assert checked(choice, {"alpha": 0.5, "beta": 1}) == {"alpha": 0.25, "beta": 1}


def test_an_unknown_parameter_is_named_with_the_nearest_known_one() -> None:
    with pytest.raises(TechniqueNotApplicable, match=r"alhpa.*Did you mean 'alpha'"):
        checked(LayerChoice("C2", (("alhpa", 0.5),)), {"alpha": 0.5})


@pytest.mark.parametrize("value", ["half", 0.0, -1.0, 1.5, float("nan")])
def test_a_number_out_of_range_is_refused(value: float | str) -> None:
    choice = LayerChoice("C2", (("alpha", value),))
    with pytest.raises(TechniqueNotApplicable, match="alpha"):
        number(choice, {"alpha": value}, "alpha", 0.0, 1.0)


def test_a_plan_without_techniques_needs_no_training() -> None:
    assert needs_training(CompressionPlan()) == 0


def test_the_most_demanding_technique_decides_on_the_training() -> None:
    light = CompressionPlan((("fc1", LayerChoice("W1f")),))
    heavy = CompressionPlan((("conv2", LayerChoice("L1")), ("fc1", LayerChoice("W1f"))))
    assert 0 < needs_training(light) < needs_training(heavy)


def test_an_unknown_technique_lists_those_there_are() -> None:
    with pytest.raises(ConfigError, match="W1f"):
        needs_training(CompressionPlan((("fc1", LayerChoice("W9")),)))


def test_every_name_and_choice_is_known_without_tensorflow() -> None:
    code = (
        "import sys\n"
        "from adadeep.compress.registry import TECHNIQUES\n"
        "from adadeep.compress.apply import apply_plan\n"
        "from adadeep.core.layers import *\n"
        "layer = LayerSpec('fc', LayerKind.DENSE, (512,), (256,), weights=131328,\n"
        "                  nonzero_weights=131328, flattened_from=(4, 4, 32))\n"
        "print(sum(len(TECHNIQUES.get(name).choices(layer)) for name in TECHNIQUES))\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) > len(list(TECHNIQUES))
