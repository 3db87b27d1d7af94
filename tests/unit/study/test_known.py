"""What is known of a plan before it is tried is what it then turns out to be."""

import dataclasses

import pytest

from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.registry import of_a_search
from adadeep.core.demand import UserDemand
from adadeep.core.errors import ConfigError
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.reward import Limits
from adadeep.core.search import Goal, KnownCosts
from adadeep.core.space import build_space
from adadeep.cost.formulas import energy_mj
from adadeep.search.random_sampler import RandomSampler
from adadeep.study.known import KnownBeforehand, ruled_out
from adadeep.study.worker_messages import OpenTask
from adadeep.training import tasks
from fakes.lenet_spec import lenet_spec

PLAN = CompressionPlan((("fc1", LayerChoice("T")),))


def goal(target="a", storage=100.0, energy=1.0):
    return Goal(target, UserDemand(), Limits(0.9, energy, 1.0, storage))


def costs(storage=100.0, energy=1.0):
    return lambda plan: KnownCosts(1, storage, 1.0, energy, 1.0)


def test_a_plan_within_its_limits_or_unknown_is_tried():
    assert ruled_out(PLAN, [goal()], costs()) is None
    assert ruled_out(PLAN, [goal()], costs(100.0 * (1 + 1e-12))) is None  # rounding
    assert ruled_out(PLAN, [goal()], lambda plan: None) is None


def test_a_plan_that_breaks_limits_says_which_and_by_how_much():
    skip = ruled_out(PLAN, [goal()], costs(150.0, 3.0))
    assert skip.reason == "S_p would be 150 B, 100 B allowed; E would be 3 mJ, 1 mJ allowed"
    assert skip.violations == {"a": pytest.approx(0.5 + 2.0)}


def test_an_energy_that_is_measured_rules_nothing_out():
    assert ruled_out(PLAN, [goal()], costs(100.0, None)) is None


def test_a_plan_that_one_device_may_take_is_tried():
    goals = [goal("a", storage=100.0), goal("b", storage=200.0)]
    assert ruled_out(PLAN, goals, costs(150.0)) is None
    assert ruled_out(PLAN, goals, costs(250.0)).violations == {"a": 1.5, "b": 0.25}


@pytest.mark.tf
def test_costs_that_are_known_are_those_of_the_network_and_its_file_is_no_larger(
    tmp_path, monkeypatch
):
    from adadeep.study import opening as beginning
    from adadeep.study.maker import KerasMaker

    task = tasks.load_task("digits")
    recipe = dataclasses.replace(task.recipe, base_steps=1, fine_tune_steps=0)
    monkeypatch.setattr(
        beginning, "load_task", lambda name: dataclasses.replace(task, recipe=recipe)
    )
    opening = OpenTask("digits", 0, str(tmp_path / "initial.keras"), False)
    made_by = KerasMaker.open(opening, lambda text: None)
    known = KnownBeforehand(made_by.spec, knows_energy=True)
    techniques = list(TECHNIQUES.usable().values())
    space = build_space(made_by.spec, techniques, of_a_search())
    sampler, found = RandomSampler(space, 3), 0
    for plan in [CompressionPlan(), *(sampler.ask() for _ in range(7))]:
        told = known(plan)
        if told is None:  # a threshold: only the weights tell
            assert "threshold" in plan.label
            continue
        found += 1
        made = made_by.make(plan, str(tmp_path))
        assert told.macs == made.spec.macs
        assert told.storage_bytes == made.spec.parameter_storage_bytes
        assert told.activation_bytes == made.spec.activation_storage_bytes
        assert told.energy_mj == energy_mj(made.spec)
        size = len((tmp_path / f".part.{plan.key}.tflite").read_bytes())
        assert size <= told.file_bytes <= 2 * size + 60_000, plan.label
    assert found >= 4


def test_a_plan_with_a_precision_that_is_not_installed_is_one_sentence():
    known = KnownBeforehand(build_model(), knows_energy=True)
    with pytest.raises(ConfigError, match="unknown precision 'float8'"):
        known(CompressionPlan((), "float8"))


def build_model():
    from adadeep.testing.spaces import MODEL

    return MODEL


# ---- what can't be told exactly

THRESHOLD = (("layout", "unstructured"), ("threshold", 0.001))


def lenet_known():
    return KnownBeforehand(lenet_spec(8), knows_energy=True)


def test_where_an_outline_can_not_tell_the_layers_before_it_are_a_bound():
    known, c2 = lenet_known(), LayerChoice("C2", (("alpha", 0.5),))
    w3 = LayerChoice("W3", THRESHOLD)
    plan = CompressionPlan((("conv2", c2), ("fc1", w3), ("fc2", w3)), "int8")
    assert known(plan) is None
    front = known(CompressionPlan((("conv2", c2), ("fc1", LayerChoice("L3"))), "int8"))
    bound = known.at_least(plan)
    assert 0 < bound.storage_bytes < front.storage_bytes
    assert 0 < bound.energy_mj < front.energy_mj
    conv1 = lenet_spec(8).layers[0]
    assert bound.storage_bytes > conv1.weights  # a byte each


def test_a_bound_of_what_is_known_is_what_is_known():
    known = lenet_known()
    assert known.at_least(CompressionPlan()) == known(CompressionPlan())
    assert known.at_least(CompressionPlan((("nowhere", LayerChoice("W3")),))) is None


def test_no_setting_of_a_share_costs_less_than_the_bound_of_a_threshold():
    known = lenet_known()
    bound = known.at_least(CompressionPlan((("fc1", LayerChoice("W3", THRESHOLD)),)))
    for sparsity in (0.5, 0.9, 0.999):
        settings = (("layout", "unstructured"), ("sparsity", sparsity))
        costs = known(CompressionPlan((("fc1", LayerChoice("W3", settings)),)))
        assert costs.storage_bytes > bound.storage_bytes
        assert costs.energy_mj > bound.energy_mj
