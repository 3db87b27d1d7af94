"""Replays: what regret is, what counts as an evaluation, what intervals are of."""

from dataclasses import replace

import numpy as np
import pytest

from adadeep.core.plan import CompressionPlan
from adadeep.core.reward import Limits
from adadeep.core.search import Stop
from adadeep.core.trial import TrialState
from search import formula, targets
from search.demands import DEMANDS, NamedDemand
from search.judging import Judge, Optima, Optimum, best_plan_number, carried_over, regret
from search.pages import BEST_HEARD, paired, printed
from search.replay import Cell, Contest, curves, replay
from search.report import (
    CellSummary,
    Points,
    bootstrapped,
    curve,
    found_soon,
    summaries,
    summarised,
)
from search.stored import StoredCurves
from search.table import Columns

INITIAL, INT8 = CompressionPlan(), CompressionPlan((), "int8")
CONV2 = formula.SOURCES[0]
CELL = Cell(CONV2, DEMANDS[0])
IMPOSSIBLE = NamedDemand("impossible", storage=1e-6)
SMALL = NamedDemand("small", storage=0.2)  # the initial network is too large


class Scripted:
    """Asks for plans of a list, then stops."""

    def __init__(self, *plans):
        self.plans, self.told = list(plans), []

    def ask(self):
        return self.plans.pop(0) if self.plans else Stop("that was all")

    def tell(self, scored):
        self.told.append(scored)


def optimum_plan(cell, seed=0):
    table = cell.source.draw(seed)
    judge = Judge(table, cell.demand, "validation")
    number = best_plan_number(judge.columns, judge.demand, judge.limits)
    *layers, precisions = [point.options for point in table.space.points]
    shape = [len(precisions), *(len(options) for options in layers)]
    precision, *at = np.unravel_index(number, shape)
    decisions = [options[i] for options, i in zip(layers, at, strict=True)]
    return table.space.plan((*decisions, precisions[precision]))


@pytest.mark.parametrize(
    ("total", "expected"), [(1.2, 0), (-0.4, 100), (0.4, 50), (1.3, 0), (-0.5, 100)]
)
def test_regret_is_in_percent_of_the_range_from_the_least_reward_to_the_optimum(total, expected):
    assert regret(Optimum(1.2, -0.4), total) == pytest.approx(expected)


def test_regret_is_nothing_where_all_plans_are_alike():
    assert regret(Optimum(0.3, 0.3), 0.3) == 0


def test_the_initial_network_is_chosen_first_and_the_optimum_once_it_is_asked_for():
    run = replay(lambda _: Scripted(INT8, optimum_plan(CELL), INITIAL), CELL, 0, 4)
    judge = Judge(CONV2.draw(0), CELL.demand, "validation")
    assert run.regrets["validation"] == [judge.regret(INT8), 0, 0, 0]
    assert 40 < judge.regret(INITIAL) < 60
    assert (run.stop, run.asked) == ("that was all", 3)
    assert run.kept["test"] == run.heard == [True] * 4


def test_without_anything_within_the_limits_regret_is_100():
    run = replay(lambda _: Scripted(INITIAL), Cell(CONV2, SMALL), 0, 2)
    assert run.regrets["validation"] == [100, 100]
    assert not any(run.kept["test"] + run.heard)


def test_a_plan_whose_known_costs_break_a_limit_is_told_as_skipped_and_is_no_evaluation():
    table, cell = CONV2.draw(0), Cell(CONV2, SMALL)
    large = [
        plan
        for plan in (CompressionPlan(((f"conv{n}", c),)) for n in (0, 1)
                     for c in formula.choices("C2", 2))
        if table.known_costs(plan).storage_bytes > 0.2 * table.known_costs(INITIAL).storage_bytes
    ]  # fmt: skip
    sampler = Scripted(*large, optimum_plan(cell))
    run = replay(lambda _: sampler, cell, 0, 1)
    assert len(large) == 4
    assert run.asked == 5
    assert run.regrets["validation"] == [0]
    assert [told.state for told in sampler.told] == [TrialState.SKIPPED] * 4 + ["complete"]
    assert all(told.reward.violation > 0 for told in sampler.told[:4])


def test_a_sampler_that_asks_for_skipped_plans_only_comes_to_an_end():
    class Stubborn(Scripted):
        def ask(self):
            return CompressionPlan((("conv0", formula.choices("C2", 2)[0]),))

    run = replay(lambda _: Stubborn(), Cell(CONV2, SMALL), 0, 3)
    assert run.asked == 60
    assert run.regrets["validation"] == [100] * 3


def test_a_context_is_what_a_study_gives():
    contest = Contest(CONV2.draw(4), SMALL, 4)
    context = contest.context
    [initial] = context.history
    assert initial.plan == INITIAL
    assert initial.state is TrialState.COMPLETE
    [goal] = context.goals
    own = initial.costs[0].storage_bytes
    assert goal.limits.max_storage_bytes == pytest.approx(0.2 * own)
    assert initial.reward.violation == pytest.approx(4)
    assert context.known_costs(INITIAL).storage_bytes == own
    assert context.seed == 4


def test_where_no_plan_keeps_the_limits_there_is_no_regret_and_the_report_says_so():
    def never(_):
        raise AssertionError("nothing is to be searched")

    runs = curves(never, [Cell(CONV2, IMPOSSIBLE)], range(2), 5, processes=1)
    found = summaries([*runs, *curves(lambda _: Scripted(INT8), [CELL], range(2), 5, 1)])
    assert found["conv2, impossible"].regrets == {}
    assert curve(found.values()) == curve([found[CELL.name]])
    assert "exit 4, no regret): conv2, impossible" in printed({"it": found})
    with pytest.raises(ValueError, match="no plan keeps the limits"):
        Judge(CONV2.draw(0), IMPOSSIBLE, "test").regret(INT8)


def test_two_processes_find_what_one_finds():
    cells = [CELL, Cell(CONV2, SMALL)]
    alone, together = (
        curves(lambda _: Scripted(INT8), cells, range(2), 3, processes) for processes in (1, 2)
    )
    assert [replace(run, ms=0) for run in alone] == [replace(run, ms=0) for run in together]
    assert {(run.cell, run.seed) for run in alone} == {
        (cell.name, seed) for cell in cells for seed in (0, 1)
    }


def test_the_interval_is_of_resampled_cells():
    assert str(bootstrapped([3.0] * 8)) == "3 [3, 3]"
    spread = bootstrapped([0.0] * 50 + [10.0] * 50)
    assert spread == bootstrapped([0.0] * 50 + [10.0] * 50)
    assert spread.value == 5
    assert (spread.low, spread.high) == pytest.approx((4, 6), abs=0.15)  # 1.96 * 5 / sqrt(100)


def cell_summary(regret, kept=1.0, group="conv2"):
    return CellSummary(
        group, 20, {"validation": {5: 2 * regret, 10: regret}},
        {"validation": {5: 0.0, 10: kept}}, {"validation": {5: None, 10: regret}}, {}, 1.0,
    )  # fmt: skip


def test_curves_are_means_of_cells_and_pairs_are_of_the_same_cells():
    own = {"a": cell_summary(1), "b": cell_summary(4), "c": cell_summary(9, group="conv6")}
    other = {"a": cell_summary(2), "b": cell_summary(7), "d": cell_summary(90)}
    assert curve([own["a"], own["b"]])[10].value == 2.5
    assert curve([own["a"], own["b"]])[5].value == 5
    assert paired(own, other, "conv2")[10].value == -2
    assert paired(own, other, "conv6") == {}


def test_what_is_found_soon_is_said_of_all_runs_and_of_the_worst_cell():
    assert found_soon([cell_summary(1, 0.5), cell_summary(1, 0.9)]) == pytest.approx((0.7, 0.5))


def test_targets_are_met_or_missed_against_the_best_other_too():
    found = {
        "dqn default": {"a": cell_summary(0.5), "b": cell_summary(3)},
        "random default": {"a": cell_summary(0.1), "b": cell_summary(2)},
        "sweep default": {"a": cell_summary(9), "b": cell_summary(9)},
        BEST_HEARD: {"a": cell_summary(0), "b": cell_summary(0)},
    }
    by_name = {row.what: row for row in targets.rows(found)}
    own = by_name["dqn default, conv2: regret after 10"]
    assert (own.value, own.limit, own.verdict) == (1.75, 1.0, "missed")
    other = by_name["dqn default, conv2: regret after 10 less the best other's"]
    assert (other.value, other.verdict) == (pytest.approx(0.7), "missed")
    assert other.detail.startswith("random default;")
    assert by_name["dqn default: the worst cell's"].verdict == "met"


def points(seed, validation, test, heard=True):
    regrets = {"validation": {5: validation}, "test": {5: test}}
    return Points("conv2, it", "conv2", seed, regrets, {5: heard}, 1.0)


def test_what_breaks_a_limit_counts_100_and_what_was_called_met_is_counted_apart():
    runs = [points(0, 1.0, 3.0), points(1, 3.0, None), points(2, None, None, heard=False)]
    cell = summarised(runs)["conv2, it"]
    assert cell.regrets == {"validation": {5: 104 / 3}, "test": {5: 203 / 3}}
    assert cell.kept == {"validation": {5: 2 / 3}, "test": {5: 1 / 3}}
    assert cell.once_kept == {"validation": {5: 2}, "test": {5: 3}}
    assert cell.broken == {5: 0.5}
    assert summarised(runs[2:])["conv2, it"].broken == {5: None}


def test_the_plan_that_is_best_on_validation_loses_on_test_what_it_is_worse_there():
    class Two:
        def __init__(self, *accuracies):
            ones = np.ones(len(accuracies))
            self.columns = Columns(np.array(accuracies), ones, ones, ones)
            self.demand, self.limits = DEMANDS[0].of(cost), Limits(0.9, 2, 2, 2)
            self.optimum = Optimum(0.7 + 0.6 * (max(accuracies) - 0.9) / 0.1, 0.0)

    cost = CONV2.draw(0).judge(INITIAL, "")[1]
    assert carried_over(Two(0.93, 0.95), Two(0.93, 0.95)) == pytest.approx(0)
    assert carried_over(Two(0.93, 0.95), Two(0.95, 0.91)) == pytest.approx(24.0)
    assert carried_over(Two(0.93, 0.95), Two(0.95, 0.89)) is None


def test_stored_curves_are_of_the_same_tables_and_demands_and_may_be_longer(tmp_path):
    path, impossible = tmp_path / "new" / "stored.json", Cell(CONV2, IMPOSSIBLE)
    runs = curves(lambda _: Scripted(INT8), [CELL, impossible], range(3), 10, 1)
    every = [Points.of(run) for run in runs]
    StoredCurves(path).keep("it", [CELL, impossible], every, 10)
    stored = StoredCurves(path)
    found = stored.known("it", [CELL, impossible, Cell(CONV2, SMALL)], 3, 10)
    assert found == {
        cell.name: [run for run in every if run.cell == cell.name] for cell in (CELL, impossible)
    }
    first = [Points.of(run) for run in curves(lambda _: Scripted(INT8), [CELL], range(2), 5, 1)]
    [shorter] = stored.known("it", [CELL], 2, 5).values()
    assert [replace(run, ms=0) for run in shorter] == [replace(run, ms=0) for run in first]
    assert stored.known("other", [CELL], 2, 5) == {}
    assert stored.known("it", [CELL], 4, 5) == stored.known("it", [CELL], 2, 20) == {}
    [fewer] = stored.known("it", [CELL], 4, 5, fewer=True).values()
    assert [run.seed for run in fewer] == [0, 1, 2]
    changed = Cell(CONV2, replace(CELL.demand, storage=0.5))
    assert stored.known("it", [changed], 2, 5) == {}


def test_optima_are_found_once(tmp_path, monkeypatch):
    path = tmp_path / "optima.json"
    optima = Optima(path)
    first = optima.judge(CONV2, CONV2.draw(0), DEMANDS[0], "test").optimum
    optima.write()
    monkeypatch.setattr("search.judging.optimum_of", lambda *_: Optimum(7.0, 0.0))
    assert Optima(path).judge(CONV2, CONV2.draw(0), DEMANDS[0], "test").optimum == first
    again = Optima(path)
    again.forget()
    assert again.judge(CONV2, CONV2.draw(0), DEMANDS[0], "test").optimum == Optimum(7.0, 0.0)
