import importlib.util
import subprocess
import sys

import pytest

from adadeep.core.errors import ConfigError
from adadeep.core.space import build_space
from adadeep.core.trial import TrialState
from adadeep.search.moves import initial_decisions
from adadeep.search.registry import SAMPLERS
from adadeep.search.tpe import TPE
from adadeep.study.config import StudyConfig
from adadeep.testing.spaces import FIRE, GAP, MODEL, SPACE, SVD
from adadeep.training.registry import TASKS
from fakes.search_space import every_list
from fakes.worlds import DEEP, asks, context, scored

INITIAL = initial_decisions(SPACE)
SMALL = build_space(MODEL, [SVD, GAP], ())


def made(space=SPACE, seed=0, **more):
    return TPE.make(context(space, seed, **more))


def values(sampler):
    return [trial.value for trial in sampler._study.trials if trial.value is not None]


@pytest.mark.parametrize("ahead", [1, 3])
def test_every_plan_is_asked_for_once_and_then_it_stops(ahead):
    """Also those on whose layers nothing is left to decide."""
    asked, reason = asks(made(SMALL), SMALL, lambda plan: float(plan[0]), ahead=ahead)
    assert sorted([*asked, initial_decisions(SMALL)]) == sorted(every_list(SMALL))
    assert reason == "every plan was tried"


@pytest.mark.parametrize("is_good", [True, False])
def test_it_learns_what_is_good(is_good):
    """Each of three choices of the first layer comes as often, until it hears of them."""
    choice, sign = DEEP.points[0].options[-1], 1 if is_good else -1
    asked, _ = asks(made(DEEP), DEEP, lambda plan: float(sign * (plan[0] == choice)), count=50)
    later = sum(plan[0] == choice for plan in asked[20:])
    assert later > 20 if is_good else later < 5


def test_what_keeps_limits_comes_before_what_breaks_them_and_that_before_what_failed():
    sampler, plans = made(total=0.0), [plan for plan in every_list(SPACE) if plan != INITIAL]
    outcomes = [(-1.5, 0.0), (2.0, 0.1), (2.0, 3.0), (-2.0, None)]
    for plan, outcome in zip(plans, outcomes, strict=False):
        sampler.tell(scored(SPACE.plan(plan), *outcome))
    found = values(sampler)
    assert len(found) == 5
    assert found == sorted(found)
    assert len(set(found)) == 5


def test_nothing_is_learned_from_what_is_incomplete():
    sampler = made(SMALL)
    plan = sampler.ask()
    sampler.tell(scored(plan, -2.0, None, TrialState.INCOMPLETE))
    assert len(values(sampler)) == 1
    asked, _ = asks(sampler, SMALL)
    assert SMALL.decisions(plan) not in asked


def test_spaces_of_one_plan_and_of_one_point():
    for techniques, others in (([], 0), ([FIRE], 1)):
        space = build_space(MODEL, techniques, ())
        asked, reason = asks(made(space), space)
        assert (len(asked), reason) == (others, "every plan was tried")


def test_seeds_differ():
    assert len({tuple(asks(made(seed=seed), SPACE, count=6)[0]) for seed in range(4)}) == 4


def in_a_new_process(program):
    """What it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_it_says_nothing_on_its_own():
    """Neither in a log nor by a warning, from its import on."""
    program = """
from adadeep.testing.samplers import episodes, made
from adadeep.search.tpe import TPE
plans = episodes(made(TPE, "default"), 16)
assert len(plans) == 16
"""
    assert in_a_new_process(program) == ""


def test_optuna_is_not_imported_before_a_sampler_is_made():
    program = """
import sys
from adadeep.search.registry import SAMPLERS
assert SAMPLERS.get("tpe").unusable() is None
assert "optuna" not in sys.modules
"""
    assert in_a_new_process(program) == ""


def test_without_optuna_a_search_does_not_begin_and_says_how_to_get_it(monkeypatch):
    find = importlib.util.find_spec

    def without(name, *more):
        return None if name == "optuna" else find(name, *more)

    monkeypatch.setattr("importlib.util.find_spec", without)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"pip install 'adadeep\[tpe\]'") as caught:
        StudyConfig(task="digits", sampler="tpe").validate(TASKS)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"pip install 'adadeep\[tpe\]'"):
        made()
    assert "tpe" in SAMPLERS.usable()
    StudyConfig(task="digits", sampler="random").validate(TASKS)
