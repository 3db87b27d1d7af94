import pytest

from adadeep.core.clock import Deadline
from adadeep.core.cost import Provenance
from adadeep.core.demand import UserDemand
from adadeep.core.errors import (
    AdaDeepError,
    AgentError,
    TechniqueNotApplicable,
    TransientDeviceError,
)
from adadeep.core.plan import CompressionPlan
from adadeep.core.trial import TrialState
from adadeep.search.random_sampler import RandomSampler
from adadeep.search.reward import floor_reward
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.journal import Journal, read_journal
from adadeep.study.evaluate import PlanEvaluator
from adadeep.study.results import best_of
from adadeep.study.study import Study
from fakes.clock import HandClock
from fakes.search_parts import FakeMaker, FakeMeter, Watching, measurement
from fakes.search_space import SPACE

INITIAL = CompressionPlan()
LOOSE = UserDemand(max_latency_ms=100.0)


class ScriptedSampler:
    """Asks for the plans it was given; keeps what it was told."""

    def __init__(self, plans):
        self.plans, self.told = list(plans), []

    def ask(self):
        return self.plans[len(self.told)]

    def tell(self, plan, gain, satisfaction):
        self.told.append((plan, gain, satisfaction))


def search(folder, sampler, episodes, maker=None, meter=None, demand=LOOSE, header=None):
    """One process' life: opens the journal, runs, closes; returns what it did."""
    maker, meter, watching = maker or FakeMaker(), meter or FakeMeter(), Watching()
    with Journal.open(folder) as journal:
        journal.begin(header or {"task": "fake"})
        evaluator = PlanEvaluator(maker, meter, journal, ArtifactStore(folder / "models"))
        try:
            result = Study(demand, episodes, sampler, evaluator, journal).run(watching)
        except TransientDeviceError:
            result = None
    return result, maker, meter, watching


def some_plans(count, seed=0):
    sampler = RandomSampler(SPACE, seed)
    plans = []
    while len(plans) < count:
        plan = sampler.ask()
        if plan != INITIAL:
            plans.append(plan)
    return plans


def test_the_initial_network_is_tried_first_and_sets_the_limits(tmp_path):
    result, maker, _, watching = search(tmp_path, RandomSampler(SPACE, 0), 3, demand=UserDemand())
    assert maker.made[0] == INITIAL.key
    assert watching.events[0].number == 0
    assert result.limits == watching.known_limits
    assert result.limits.max_latency_ms == result.baseline.trial.cost.latency_ms.value
    assert result.baseline.reward.is_feasible


def test_a_trial_says_how_its_numbers_were_obtained(tmp_path):
    result, *_ = search(tmp_path, RandomSampler(SPACE, 0), 1)
    cost = result.baseline.trial.cost
    assert cost.latency_ms.provenance is Provenance.MEASURED
    assert "Fake box" in cost.latency_ms.source
    assert cost.energy_mj.provenance is Provenance.ANALYTIC


def test_a_plan_asked_twice_is_evaluated_once_and_told_twice(tmp_path):
    plan = some_plans(1)[0]
    sampler = ScriptedSampler([plan, plan, INITIAL])
    result, maker, meter, watching = search(tmp_path, sampler, 3)
    assert sorted(maker.made) == sorted([INITIAL.key, plan.key])
    assert len(meter.measured) == 2
    assert [event.known for event in watching.events] == [False, False, True, True]
    assert sampler.told[0] == sampler.told[1]
    assert len(result.trials) == 2


def test_gone_on_with_it_asks_the_same_plans_and_evaluates_nothing_twice(tmp_path):
    whole, *_ = search(tmp_path / "whole", RandomSampler(SPACE, 4), 10)
    _, maker1, meter1, _ = search(tmp_path / "parts", RandomSampler(SPACE, 4), 4)
    resumed, maker2, meter2, _ = search(tmp_path / "parts", RandomSampler(SPACE, 4), 10)
    assert [s.trial.plan for s in resumed.trials] == [s.trial.plan for s in whole.trials]
    assert [s.reward for s in resumed.trials] == [s.reward for s in whole.trials]
    assert not set(maker1.made) & set(maker2.made)
    assert not set(meter1.measured) & set(meter2.measured)
    again, maker3, meter3, _ = search(tmp_path / "parts", RandomSampler(SPACE, 4), 10)
    assert again.trials == resumed.trials
    assert maker3.made == meter3.measured == []


def test_a_shorter_search_in_the_same_folder_loses_nothing(tmp_path):
    longer, *_ = search(tmp_path, RandomSampler(SPACE, 4), 10)
    shorter, maker, meter, watching = search(tmp_path, RandomSampler(SPACE, 4), 3)
    assert shorter.trials == longer.trials
    assert watching.events[-1].best == best_of(longer.trials)
    assert maker.made == meter.measured == []


def test_another_sampler_in_the_same_folder_adds_to_what_is_there(tmp_path):
    first, *_ = search(tmp_path, RandomSampler(SPACE, 4), 4)
    second, *_ = search(tmp_path, RandomSampler(SPACE, 5), 4)
    assert second.trials[: len(first.trials)] == first.trials
    assert len(second.trials) > len(first.trials)


def test_when_the_time_is_over_no_other_plan_is_asked_for(tmp_path):
    clock = HandClock()

    class Slow(FakeMaker):
        def make(self, plan):
            clock.time += 10
            return super().make(plan)

    with Journal.open(tmp_path) as journal:
        journal.begin({})
        evaluator = PlanEvaluator(Slow(), FakeMeter(), journal, ArtifactStore(tmp_path / "m"))
        sampler, until = ScriptedSampler(some_plans(9)), Deadline.after(35, clock)
        result = Study(LOOSE, 9, sampler, evaluator, journal, until).run(Watching())
    assert result.asked == len(sampler.told) == 3  # the initial network took the first ten
    assert result.episodes == 9


def test_a_device_that_goes_away_costs_neither_networks_nor_measurements(tmp_path):
    plans = some_plans(4)
    meter = FakeMeter()
    meter.gone_after = 3
    result, *_ = search(tmp_path, ScriptedSampler(plans), 4, meter=meter)
    assert result is None
    assert len(read_journal(tmp_path).trials) == 3
    resumed, maker2, meter2, _ = search(tmp_path, ScriptedSampler(plans), 4)
    # The network whose measurement failed was made before: only the last one is made now.
    assert maker2.made == [plans[3].key]
    assert len(meter2.measured) == 2
    assert len(resumed.trials) == 5


def test_what_the_device_kept_for_a_dead_host_is_taken_and_acknowledged(tmp_path):
    plans = some_plans(2)
    meter = FakeMeter()
    meter.gone_after = 2  # the third is lost on the way
    search(tmp_path, ScriptedSampler(plans), 2, meter=meter)
    lost = FakeMaker().make(plans[1]).model
    kept, foreign = measurement(lost, latency_ns=777_000), measurement(b"of another search")
    meter = FakeMeter()
    meter.recovered = (kept, foreign)
    result, _, meter, _ = search(tmp_path, ScriptedSampler(plans), 2, meter=meter)
    assert meter.measured == []
    assert meter.acknowledged == [kept.key]
    assert result.trials[2].trial.cost.latency_ms.value == pytest.approx(0.777)
    assert set(read_journal(tmp_path).measurements) >= {kept.key}
    assert foreign.key not in read_journal(tmp_path).measurements


def test_a_lost_model_file_is_made_again_but_not_measured_again(tmp_path):
    search(tmp_path, ScriptedSampler([]), 0)
    for path in (tmp_path / "models").iterdir():
        path.unlink()
    lines = (tmp_path / "journal.jsonl").read_text().splitlines(keepends=True)
    kept = [line for line in lines if '"kind":"trial"' not in line]
    (tmp_path / "journal.jsonl").write_text("".join(kept))
    _, maker, meter, _ = search(tmp_path, ScriptedSampler([]), 0)
    assert maker.made == [INITIAL.key]
    assert meter.measured == []


def test_a_network_that_cannot_be_converted_is_a_failed_trial_with_the_floor_reward(tmp_path):
    bad, good = some_plans(2)
    sampler = ScriptedSampler([bad, good, bad])
    result, maker, _, _ = search(tmp_path, sampler, 3, maker=FakeMaker(failing=[bad.key]))
    trial = result.trials[1].trial
    assert trial.state is TrialState.FAILED
    assert trial.reason == "ConversionError: no such operator"
    floor = floor_reward(LOOSE)
    assert sampler.told[0] == (bad, floor.gain, floor.satisfaction)
    assert maker.made.count(bad.key) == 1
    assert best_of(result.trials).trial.plan != bad


def test_a_technique_that_does_not_apply_is_a_failed_trial(tmp_path):
    class Picky(FakeMaker):
        def make(self, plan):
            if plan.choices:
                raise TechniqueNotApplicable("fc1 is no convolution")
            return super().make(plan)

    result, *_ = search(tmp_path, ScriptedSampler(some_plans(1)), 1, maker=Picky())
    assert "fc1 is no convolution" in result.trials[1].trial.reason


@pytest.mark.parametrize(
    "code",
    [
        "unsupported_op",
        "model_corrupt",
        "out_of_memory",
        "agent_died",
        "runtime_crashed",
        "overdue",
    ],
)
def test_a_model_that_the_device_refuses_is_a_failed_trial(tmp_path, code):
    bad = some_plans(1)[0]
    meter = FakeMeter()
    meter.refused[FakeMaker().make(bad).model] = code
    result, *_ = search(tmp_path, ScriptedSampler([bad]), 1, meter=meter)
    assert result.trials[1].trial.state is TrialState.FAILED


@pytest.mark.parametrize("code", ["no_space", "no_runtime", "busy"])
def test_a_device_that_can_take_no_model_at_all_ends_the_search(tmp_path, code):
    bad = some_plans(1)[0]
    meter = FakeMeter()
    meter.refused[FakeMaker().make(bad).model] = code
    with pytest.raises(AgentError):
        search(tmp_path, ScriptedSampler([bad]), 1, meter=meter)
    assert set(read_journal(tmp_path).trials) == {INITIAL.key}


def test_an_initial_network_that_fails_ends_the_search_and_is_tried_again_next_time(tmp_path):
    with pytest.raises(AdaDeepError, match="initial network can't be used: ConversionError"):
        search(tmp_path, ScriptedSampler([]), 0, maker=FakeMaker(failing=[INITIAL.key]))
    result, *_ = search(tmp_path, ScriptedSampler([]), 0)
    assert result.baseline.trial.state is TrialState.COMPLETE


def test_ctrl_c_leaves_a_whole_journal(tmp_path):
    class Impatient(FakeMeter):
        def measure(self, model):
            if len(self.measured) == 2:
                raise KeyboardInterrupt
            return super().measure(model)

    plans = some_plans(3)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, ScriptedSampler(plans), 3, meter=Impatient())
    content = read_journal(tmp_path)
    assert (len(content.trials), len(content.artifacts)) == (2, 3)
    result, maker, *_ = search(tmp_path, ScriptedSampler(plans), 3)
    assert maker.made == [plans[2].key]
    assert len(result.trials) == 4
