"""Finalists: who is tested on held-back samples, who wins, and that nobody gets two chances."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.demand import UserDemand
from adadeep.core.errors import ConfigError
from adadeep.core.layers import ModelSpec
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.paired_f1 import HIT, NEITHER, WRONG
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.reward import resolve_limits, reward
from adadeep.core.scores import SampleScores
from adadeep.core.search import GoalScore
from adadeep.core.trial import Trial, TrialState
from adadeep.storage.journal import Journal
from adadeep.storage.records import Artifact, HeldTest, TrialRecord
from adadeep.study.contest import Contest, believed_rewards
from adadeep.study.finalists import MAX_FINALISTS, conclude
from adadeep.study.results import StudyResult
from adadeep.study.trials import TargetScorer
from adadeep.study.verdicts import ERROR_RATE, MOST_TESTS, Judge, next_tail
from adadeep.training.metrics.f1 import F1_OF_TWO
from fakes.metrics import ERROR
from fakes.search_parts import target_record

SEARCH, HELD = 2000, 6000


def bits(count, wrong, seed=0):
    """All right but for so many, which are the first ones for the initial network."""
    right = np.ones(count, np.bool_)
    right[np.random.default_rng(seed).permutation(count)[:wrong]] = False
    return SampleScores.of(right)


class Run:
    """A run whose plans lose so many samples of the search and of the held-back data."""

    metric, held_back = None, HELD

    def __init__(self, folder, latency=0.5, high=None, storage_limit=None):
        self.folder, self.latency, self.high = folder, latency, high
        self.demand = UserDemand(max_accuracy_loss=0.02, max_storage_bytes=storage_limit)
        self.losses, self.tested, self.remade = {}, [], []
        self.add("initial", 0.0, 0.0, storage=1000.0, plan=CompressionPlan(), latency=1.0)

    def add(self, name, on_search, on_held, storage=500.0, plan=None, latency=None):
        plan = plan or CompressionPlan((("fc1", LayerChoice(name)),))
        self.losses[name] = (plan, on_search, on_held, storage, latency or self.latency)

    def conclude(self, remakes=False):
        with Journal.open(self.folder) as journal:
            about = {"metric": asdict(self.metric)} if self.metric else {}
            journal.begin({"task": "fake", **about})
            for plan, on_search, _, storage, latency in self.losses.values():
                self._record(journal, plan, on_search, storage, latency)
            contest = self._contest(journal.content)
            if not remakes:
                return conclude([contest], journal, self._held)[0]

            def remake(plan):
                self.remade.append(plan.choices[0][1].technique)
                keys = {self.losses[name][0].key for name in self.remade}
                return [replace(contest, remade=frozenset(keys))]

            untouched = [replace(contest, remade=frozenset())]
            return conclude(untouched, journal, self._held, remake)[0]

    def _contest(self, content):
        trials = [self._trial(content, *what) for what in self.losses.values()]
        initial = trials[0]
        limits = resolve_limits(self.demand, initial.accuracy, initial.cost, content.scale)
        scored = tuple(
            GoalScore(t, reward(self.demand, limits, t.accuracy, t.cost, content.scale))
            for t in trials
        )
        judge = Judge(self.demand.max_accuracy_loss, limits, scored[0], content)
        return Contest(judge, StudyResult(limits, scored[0], scored))

    def _record(self, journal, plan, on_search, storage, latency):
        if plan.key in journal.content.trials:
            return
        scores = self.scores(SEARCH, on_search)
        key, sha256 = plan.key, plan.key * 4
        spec = ModelSpec("fake", (1,), ())
        journal.add(Artifact(key, plan.key, sha256, 1, scores.quality, scores, spec))
        journal.add(TrialRecord(plan, key))

    def _trial(self, content, plan, _on_search, _on_held, storage, latency):
        cost = Cost(
            Quantity(latency, Provenance.MEASURED, low=latency, high=self.high or latency),
            Quantity(latency, Provenance.ANALYTIC), storage, 0.0, 1, 1,
        )  # fmt: skip
        artifact = content.artifact_of(plan.key)
        return Trial(
            plan, TrialState.COMPLETE, artifact.accuracy, cost, model_sha256=artifact.model_sha256
        )

    def _held(self, scored):
        names = {plan.key: name for name, (plan, *_) in self.losses.items()}
        name = names[scored.trial.plan.key]
        self.tested.append(name)
        return self.scores(self.held_back, self.losses[name][2])

    def scores(self, count, loss):
        return bits(count, round(loss * count))


class ErrorRun(Run):
    """Likewise, by a metric whose scores are numbers from 0 to 10, and lower is better."""

    metric = Scale.of(ERROR)

    def scores(self, count, loss):
        noise = np.random.default_rng(0).random(count)
        return SampleScores.of(1.0 + noise + ERROR.high * loss)


class F1Run(Run):
    """Likewise, by F1 of a class that a fifth of the samples are of."""

    metric = Scale.of(F1_OF_TWO)

    def scores(self, count, loss):
        found = np.full(count, NEITHER)
        positive = count // 5
        found[:positive] = HIT
        missed = round(2 * loss / (1 + loss) * positive)  # of n, F1 is (2 n - 2 m) / (2 n - m)
        found[:missed] = WRONG
        return SampleScores.of_hits(found)


def name_of(conclusion):
    plan = conclusion.winner.trial.plan
    return plan.choices[0][1].technique if plan.choices else "initial"


def test_the_first_that_is_met_wins_and_no_other_is_tested(tmp_path):
    run = Run(tmp_path)
    run.add("safe", 0.001, 0.001, storage=400)
    run.add("small", 0.005, 0.006, storage=100)
    conclusion = run.conclude()
    assert run.tested == ["initial", "small"]
    assert name_of(conclusion) == "small"
    assert conclusion.of_winner.text == "met"


@pytest.mark.parametrize(
    ("kind", "held_back", "tested", "loss", "quality"),
    [
        (
            ErrorRun,
            HELD,
            ["lucky", "near", "safe"],
            pytest.approx(0.04),
            pytest.approx(1.9, abs=0.01),
        ),
        (
            F1Run,
            40_000,
            ["lucky", "safe"],
            pytest.approx(0.04, abs=1e-3),
            pytest.approx(0.96, abs=1e-3),
        ),
    ],
)
def test_by_another_metric_what_is_met_lucky_or_open_is_told_likewise(
    tmp_path, kind, held_back, tested, loss, quality
):
    run = kind(tmp_path)
    run.held_back = held_back
    run.add("lucky", 0.005, 0.04, storage=100)
    run.add("near", 0.005, 0.019, storage=200)
    run.add("safe", 0.001, 0.001, storage=400)
    conclusion = run.conclude()
    assert run.tested == ["initial", *tested]
    assert name_of(conclusion) == "safe"
    told = {
        name: conclusion.verdicts[run.losses[name][0].key].accuracy_loss
        for name in ("lucky", "near", "safe")
    }
    assert {name: verdict.text for name, verdict in told.items()} == {
        "lucky": "broken", "near": "open, within", "safe": "met",
    }  # fmt: skip
    assert told["lucky"].estimate == loss
    assert conclusion.tested[0].scores.quality == quality


def test_by_f1_it_is_those_to_be_found_that_can_rule_a_loss_out(tmp_path):
    run = F1Run(tmp_path)
    run.add("small", 0.001, 0.001)
    run.conclude()
    with Journal.open(tmp_path) as journal:
        judge = run._contest(journal.content).judge
        assert not judge.can_be_met(500)
        assert judge.can_be_met(40_000)


def test_by_another_metric_a_better_plan_loses_less_than_nothing(tmp_path):
    run = ErrorRun(tmp_path)
    run.add("better", -0.01, -0.01)
    conclusion = run.conclude()
    assert name_of(conclusion) == "better"
    assert conclusion.of_winner.accuracy_loss.estimate == pytest.approx(-0.01)


def test_a_plan_that_was_lucky_in_the_search_is_found_out_and_a_safer_one_wins(tmp_path):
    run = Run(tmp_path)
    run.add("lucky", 0.005, 0.04, storage=100)
    run.add("safe", 0.001, 0.001, storage=400)
    conclusion = run.conclude()
    assert run.tested == ["initial", "lucky", "safe"]
    assert name_of(conclusion) == "safe"
    lucky = conclusion.verdicts[run.losses["lucky"][0].key]
    assert lucky.accuracy_loss.text == "broken"
    assert lucky.accuracy_loss.estimate == pytest.approx(0.04)
    assert conclusion.refuted == {run.losses["lucky"][0].key}
    elsewhere = replace(conclusion, verdicts={})  # a device on which both failed
    assert elsewhere.refuted == set()


def test_who_can_not_be_told_is_open_and_says_on_which_side(tmp_path):
    run = Run(tmp_path)
    run.add("near", 0.018, 0.019)
    conclusion = run.conclude()
    assert conclusion.of_winner.text == "open, within"
    run = Run(tmp_path / "other")
    run.add("near", 0.019, 0.021)
    verdicts = run.conclude().verdicts[run.losses["near"][0].key]
    assert verdicts.text == "open, beyond"


def test_at_most_five_are_tested_and_all_ever_tested_share_one_error(tmp_path):
    run = Run(tmp_path)
    for number in range(9):
        run.add(f"bad{number}", 0.004, 0.05, storage=100 + number)
    first = run.conclude()
    assert len(run.tested) == 1 + MAX_FINALISTS
    # Four others look good on the samples that chose them; nobody has tested them.
    assert name_of(first) == "initial"
    assert first.is_acceptable
    assert run.conclude().tested == first.tested  # the same command again: the same end
    run.add("bad9", 0.004, 0.05, storage=1000)
    again = run.conclude()  # a plan more was tried: the others, at what is left of the error
    assert len(run.tested) == 1 + 2 * MAX_FINALISTS
    assert [test.number for test in again.tested] == list(range(1, 11))
    assert again.tested[: len(first.tested)] == first.tested
    assert [test.tail for test in again.tested] == [ERROR_RATE / 2**n for n in range(1, 11)]
    run.add("bad10", 0.3, 0.3)
    run.conclude()
    assert len(run.tested) == 1 + 2 * MAX_FINALISTS  # nobody gets a second chance


def test_where_none_could_be_met_any_more_a_lesser_plan_is_no_finalist(tmp_path):
    run = Run(tmp_path)
    run.held_back = 250  # samples that rule out 2.1 % at the first test, and at none after
    run.add("lesser", 0.0, 0.0, storage=500)
    run.add("best", 0.0, 0.008, storage=400)
    conclusion = run.conclude(remakes=True)
    assert run.tested == ["initial", "best"]
    assert conclusion.of_winner.text == "open, within"
    run.add("better", 0.0, 0.0, storage=100)
    assert name_of(run.conclude(remakes=True)) == "better"
    assert run.tested == ["initial", "best", "better"]


def test_once_one_is_open_only_what_earns_more_and_is_likely_within_is_made_again(tmp_path):
    run = Run(tmp_path)
    run.held_back = 300
    run.add("promising", 0.001, 0.007, storage=900)
    run.add("better", 0.012, 0.012, storage=100)
    run.add("beyond", 0.024, 0.012, storage=50)
    run.add("lesser", 0.012, 0.0, storage=950)
    conclusion = run.conclude(remakes=True)
    assert run.remade == run.tested[1:] == ["promising", "better"]
    assert name_of(conclusion) == "better"


def test_where_it_fails_a_lesser_plan_is_tested_though_it_can_not_be_met(tmp_path):
    run = Run(tmp_path)
    run.held_back = 250
    run.add("lesser", 0.0, 0.0, storage=500)
    run.add("fails", 0.0, 0.1, storage=400)
    assert name_of(run.conclude(remakes=True)) == "lesser"
    assert run.tested == ["initial", "fails", "lesser"]


def test_a_better_plan_found_later_is_tested_and_a_worse_one_is_not(tmp_path):
    run = Run(tmp_path)
    run.add("first", 0.001, 0.001, storage=400)
    assert name_of(run.conclude()) == "first"
    run.add("worse", 0.001, 0.001, storage=600)
    assert name_of(run.conclude()) == "first"
    run.add("better", 0.001, 0.001, storage=100)
    assert name_of(run.conclude()) == "better"
    assert run.tested == ["initial", "first", "better"]


def test_a_plan_whose_costs_break_their_limits_is_never_tested(tmp_path):
    run = Run(tmp_path)
    run.add("large", 0.0, 0.0, storage=5000)
    conclusion = run.conclude()
    assert run.tested == ["initial"]
    assert conclusion.verdicts[run.losses["large"][0].key].text == "broken"
    assert name_of(conclusion) == "initial"


def test_what_nobody_has_tested_is_not_accepted_even_if_it_is_all_there_is(tmp_path):
    run = Run(tmp_path, storage_limit=900.0)  # which the initial network breaks
    for number in range(6):
        run.add(f"bad{number}", 0.004, 0.05, storage=100 + number)
    conclusion = run.conclude()
    assert name_of(conclusion) not in run.tested
    assert conclusion.of_winner.is_acceptable  # by the search's own samples
    assert not conclusion.is_acceptable


def test_what_is_known_to_break_a_limit_comes_behind_what_is_open(tmp_path):
    run = Run(tmp_path, storage_limit=900.0)
    run.add("lucky", 0.004, 0.1, storage=100)
    run.add("near", 0.018, 0.021, storage=400)
    conclusion = run.conclude()
    assert {"lucky", "near"} <= set(run.tested)
    assert name_of(conclusion) == "near"


def test_hopeless_plans_use_up_nothing_that_others_need(tmp_path):
    run = Run(tmp_path)
    for number in range(12):
        run.add(f"bad{number}", 0.3, 0.3, storage=100 + number)
    run.conclude()
    run.conclude()
    assert run.tested == ["initial"]
    run.add("good", 0.005, 0.012)
    conclusion = run.conclude()
    assert conclusion.of_winner.text == "met"
    assert [test.number for test in conclusion.tested] == [1]


def test_tests_end_where_the_error_that_is_left_can_not_be_computed(tmp_path):
    run = Run(tmp_path)
    for number in range(MOST_TESTS + 8):
        run.add(f"bad{number}", 0.004, 0.05, storage=100 + number)
    for number in range(9):
        run.add(f"hopeless{number}", 0.3, 0.3)  # a plan more was tried: five more may be tested
        conclusion = run.conclude()
    assert len(conclusion.tested) == MOST_TESTS


def test_the_initial_networks_own_cost_as_a_limit_is_kept_by_it(tmp_path):
    run = Run(tmp_path, high=1.2)
    conclusion = run.conclude()
    assert conclusion.of_winner.latency_ms.text == "met"
    assert conclusion.of_winner.text == "met"


def test_another_initial_network_is_not_compared_with_earlier_finalists(tmp_path):
    run = Run(tmp_path)
    run.add("first", 0.001, 0.001)
    run.conclude()
    journal = tmp_path / "journal.jsonl"
    key = CompressionPlan().key
    lines = journal.read_text().splitlines(keepends=True)
    changed = [
        line.replace(key * 4, "f" * 64) if '"kind":"artifact"' in line else line for line in lines
    ]
    journal.write_text("".join(changed))
    with pytest.raises(ConfigError, match=r"another initial network.*another folder"):
        run.conclude()


def test_a_latency_whose_interval_holds_the_limit_is_open(tmp_path):
    run = Run(tmp_path, latency=0.95, high=1.05)
    run.add("slow", 0.0, 0.0)
    conclusion = run.conclude()
    assert name_of(conclusion) == "slow"
    assert conclusion.of_winner.latency_ms.text == "open, within"
    assert conclusion.of_winner.accuracy_loss.text == "met"
    assert conclusion.of_winner.text == "open, within"


@pytest.mark.parametrize("limits", [1, 2, 3, 5])
def test_the_error_of_all_finalists_stays_below_the_rate_however_outcomes_choose_the_next(limits):
    def worst(tests):
        """The largest error that finalists from here on can have, by the outcomes there are."""
        if len(tests) == MOST_TESTS:
            return 0.0
        tail = next_tail(tests, limits)
        number = len(tests) + 1
        later = worst([*tests, HeldTest("f" * 16, "f" * 64, number, tail, bits(1, 0))])
        return max((limits + 1) * later, *(tail + (limits + 1 - broken) * later
                                           for broken in range(1, limits + 1)))  # fmt: skip

    assert worst([]) <= ERROR_RATE


def test_the_devices_take_turns_and_a_test_serves_all_of_them(tmp_path):
    """Two devices with demands of their own: what one had tested is known to the other."""
    run = Run(tmp_path)
    run.add("small", 0.001, 0.001, storage=100)
    run.add("large", 0.001, 0.001, storage=400)
    with Journal.open(tmp_path) as journal:
        journal.begin({"task": "fake"})
        for plan, on_search, _, storage, latency in run.losses.values():
            run._record(journal, plan, on_search, storage, latency)
        contests = [run._contest(journal.content) for _ in range(2)]
        one, other = conclude(contests, journal, run._held)
    assert run.tested == ["initial", "small"]
    assert name_of(one) == name_of(other) == "small"
    assert one.tested == other.tested


# ---- the order by what is believed


class BelievingRun(Run):
    """Likewise; of some plans a sampler believes another loss than the search has seen."""

    def __init__(self, folder, **options):
        super().__init__(folder, **options)
        self.beliefs = {}

    def add(self, name, on_search, on_held, believed=None, **more):
        super().add(name, on_search, on_held, **more)
        if believed is not None:
            self.beliefs[self.losses[name][0].key] = 1.0 - believed

    def _contest(self, content):
        contest, demand = super()._contest(content), self.demand
        baseline = contest.result.baseline
        return replace(
            contest,
            believed=rewards_believed(
                contest.result.trials, demand, contest.result.limits, baseline, self.beliefs
            ),
        )


def rewards_believed(trials, demand, limits, baseline, qualities):
    scorer = TargetScorer(target_record(), demand, limits, baseline)
    return believed_rewards(trials, scorer, ACCURACY_SCALE, qualities)


def lucky_and_sound(run):
    """The first looks better on the search's samples; the belief says that this was luck."""
    run.add("lucky", 0.002, 0.009, believed=0.009, storage=400)
    run.add("sound", 0.004, 0.004, believed=0.004, storage=400)
    return run


def test_finalists_are_tested_in_the_order_of_what_is_believed(tmp_path):
    raw = lucky_and_sound(BelievingRun(tmp_path / "raw"))
    raw.beliefs = {}
    assert name_of(raw.conclude()) == "lucky"
    run = lucky_and_sound(BelievingRun(tmp_path / "believed"))
    conclusion = run.conclude()
    assert run.tested == ["initial", "sound"]
    assert name_of(conclusion) == "sound"


def test_another_order_shares_the_same_error_and_verdicts_are_of_the_samples(tmp_path):
    runs = []
    for name in ("raw", "believed"):
        run = BelievingRun(tmp_path / name)
        run.add("lucky", 0.002, 0.05, believed=0.009)
        run.add("sound", 0.004, 0.04, believed=0.004)
        run.beliefs = run.beliefs if name == "believed" else {}
        runs.append((run, run.conclude()))
    (raw, first), (believed, second) = runs
    assert raw.tested == ["initial", "lucky", "sound"]
    assert believed.tested == ["initial", "sound", "lucky"]
    shares = [[(test.number, test.tail) for test in done.tested] for done in (first, second)]
    assert shares[0] == shares[1] == [(1, ERROR_RATE / 2), (2, ERROR_RATE / 4)]
    for name, loss in (("lucky", 0.05), ("sound", 0.04)):
        key = raw.losses[name][0].key
        for conclusion in (first, second):
            assert conclusion.verdicts[key].accuracy_loss.estimate == pytest.approx(loss)


def test_what_the_samples_show_to_be_hopeless_is_not_tested_whatever_is_believed(tmp_path):
    run = BelievingRun(tmp_path)
    run.add("hopeless", 0.3, 0.0, believed=0.0, storage=100)
    run.conclude()
    assert run.tested == ["initial"]


def test_of_several_that_are_met_the_one_believed_best_wins(tmp_path):
    run = BelievingRun(tmp_path)
    run.add("old", 0.001, 0.001, storage=400)
    assert name_of(run.conclude()) == "old"
    run.add("new", 0.003, 0.002, believed=0.0005, storage=400)
    assert name_of(run.conclude()) == "new"
    run.beliefs[run.losses["old"][0].key] = 1.0
    assert name_of(run.conclude()) == "old"
    assert run.tested == ["initial", "old", "new"]


def test_who_can_not_be_told_keeps_the_reward_that_was_seen(tmp_path):
    run = BelievingRun(tmp_path)
    run.add("seen", 0.003, 0.003, storage=400)
    run.add("doubted", 0.001, 0.001, believed=0.004, storage=400)
    assert name_of(run.conclude()) == "seen"


def test_the_initial_network_and_what_has_no_costs_are_not_believed_anything(tmp_path):
    run = BelievingRun(tmp_path)
    run.add("sound", 0.004, 0.004, storage=400)
    run.conclude()
    with Journal.open(tmp_path) as journal:
        trials = Run._contest(run, journal.content).result.trials
        limits = run._contest(journal.content).result.limits
    failed = GoalScore(
        Trial(CompressionPlan((), "int8"), TrialState.FAILED, reason="of a test"), trials[1].reward
    )
    plans = [scored.trial.plan.key for scored in (*trials, failed)]
    believed = rewards_believed(
        (*trials, failed), run.demand, limits, trials[0], dict.fromkeys(plans, 0.5)
    )
    assert list(believed) == [plans[1]]
    (earned,) = believed.values()
    own = trials[1]
    assert earned == reward(run.demand, limits, 0.5, own.trial.cost)
    assert earned.total < own.reward.total


def test_each_device_weighs_what_is_believed_by_its_own_demand(tmp_path):
    run = lucky_and_sound(BelievingRun(tmp_path))
    run.add("slow", 0.0, 0.0, storage=900.0)
    run.conclude()
    with Journal.open(tmp_path) as journal:
        content = journal.content
        accurate = run._contest(content)
        run.demand = replace(run.demand, storage_weight=5.0)
        small = run._contest(content)
    key = run.losses["sound"][0].key
    assert small.believed[key].total > accurate.believed[key].total
    assert small.worth(small.result.trials[2]).reward == small.believed[key]


def open_run(folder):
    """The first is likely to be met and turns out open; of another there is a small chance."""
    run = Run(folder)
    run.add("likely", 0.010, 0.0199)
    run.add("unlikely", 0.0165, 0.0165)
    return run


def test_finalists_are_made_again_one_by_one_each_before_its_test(tmp_path):
    run = Run(tmp_path)
    run.add("worse", 0.003, 0.04, storage=100)
    run.add("safe", 0.001, 0.001, storage=400)
    run.add("spared", 0.001, 0.001, storage=450)
    conclusion = run.conclude(remakes=True)
    assert run.remade == run.tested[1:] == ["worse", "safe"]
    assert name_of(conclusion) == "safe"


@pytest.mark.parametrize(("remakes", "winner"), [(False, "believed"), (True, "seen")])
def test_of_finalists_made_again_the_one_that_earns_more_as_it_is_now_wins(
    tmp_path, remakes, winner
):
    run = BelievingRun(tmp_path)
    run.add("seen", 0.001, 0.001, believed=0.012, storage=100)
    run.conclude(remakes)
    run.add("believed", 0.001, 0.001, believed=0.001, storage=400)
    conclusion = run.conclude(remakes)
    assert run.tested == ["initial", "seen", "believed"]
    assert name_of(conclusion) == winner


def test_once_one_is_open_none_is_made_again_for_a_small_chance(tmp_path):
    run = open_run(tmp_path / "made again")
    assert run.conclude(remakes=True).of_winner.text == "open, within"
    assert run.tested == ["initial", "likely"]
    as_they_are = open_run(tmp_path / "as they are")
    as_they_are.conclude()
    assert as_they_are.tested == ["initial", "likely", "unlikely"]
