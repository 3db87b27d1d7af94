import numpy as np
import pytest

from adadeep.search import moves
from adadeep.search.ascent import ascend, ascend_each, random_plans
from adadeep.search.neighbours import Moves
from adadeep.testing.spaces import SPACE
from fakes.simulated import Simulated
from fakes.worlds import DEEP


class Perfect:
    """A view that knows what every plan is worth."""

    def __init__(self, truth):
        self._place = {tuple(row): n for n, row in enumerate(truth.every_plan().tolist())}
        self._worth = np.array([_worth(*truth.rank(row)) for row in self._place])

    def worth(self, decisions, ways=None):
        del ways
        return self._worth[[self._place[tuple(row)] for row in decisions.tolist()]]

    def worth_around(self, near, ways):
        del ways
        found = np.full(near.is_open.shape, np.nan)  # of no plan
        owners, numbers = np.nonzero(near.is_open)
        found[owners, numbers] = self.worth(Moves(SPACE).made(near.plans[owners], numbers))
        return found

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
    assert worths.max() == pytest.approx(view.best, abs=1e-9)
    assert view.worth(plans[[worths.argmax()]])[0] == view.best


def test_the_best_plans_of_those_that_were_looked_at_come_once_the_best_first():
    view = Perfect(Simulated(SPACE, seed=1))
    starts = random_plans(SPACE, np.random.default_rng(0), 6)
    every, _ = ascend(view, Moves(SPACE), np.concatenate([starts, starts]), 3, top=10_000)
    assert {tuple(row) for row in starts.tolist()} <= {tuple(row) for row in every.tolist()}
    expected = every[np.lexsort((*every.T[::-1], -view.worth(every)))]  # of equals, in their order
    for top in (1, 5, 30, 10_000):
        plans, worths = ascend(view, Moves(SPACE), np.concatenate([starts, starts]), 3, top)
        assert plans.tolist() == expected[:top].tolist()
        assert len(np.unique(plans, axis=0)) == len(plans)
        np.testing.assert_allclose(worths, view.worth(plans), atol=1e-9)


def test_a_round_takes_the_best_neighbour_or_leap_and_no_round_none():
    climbs, view = Moves(SPACE, leap=4), Perfect(Simulated(SPACE, seed=2))
    start = np.array([moves.initial_decisions(SPACE)])
    assert ascend(view, climbs, start, 0)[0].tolist() == start.tolist()
    around = {*moves.neighbours(SPACE, start[0].tolist())}
    raised = view.worth_around(climbs.around(start), None) - view.worth(start)
    leapt = [plan for plan, _ in climbs.leaps(start, np.where(raised == raised, raised, -np.inf))]
    ahead = [*around, *(tuple(plan[0].tolist()) for plan in leapt)]
    best = max(ahead, key=lambda one: view.worth(np.array([one]))[0])
    plans, _ = ascend(view, climbs, start, 1)
    assert {tuple(row) for row in plans.tolist()} == {tuple(start[0].tolist()), *around, best}
    second = {tuple(row) for row in ascend(view, climbs, start, 2)[0].tolist()}
    assert second == {tuple(start[0].tolist()), *around, best, *moves.neighbours(SPACE, best)}


class Additive:
    """Each decision of a plan is worth its own, in each of two ways."""

    def __init__(self, space, seed):
        shape = (2, len(space.points), len(space.actions))
        self.of = np.random.default_rng(seed).normal(size=shape)
        self._space = space

    def worth(self, decisions, ways):
        places = np.arange(decisions.shape[1])
        return self.of[np.reshape(ways, (-1, 1)), places, decisions].sum(axis=1)

    def worth_around(self, near, ways):
        found = np.full(near.is_open.shape, np.nan)
        owners, numbers = np.nonzero(near.is_open)
        after = Moves(self._space).made(near.plans[owners], numbers)
        found[owners, numbers] = self.worth(after, ways[owners])
        return found

    def best(self, way):
        options = [list(point.options) for point in self._space.points]
        return sum(self.of[way, place, some].max() for place, some in enumerate(options))


def test_where_decisions_add_up_all_of_them_are_taken_at_once_in_each_way():
    """One by one it would take 9 rounds: 8 layers and a precision."""
    view, climbs = Additive(DEEP, 0), Moves(DEEP, leap=8)
    starts = random_plans(DEEP, np.random.default_rng(1), 4)
    found = ascend_each(view, climbs, [starts[:3], starts[3:]], 2)
    for way, (plans, worths) in enumerate(found):
        assert worths[0] == pytest.approx(view.best(way), abs=1e-9)
        np.testing.assert_allclose(view.worth(plans, way), worths, atol=1e-9)


def test_few_decisions_are_changed_one_by_one():
    raised = np.ones((1, Moves(DEEP).count))
    start = np.array([moves.initial_decisions(DEEP)])
    assert not [*Moves(DEEP).leaps(start, raised)]
    assert [*Moves(DEEP, leap=2).leaps(start, raised)]


def test_climbs_at_once_come_to_what_each_comes_to_by_itself():
    view, climbs = Additive(DEEP, 2), Moves(DEEP)
    starts = [random_plans(DEEP, np.random.default_rng(n), 3) for n in range(2)]
    alone, _ = ascend(view, climbs, starts[0], 3)
    both, _ = ascend_each(view, climbs, starts, 3)
    assert both[0].tolist() == alone.tolist()


def test_random_plans_are_of_the_space_and_reach_all_of_it():
    plans = random_plans(SPACE, np.random.default_rng(0), 600)
    assert {tuple(row) for row in plans.tolist()} == {
        tuple(row) for row in Simulated(SPACE).every_plan().tolist()
    }
    deep = random_plans(DEEP, np.random.default_rng(0), 300)
    shares = (deep[:, :, np.newaxis] == np.arange(3)).mean(axis=0)[:-1]
    assert np.abs(shares - 1 / 3).max() < 0.12
