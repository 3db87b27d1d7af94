"""A search that is told of all plans but the one at hand: what no belief can foretell."""

import numpy as np
import pytest

from adadeep.core.search import Stop
from adadeep.core.trial import TrialState
from adadeep.search.belief import LinearBelief, Scales
from adadeep.search.curved import CurvedBelief
from fakes.recorded_tables import write_fake
from search import recorded
from search.demands import NamedDemand
from search.foretold import Foretold, left_out
from search.replay import Cell, Contest

GROUPS = np.zeros(3, np.int64)
LOOSE = NamedDemand("loose")
EACH = 6


class Plane:
    """A plan is a row of features; and the curve of some plans."""

    rows = None

    def of(self, decisions):
        self.rows = decisions
        return self

    def values(self, weights):
        return self.rows @ weights

    def slopes(self, weights):
        del weights
        return self.rows


def test_what_others_tell_is_what_a_belief_says_that_never_saw_the_value():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((8, 3))
    values = rows @ np.array([0.5, -1.0, 2.0]) + 0.3 * rng.standard_normal(8)
    belief = CurvedBelief(Plane(), GROUPS, Scales(np.array([1.5]), 0.3))
    for row, value in zip(rows, values, strict=True):
        belief.see(row, float(value), 0.04)
    belief.fit()
    told, deviations = left_out(belief)
    noise = 0.04 + belief.scales.stray**2
    for one in range(8):
        others = np.delete(rows, one, axis=0)
        known = LinearBelief(GROUPS, belief.scales)
        weights = known.mean_of(others, np.delete(values, one), np.full(7, 0.04))
        assert told[one] == pytest.approx(rows[one] @ weights)
        left = np.linalg.inv(np.eye(3) / 1.5**2 + others.T @ others / noise)
        assert deviations[one] ** 2 == pytest.approx(rows[one] @ left @ rows[one] + noise)


@pytest.fixture(scope="module")
def contest_and_plans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    write_fake(folder)
    source = recorded.sources(folder)[0]
    table = source.draw(0)
    plans = [*table._recording.rows][::EACH]  # fewer are quicker
    return Contest(table, Cell(source, LOOSE).demand, 0), plans


def test_each_plan_that_can_be_made_is_tried_once_the_initial_network_never(contest_and_plans):
    contest, plans = contest_and_plans
    every = [contest.scored(plan) for plan in plans]
    sampler, asked = Foretold(contest.context, every), []
    while not isinstance(plan := sampler.ask(), Stop):
        asked.append(plan)
    whole = {one.plan for one in every if one.state is TrialState.COMPLETE}
    assert len(asked) == len(set(asked))
    assert set(asked) == {plan for plan in whole if plan.choices or plan.precision != "float32"}


def test_what_is_tried_first_is_better_than_most(contest_and_plans):
    contest, plans = contest_and_plans
    every = [contest.scored(plan) for plan in plans]
    sampler = Foretold(contest.context, every)
    first = [contest.scored(sampler.ask()).reward.total for _ in range(5)]
    totals = [one.reward.total for one in every if one.state is TrialState.COMPLETE]
    assert np.mean(first) > np.quantile(totals, 0.7)
