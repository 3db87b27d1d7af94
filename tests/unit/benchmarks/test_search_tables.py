"""Tables of costs: what is known, heard and true is what was recorded or drawn."""

import itertools

import numpy as np
import pytest

from adadeep.core.plan import CompressionPlan
from adadeep.core.reward import reward
from adadeep.core.scores import SampleScores
from adadeep.core.trial import TrialState
from adadeep.study.known import KnownBeforehand
from fakes.recorded_tables import COUNTS, FAILING, UNMEASURED, fake_space, write_fake
from search import formula, packing, recorded
from search.demands import DEMANDS
from search.judging import Judge, rewards
from search.spaces import plan_of, space_content, space_of
from search.table import PARTS, TEST, VALIDATION

INITIAL, INT8 = CompressionPlan(), CompressionPlan((), "int8")


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    rows, on_board = write_fake(folder)
    board, local = (source.draw(0) for source in recorded.sources(folder))
    return rows, on_board, board, local


def made(rows):
    return [row for row in rows if "error" not in row]


def test_a_space_is_the_same_after_a_file():
    space = fake_space()
    assert space_of(space_content(space)) == space


def test_known_costs_are_those_of_the_formulas_and_of_the_rows(recording):
    rows, _, board, local = recording
    known = KnownBeforehand(fake_space().model, knows_energy=True)
    told = [(row, board.known_costs(plan_of(row["plan"]))) for row in made(rows)]
    assert {found for _, found in told} == {known(plan_of(row["plan"])) for row in made(rows)}
    assert 100 < sum(found is None for _, found in told) < 300
    for row, found in told:
        assert found is None or (found.storage_bytes, found.macs, found.energy_mj) == (
            row["storage_bytes"], row["macs"], row["energy_mj"],
        )  # fmt: skip
        assert local.known_costs(plan_of(row["plan"])) == found


def test_a_sampler_hears_validation_samples_and_test_samples_are_the_truth(recording):
    rows, _, board, _ = recording
    for row in made(rows)[20:40]:
        plan = plan_of(row["plan"])
        trial = board.hear(plan, seed=0)
        assert trial.scores == SampleScores(COUNTS["search"], row["search"])
        assert trial.accuracy == trial.scores.quality == board.judge(plan, VALIDATION)[0]
        assert board.judge(plan, TEST)[0] == SampleScores(COUNTS["test"], row["test"]).quality


def test_the_board_is_exact_and_this_computer_heard_at_one_placement(recording):
    rows, on_board, board, local = recording
    row = made(rows)[50]
    plan, own_ms = plan_of(row["plan"]), rows[0]["local"]["ms"]
    for seed in range(3):
        assert board.hear(plan, seed).cost.latency_ms.value == on_board[row["key"]]
    placements = [own_ms * ratio for ratio in row["local"]["ratios"]]
    heard = [local.hear(plan, seed).cost.latency_ms for seed in range(12)]
    assert {quantity.value for quantity in heard} <= set(placements)
    assert len({quantity.value for quantity in heard}) > 2
    assert all(q.low < q.value < q.high < 1.1 * q.value for q in heard)
    assert local.hear(plan, 5) == local.hear(plan, 5)
    truth = local.judge(plan, TEST)[1].latency_ms.value
    assert truth == pytest.approx(np.median(placements))
    assert local.hear(INITIAL, 0).cost.latency_ms.value == own_ms


def test_what_could_not_be_made_or_measured_fails_and_says_why(recording):
    rows, _, board, local = recording
    failing, unmeasured = plan_of(rows[FAILING]["plan"]), plan_of(rows[UNMEASURED]["plan"])
    for table in (board, local):
        trial = table.hear(failing, 0)
        assert (trial.state, trial.reason) == (TrialState.FAILED, "it was not made")
        assert table.judge(failing, TEST) is None
    assert board.hear(unmeasured, 0).state is TrialState.FAILED
    assert local.hear(unmeasured, 0).state is TrialState.COMPLETE
    assert len(board.columns(TEST).accuracy) == len(local.columns(TEST).accuracy) - 1 == 408


@pytest.mark.parametrize("unmeasured", [{0}, set(range(50, 100))], ids=["initial", "many"])
def test_a_board_that_has_not_measured_nearly_all_plans_is_no_table_yet(tmp_path, unmeasured):
    write_fake(tmp_path, unmeasured=unmeasured)
    assert [source.device for source in recorded.sources(tmp_path)] == ["local"]


def test_a_recording_of_other_samples_than_it_says_is_not_packed(recording, tmp_path):
    about = packing.About("fake", fake_space().model, {**COUNTS, "test": 1000})
    with pytest.raises(SystemExit, match=r"test: .* for 1000 samples"):
        packing.write(tmp_path / "fake-0.npz", about, recording[0][:5], {})


def test_conv2_is_drawn_as_before():
    table = formula.FormulaTable(2, 0, interacts=False)
    accuracy, cost = table.judge(INT8, "")
    assert (accuracy, cost.latency_ms.value) == pytest.approx((0.97664, 0.0526752))
    accuracy, cost = table.judge(INITIAL, "")
    assert (accuracy, cost.energy_mj.value) == pytest.approx((0.98, 8.5096832))
    assert cost.storage_bytes == 8486272


@pytest.mark.parametrize("interacts", [False, True])
def test_all_plans_at_once_cost_what_each_costs(interacts):
    table = formula.FormulaTable(2, 3, interacts)
    *layers, precisions = [point.options for point in table.space.points]
    order = [
        table.space.plan((*decisions, precision))
        for precision in precisions
        for decisions in itertools.product(*layers)
    ]
    columns = table.columns("")
    assert len(order) == len(columns.accuracy) == 3528
    for number in np.random.default_rng(0).choice(len(order), 200):
        accuracy, cost = table.judge(order[number], "")
        known = table.known_costs(order[number])
        found = [getattr(columns, name)[number] for name in columns.__dataclass_fields__]
        assert found == pytest.approx(
            [accuracy, cost.energy_mj.value, cost.latency_ms.value, known.storage_bytes]
        )
        assert known.macs == cost.macs


def test_tables_of_a_formula_differ_by_seed_and_choices_interact_on_conv6():
    first, other = (source.draw(1) for source in formula.SOURCES)
    assert first.judge(INT8, "") == formula.FormulaTable(2, 1, False).judge(INT8, "")
    assert other.judge(INT8, "")[0] != formula.FormulaTable(6, 2, True).judge(INT8, "")[0]

    def loss(*choices):
        chosen = CompressionPlan(tuple((f"conv{n}", formula.choices("C2", 2)[1]) for n in choices))
        accuracy = other.judge(chosen, "")[0]
        return (-1 + np.sqrt(1 + 160 * (0.98 - accuracy))) / 80  # before it is made convex

    assert loss(0, 3) == pytest.approx(loss(0) + loss(3))
    assert loss(0, 1) != pytest.approx(loss(0) + loss(1))


@pytest.mark.parametrize("demand", DEMANDS, ids=lambda demand: demand.name)
def test_rewards_of_many_plans_are_the_rewards_of_each(recording, demand):
    rows, _, _, local = recording
    for part in PARTS:
        judge = Judge(local, demand, part)
        totals, violations = rewards(local.columns(part), judge.demand, judge.limits)
        plans = [plan_of(row["plan"]) for row in made(rows)]
        one_by_one = [
            reward(judge.demand, judge.limits, *local.judge(plan, part)) for plan in plans
        ]
        assert totals == pytest.approx([one.total for one in one_by_one])
        assert violations == pytest.approx([one.violation for one in one_by_one])
