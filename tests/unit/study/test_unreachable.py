"""Demands that known costs show to be impossible are named as such; no other is."""

import dataclasses

import pytest

from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.registry import of_a_search
from adadeep.core.demand import UserDemand
from adadeep.core.plan import CompressionPlan
from adadeep.core.reward import Limits
from adadeep.core.search import Goal, KnownCosts
from adadeep.core.space import build_space, restricted
from adadeep.study import unreachable as module
from adadeep.study.known import KnownBeforehand
from adadeep.study.unreachable import is_met_already, unreachable
from adadeep.testing.spaces import MODEL, SPACE, SVD
from fakes.lenet_spec import lenet_spec
from fakes.search_space import every_list
from unit.study.test_study import ScriptedSampler, search, some_plans

PLANS = [SPACE.plan(decisions) for decisions in every_list(SPACE)]
LEAST = CompressionPlan(
    tuple((p.layer.name, SPACE.actions[p.options[-1]]) for p in SPACE.points[:2]), "int8"
)


def goal(storage=1e9, energy=1e9, target="a"):
    return Goal(target, UserDemand(), Limits(0.9, energy, 1.0, storage))


def toy(plan):
    """Each change of the plan saves 10 B and 1 mJ of 100 B and 10 mJ."""
    changed = len(plan.choices) + (plan.precision == "int8")
    return KnownCosts(1, 100.0 - 10 * changed, 1.0, 10.0 - changed, 1.0)


def test_a_limit_that_some_plan_keeps_is_reachable():
    least = min(toy(plan).storage_bytes for plan in PLANS)
    assert unreachable(SPACE, [goal(least)], toy) is None
    assert unreachable(SPACE, [goal(100.0)], toy) is None


def test_a_limit_that_no_plan_keeps_is_named_with_the_nearest_plan():
    least = min(toy(plan).storage_bytes for plan in PLANS)
    found = unreachable(SPACE, [goal(least - 1)], toy)
    assert toy(found.nearest).storage_bytes == least
    assert found.text == (
        f"S_p would be {least:g} B, {least - 1:g} B allowed (of {found.nearest.label}, which comes"
        " nearest)"
    )
    assert "E would be" in unreachable(SPACE, [goal(energy=0.1)], toy).text


def test_two_limits_that_no_plan_keeps_at_once_are_unreachable():
    def either(plan):
        is_small = plan.precision == "int8"
        return KnownCosts(1, 10.0 if is_small else 100.0, 1.0, 10.0 if is_small else 1.0, 1.0)

    assert unreachable(SPACE, [goal(storage=50.0)], either) is None
    assert unreachable(SPACE, [goal(energy=5.0)], either) is None
    assert unreachable(SPACE, [goal(50.0, 5.0)], either) is not None


def test_a_plan_that_serves_one_of_two_devices_is_reason_enough_to_search():
    assert unreachable(SPACE, [goal(1.0), goal(1e9, target="b")], toy) is None
    assert unreachable(SPACE, [goal(1.0), goal(2.0, target="b")], toy) is not None


def test_plans_whose_costs_can_not_be_told_may_be_the_ones():
    def unsure(plan):
        return None if plan.precision == "int8" else toy(plan)

    assert unreachable(SPACE, [goal(1.0)], unsure) is None
    found = unreachable(SPACE, [goal(1.0)], unsure, at_least=lambda _: toy(LEAST))
    assert found.nearest.precision == "float32"  # what is named is known


def test_what_the_energy_is_measured_for_is_not_known_of_it():
    def without(plan):
        return dataclasses.replace(toy(plan), energy_mj=None)

    assert unreachable(SPACE, [goal(energy=0.001)], without) is None


def test_a_part_of_the_space_reaches_less():
    assert unreachable(SPACE, [goal(75.0)], toy) is None
    kept = restricted(SPACE, ["fc1", "fc2"])
    assert unreachable(kept, [goal(75.0)], toy).nearest.precision == "int8"


# ---- spaces too large to look at each plan


def lenet():
    spec = lenet_spec(8)
    space = build_space(spec, list(TECHNIQUES.usable().values()), of_a_search())
    return space, KnownBeforehand(spec, knows_energy=True)


def known_only(space):
    """Without the thresholds, of which no outline tells."""
    points = [
        dataclasses.replace(
            point,
            options=tuple(n for n in point.options if "threshold" not in str(space.actions[n])),
        )
        for point in space.points
    ]
    return dataclasses.replace(space, points=tuple(points))


@pytest.mark.parametrize("kept", [(), ("fc1",), ("fc1", "fc2"), ("conv2",)])
def test_the_bound_of_a_large_space_is_no_more_than_any_plan_costs(kept):
    whole, known = lenet()
    space = restricted(known_only(whole), kept)
    costs = [known(space.plan(decisions)) for decisions in every_list(space)]
    bound = module._of_all(space, known, known.at_least)
    assert 0 <= bound.storage_bytes <= min(one.storage_bytes for one in costs) + 1e-6
    assert 0 <= bound.energy_mj <= min(one.energy_mj for one in costs) + 1e-9
    if len(kept) == 2:  # then it is worth something
        assert bound.storage_bytes > 0.1 * known(CompressionPlan()).storage_bytes


def test_a_large_space_is_judged_by_its_bound(monkeypatch):
    monkeypatch.setattr(module, "MOST_PLANS", 3)
    least = 100.0 - 10 * (len(SPACE.points))
    found = unreachable(SPACE, [goal(least - 1)], toy)
    assert (found.nearest, found.text.endswith("B allowed (at the least)")) == (None, True)
    assert unreachable(SPACE, [goal(least + 1)], toy) is None
    monkeypatch.setattr(module, "_MOST_DECISIONS", 3)
    assert unreachable(SPACE, [goal(least - 1)], toy) is None


def test_a_space_of_200_layers_is_judged_in_a_moment(monkeypatch):
    layers = [dataclasses.replace(MODEL.layers[2], name=f"fc{n}") for n in range(200)]
    deep = build_space(dataclasses.replace(MODEL, layers=tuple(layers)), [SVD], ("float32",))
    monkeypatch.setattr(module, "nth_plan", lambda *_: pytest.fail("looks at each plan"))
    assert unreachable(deep, [goal(1.0)], toy) is None  # 200 changes save more than there is
    assert unreachable(deep, [goal(energy=-1.0)], toy).nearest is None


def test_a_real_network_has_its_least():
    space, known = lenet()
    found = unreachable(space, [goal(1000.0)], known, known.at_least)
    least = known(found.nearest).storage_bytes
    assert "S_p would be" in found.reason
    assert unreachable(space, [goal(least)], known, known.at_least) is None


# ---- what the folder holds


def test_a_plan_of_the_folder_may_keep_what_no_plan_of_the_space_can(tmp_path):
    did = search(tmp_path, ScriptedSampler(some_plans(3)), 3)
    (target,) = did.content.targets
    loose, tight = UserDemand(max_latency_ms=100.0), UserDemand(max_storage_bytes=1.0)
    limits = did.run.scorers[0].limits
    assert is_met_already(did.content, [Goal(target, loose, limits)])
    assert not is_met_already(did.content, [Goal(target, tight, limits)])
