import numpy as np
import pytest

from adadeep.search import moves
from adadeep.search.ascent import ascend, random_plans
from adadeep.search.neighbours import Moves
from adadeep.testing.spaces import SPACE
from fakes.simulated import Simulated
from fakes.worlds import DEEP


class Perfect:
    """A view that knows what every plan is worth."""

    def __init__(self, truth):
        self._place = {tuple(row): n for n, row in enumerate(truth.every_plan().tolist())}
        self._worth = np.array([_worth(*truth.rank(row)) for row in self._place])

    def worth(self, decisions):
        return self._worth[[self._place[tuple(row)] for row in decisions.tolist()]]

    @property
    def best(self):
        return self._worth.max()


def _worth(violation, loss):
    return -10 - violation if violation > 0 else -loss


@pytest.mark.parametrize("seed", range(8))
def test_climbing_from_six_starts_finds_the_optimum(seed):
    view = Perfect(Simulated(SPACE, seed=seed))
    starts = random_plans(SPACE, np.random.default_rng(seed), 6)
    plans, worths = ascend(view, Moves(SPACE), starts, 40)
    assert worths.max() == view.best
    assert view.worth(plans[[worths.argmax()]])[0] == view.best


def test_each_plan_that_was_looked_at_comes_once_with_its_worth():
    view = Perfect(Simulated(SPACE, seed=1))
    starts = random_plans(SPACE, np.random.default_rng(0), 6)
    plans, worths = ascend(view, Moves(SPACE), np.concatenate([starts, starts]), 3)
    assert len(np.unique(plans, axis=0)) == len(plans)
    np.testing.assert_array_equal(worths, view.worth(plans))
    assert {tuple(row) for row in starts.tolist()} <= {tuple(row) for row in plans.tolist()}


def test_a_round_takes_the_best_neighbour_and_no_round_none():
    view = Perfect(Simulated(SPACE, seed=2))
    start = np.array([moves.initial_decisions(SPACE)])
    assert ascend(view, Moves(SPACE), start, 0)[0].tolist() == start.tolist()
    plans, _ = ascend(view, Moves(SPACE), start, 1)
    around = {*moves.neighbours(SPACE, start[0].tolist())}
    assert {tuple(row) for row in plans.tolist()} == {tuple(start[0].tolist()), *around}
    best = max(around, key=lambda one: view.worth(np.array([one]))[0])
    second = {tuple(row) for row in ascend(view, Moves(SPACE), start, 2)[0].tolist()}
    assert second == {tuple(start[0].tolist()), *around, *moves.neighbours(SPACE, best)}


def test_neighbours_are_those_of_each_plan_written_out():
    """With choices that replace later layers, before and behind other ones."""
    plans = Simulated(SPACE).every_plan()
    found, owners = Moves(SPACE).neighbours(plans)
    assert any(SPACE.ending.intersection(row) for row in plans.tolist())
    for number, plan in enumerate(plans.tolist()):
        own = [tuple(row) for row in found[owners == number].tolist()]
        assert len(own) == len(set(own))
        assert set(own) == set(moves.neighbours(SPACE, plan))


def test_random_plans_are_of_the_space_and_reach_all_of_it():
    plans = random_plans(SPACE, np.random.default_rng(0), 600)
    assert {tuple(row) for row in plans.tolist()} == {
        tuple(row) for row in Simulated(SPACE).every_plan().tolist()
    }
    deep = random_plans(DEEP, np.random.default_rng(0), 300)
    shares = (deep[:, :, np.newaxis] == np.arange(3)).mean(axis=0)[:-1]
    assert np.abs(shares - 1 / 3).max() < 0.12
