"""The loop of a search: what is asked, evaluated, journalled and told, whatever comes between."""

import dataclasses

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
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.reward import floor_reward
from adadeep.core.search import KnownCosts, SearchContext, Stop
from adadeep.core.trial import TrialState
from adadeep.search.random_sampler import RandomSampler
from adadeep.search.registry import SAMPLERS
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.journal import Journal, read_journal
from adadeep.storage.records import Session
from adadeep.storage.siblings import SiblingRuns
from adadeep.study.episodes import Episodes
from adadeep.study.executors.registry import EXECUTORS
from adadeep.study.known import ruled_out
from adadeep.study.measurer import Workplace
from adadeep.study.pipeline import Pipeline
from adadeep.study.references import sharp_model
from adadeep.study.study import Study
from adadeep.study.takeover import Takeover
from adadeep.study.trials import scored, trial_on
from adadeep.testing.measurements import together, usual_ns
from adadeep.testing.spaces import SPACE
from fakes.clock import HandClock
from fakes.search_parts import FakeBench, FakeCrew, Watching, model_of

INITIAL = CompressionPlan()
LOOSE = UserDemand(max_latency_ms=100.0)


class ScriptedSampler:
    """Asks for the plans it was given, then stops; keeps what it was told."""

    def __init__(self, plans):
        self.plans, self.told, self.asked = list(plans), [], 0

    def ask(self):
        self.asked += 1
        return self.plans[self.asked - 1] if self.asked <= len(self.plans) else Stop("no more")

    def tell(self, scored):
        self.told.append(scored)


@dataclasses.dataclass
class Did:
    """What one process' life did."""

    run: object
    crew: FakeCrew
    bench: FakeBench
    watching: Watching
    content: object

    @property
    def plans(self):
        return [record.plan for record in self.content.trials.values()]

    def trial(self, plan, bench=None):
        bench = bench or self.bench
        target = self.content.targets[bench.record.key]
        return trial_on(self.content, self.content.trials[plan.key], target)


def search(folder, sampler, episodes, *, benches=None, demand=LOOSE, name="random", **options):
    """One process' life: opens the journal, runs, closes; returns what it did."""
    benches, watching = benches or [FakeBench()], Watching()
    look_ahead = options.get("look_ahead", 1)
    store = ArtifactStore(folder / "models")
    crew = FakeCrew(benches, store, options.get("failing", ()), options.get("make"))
    crew.keeps_networks = "takes_over" in options
    run = None
    with Journal.open(folder) as journal:
        journal.begin({"task": "fake"})
        for bench in benches:
            if bench.record.key not in journal.content.targets:
                journal.defer(bench.record)
        demands = {bench.record.key: demand for bench in benches}
        own = tuple(options.get("own_plans", ()))
        session = Session(name, "default", 0, look_ahead, demands, own_plans=own)
        executor = EXECUTORS.get(options.get("executor", "serial")).make(crew)
        basis = options.get("basis", "basis")
        place = Workplace(
            journal, store, executor, basis, note=watching.note,
            statistics=dict.fromkeys(demands, demand.latency_statistic),
        )  # fmt: skip
        if options.get("takes_over"):
            siblings = SiblingRuns(folder, journal.content.study)
            takeover = Takeover(siblings, store, journal.content)
            place = dataclasses.replace(place, elsewhere=takeover)
        pipeline = Pipeline(place, {bench.record.key: bench for bench in benches})
        known_costs = options.get("known_costs", lambda plan: None)

        def make(goals, baseline):
            watching.goals = goals
            if "make_sampler" in options:
                return options["make_sampler"](goals, baseline)
            return sampler() if callable(sampler) else sampler

        study = Study(
            journal, pipeline, session, make,
            lambda plan, goals: ruled_out(plan, goals, known_costs),
        )  # fmt: skip
        try:
            length = Episodes(episodes, options.get("until"), look_ahead)
            run = study.run(length, watching)
        except TransientDeviceError:
            if not options.get("may_leave"):
                raise
    return Did(run, crew, benches[0], watching, read_journal(folder) if run else journal.content)


def seeded(seed):
    return lambda: RandomSampler(SPACE, seed)


def some_plans(count, seed=0):
    sampler = RandomSampler(SPACE, seed)
    plans = []
    while len(plans) < count:
        plan = sampler.ask()
        if plan != INITIAL:
            plans.append(plan)
    return plans


def test_the_initial_network_is_tried_first_and_sets_the_limits(tmp_path):
    did = search(tmp_path, seeded(0), 3, demand=UserDemand())
    assert did.crew.made[0] == INITIAL.key
    assert did.watching.events[0].number == 0
    (scorer,) = did.run.scorers
    assert did.watching.known_limits == {"Fake box": scorer.limits}
    assert scorer.limits.max_latency_ms == scorer.baseline.trial.cost.latency_ms.value
    assert scorer.baseline.reward.is_feasible


def test_a_trial_says_how_its_numbers_were_obtained(tmp_path):
    did = search(tmp_path, seeded(0), 1)
    cost = did.trial(INITIAL).cost
    assert cost.latency_ms.provenance is Provenance.MEASURED
    assert "Fake box" in cost.latency_ms.source
    assert cost.energy_mj.provenance is Provenance.ANALYTIC


def test_a_plan_asked_twice_is_evaluated_once_and_told_twice(tmp_path):
    plan = some_plans(1)[0]
    sampler = ScriptedSampler([plan, plan, INITIAL])
    did = search(tmp_path, sampler, 3)
    assert sorted(did.crew.made) == sorted([INITIAL.key, plan.key])
    assert len(did.bench.measured) == 2
    assert [event.known for event in did.watching.events] == [False, False, True, True]
    assert sampler.told[0] == sampler.told[1]
    assert len(did.plans) == 2


@pytest.mark.parametrize("executor", list(EXECUTORS))
@pytest.mark.parametrize("look_ahead", [1, 3])
def test_gone_on_with_it_asks_the_same_plans_and_evaluates_nothing_twice(
    tmp_path, executor, look_ahead
):
    options = {"executor": executor, "look_ahead": look_ahead}
    whole = search(tmp_path / "whole", seeded(4), 10, **options)
    first = search(tmp_path / "parts", seeded(4), 4, **options)
    resumed = search(tmp_path / "parts", seeded(4), 10, **options)
    assert resumed.plans == whole.plans
    assert resumed.content.asked == whole.content.asked == 10
    assert not set(first.crew.made) & set(resumed.crew.made)
    assert not set(first.bench.measured) & set(resumed.bench.measured)
    again = search(tmp_path / "parts", seeded(4), 10, **options)
    assert again.content == resumed.content
    assert again.crew.made == again.bench.measured == []


def test_the_same_look_ahead_gives_the_same_plans_in_every_executor(tmp_path):
    told = {}
    for executor in EXECUTORS:
        sampler = ScriptedSampler(some_plans(8))
        search(tmp_path / executor, sampler, 8, executor=executor, look_ahead=3)
        told[executor] = [
            (scored.plan, scored.reward, scored.costs[0].latency_ms.value)
            for scored in sampler.told
        ]
    assert all(what == told["serial"] for what in told.values())


def sampler_of(name, goals, baseline):
    return SAMPLERS.get(name).make(
        SearchContext(
            SPACE, goals, seed=3, preset=SAMPLERS.get(name).presets[0],
            known_costs=lambda plan: costs(800.0, 1.0), history=(baseline,),
        )
    )  # fmt: skip


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_every_sampler_asks_for_the_same_plans_in_every_executor(tmp_path, name):
    asked = {}
    for executor in EXECUTORS:
        did = search(
            tmp_path / executor, None, 8, executor=executor, look_ahead=3, name=name,
            make_sampler=lambda goals, baseline: sampler_of(name, goals, baseline),
        )  # fmt: skip
        (session,) = did.content.sessions
        asked[executor] = [ask.plan for ask in session.asks], did.run.stop, did.run.believed
    assert asked["serial"][0]
    assert all(what == asked["serial"] for what in asked.values())


def test_a_shorter_search_in_the_same_folder_loses_nothing(tmp_path):
    longer = search(tmp_path, seeded(4), 10)
    shorter = search(tmp_path, seeded(4), 3)
    assert shorter.content == longer.content
    assert shorter.watching.events[-1].best == longer.watching.events[-1].best
    assert shorter.crew.made == shorter.bench.measured == []


def test_another_sampler_in_the_same_folder_is_told_what_is_there_and_adds_to_it(tmp_path):
    first = search(tmp_path, seeded(4), 4)
    sampler = ScriptedSampler(some_plans(4, seed=9))
    second = search(tmp_path, sampler, 8, name="scripted")
    assert second.plans[: len(first.plans)] == first.plans
    assert len(second.plans) > len(first.plans)
    history = [scored.plan for scored in sampler.told][: len(first.plans) - 1]
    assert history == first.plans[1:]
    assert second.content.asked == 8


def test_episodes_count_what_was_asked_for_in_the_folder(tmp_path):
    search(tmp_path, seeded(4), 4)
    did = search(tmp_path, ScriptedSampler(some_plans(4)), 4, name="scripted")
    assert did.crew.made == []
    assert did.run.asked == 4


def test_a_sampler_that_asks_otherwise_goes_on_from_what_is_known(tmp_path):
    first = search(tmp_path, seeded(4), 4)
    sampler = seeded(7)
    second = search(tmp_path, sampler, 8)
    assert "asks otherwise" in second.watching.notes[0]
    assert second.plans[: len(first.plans)] == first.plans
    assert len(second.content.sessions) == 2
    again = search(tmp_path, sampler, 8)
    assert again.content == second.content
    assert again.watching.notes == []


def test_a_plan_outside_the_space_is_told_as_history(tmp_path):
    outside = CompressionPlan((("gone", LayerChoice("W9")),))
    search(tmp_path, ScriptedSampler([outside]), 1, name="other")
    did = search(tmp_path, seeded(0), 5)
    assert outside in did.plans
    assert len(did.plans) > 2


def test_when_the_time_is_over_no_other_plan_is_asked_for(tmp_path):
    clock = HandClock()

    def slow(_plan):
        clock.time += 10

    sampler, until = ScriptedSampler(some_plans(9)), Deadline.after(35, clock)
    did = search(tmp_path, sampler, 9, until=until, make=slow)
    assert did.run.asked == len(sampler.told) == 3  # the initial network took the first ten


def test_a_sampler_that_stops_ends_the_search_once_all_is_told(tmp_path):
    sampler = ScriptedSampler(some_plans(3))
    did = search(tmp_path, sampler, 9, look_ahead=2)
    assert (did.run.stop, len(sampler.told), did.run.asked) == ("no more", 3, 3)


def test_a_device_that_goes_away_costs_neither_networks_nor_measurements(tmp_path):
    plans = some_plans(4)
    bench = FakeBench()
    bench.gone_after = 3
    lost = search(tmp_path, ScriptedSampler(plans), 4, benches=[bench], may_leave=True)
    assert lost.run is None
    assert len(read_journal(tmp_path).trials) == 3
    resumed = search(tmp_path, ScriptedSampler(plans), 4)
    # The network whose measurement failed was made before: only the last one is made now.
    assert resumed.crew.made == [plans[3].key]
    assert len(resumed.bench.measured) == 2
    assert len(resumed.plans) == 5


def test_what_the_device_kept_for_a_dead_host_is_taken_and_acknowledged(tmp_path):
    plans = some_plans(2)
    bench = FakeBench()
    bench.gone_after = 2  # the third is lost on the way
    search(tmp_path, ScriptedSampler(plans), 2, benches=[bench], may_leave=True)
    bench = FakeBench()
    kept = together([model_of(plans[1]), sharp_model()], [777_000, usual_ns(sharp_model())])
    foreign = together([b"of another search", sharp_model()])
    bench.recovered = (kept, foreign)
    did = search(tmp_path, ScriptedSampler(plans), 2, benches=[bench])
    assert bench.measured == []
    assert bench.acknowledged == [kept.id]
    assert did.trial(plans[1]).cost.latency_ms.value == pytest.approx(0.777)
    assert did.trial(plans[1]).session == kept.id
    assert foreign.id not in did.content.measured


def test_a_lost_model_file_is_made_again_but_not_measured_again(tmp_path):
    search(tmp_path, ScriptedSampler([]), 0)
    for path in (tmp_path / "models").iterdir():
        path.unlink()
    lines = (tmp_path / "journal.jsonl").read_text().splitlines(keepends=True)
    kept = [line for line in lines if '"kind":"trial"' not in line]
    (tmp_path / "journal.jsonl").write_text("".join(kept))
    did = search(tmp_path, ScriptedSampler([]), 0)
    assert did.crew.made == [INITIAL.key]
    assert did.bench.measured == []


def test_a_network_that_cannot_be_converted_is_a_failed_trial_with_the_floor_reward(tmp_path):
    bad, good = some_plans(2)
    sampler = ScriptedSampler([bad, good, bad])
    did = search(tmp_path, sampler, 3, failing=[bad.key])
    trial = did.trial(bad)
    assert trial.state is TrialState.FAILED
    assert trial.reason == "ConversionError: no such operator"
    floor = floor_reward(LOOSE)
    assert (sampler.told[0].plan, sampler.told[0].reward) == (bad, floor)
    assert did.crew.made.count(bad.key) == 1
    assert did.watching.events[-1].best.plan != bad


def test_a_technique_that_does_not_apply_is_a_failed_trial(tmp_path):
    def picky(plan):
        if plan.choices:
            raise TechniqueNotApplicable("fc1 is no convolution")

    plan = some_plans(1)[0]
    did = search(tmp_path, ScriptedSampler([plan]), 1, make=picky)
    assert "fc1 is no convolution" in did.trial(plan).reason


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
    bench = FakeBench()
    bench.refused[model_of(bad)] = code
    did = search(tmp_path, ScriptedSampler([bad]), 1, benches=[bench])
    assert did.trial(bad).state is TrialState.FAILED


@pytest.mark.parametrize("code", ["no_space", "no_runtime", "busy"])
def test_a_device_that_can_take_no_model_at_all_ends_the_search(tmp_path, code):
    bad = some_plans(1)[0]
    bench = FakeBench()
    bench.refused[model_of(bad)] = code
    with pytest.raises(AgentError):
        search(tmp_path, ScriptedSampler([bad]), 1, benches=[bench])
    assert set(read_journal(tmp_path).trials) == {INITIAL.key}


def test_an_initial_network_that_fails_ends_the_search_and_is_tried_again_next_time(tmp_path):
    with pytest.raises(AdaDeepError, match="initial network can't be used: ConversionError"):
        search(tmp_path, ScriptedSampler([]), 0, failing=[INITIAL.key])
    did = search(tmp_path, ScriptedSampler([]), 0)
    assert did.trial(INITIAL).state is TrialState.COMPLETE


def test_ctrl_c_leaves_a_whole_journal(tmp_path):
    class Impatient(FakeBench):
        def measure(self, models, plan, launches=1):
            if len(self.measured) == 2:
                raise KeyboardInterrupt
            return super().measure(models, plan, launches)

    plans = some_plans(3)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, ScriptedSampler(plans), 3, benches=[Impatient()])
    content = read_journal(tmp_path)
    assert (len(content.trials), len(content.artifacts)) == (2, 3)
    did = search(tmp_path, ScriptedSampler(plans), 3)
    assert did.crew.made == [plans[2].key]
    assert len(did.plans) == 4


# ---- several devices


def two():
    return [FakeBench(), FakeBench("Other box", "e" * 16)]


def test_one_training_a_plan_serves_every_device_and_the_mean_drives_the_search(tmp_path):
    plans, (one, other) = some_plans(3), two()
    sampler = ScriptedSampler(plans)
    did = search(tmp_path, sampler, 3, benches=[one, other])
    assert len(did.crew.made) == 4
    assert one.measured == other.measured
    assert [goal.target for goal in did.watching.goals] == [one.record.key, other.record.key]
    told = sampler.told[0]
    assert len(told.scores) == 2
    assert told.reward.total == pytest.approx(sum(s.reward.total for s in told.scores) / 2)


def test_a_device_that_leaves_is_caught_up_later_and_the_others_go_on(tmp_path):
    plans, (one, other) = some_plans(3), two()
    other.gone_after = 2
    sampler = ScriptedSampler(plans)
    did = search(tmp_path, sampler, 3, benches=[one, other])
    assert did.run.left == ("Other box",)
    assert [len(scored.scores) for scored in sampler.told] == [2, 1, 1]
    assert did.trial(plans[2], other).state is TrialState.INCOMPLETE
    assert did.trial(plans[2], one).state is TrialState.COMPLETE
    one, other = two()
    again = search(tmp_path, ScriptedSampler(plans), 3, benches=[one, other])
    assert again.crew.made == one.measured == []
    assert len(other.measured) == 2
    assert again.trial(plans[2], other).state is TrialState.COMPLETE


def heard(told):
    """Without how long it took, which grows as a device catches up."""
    scores = [[(dataclasses.replace(s.trial, seconds=0.0), s.reward) for s in scored.scores]
              for scored in told]  # fmt: skip
    assert all(scores)
    return scores


def test_a_device_that_catches_up_later_does_not_change_what_a_resumed_sampler_hears(tmp_path):
    plans, (one, other) = some_plans(4), two()
    other.gone_after = 2
    first = ScriptedSampler(plans)
    search(tmp_path, first, 3, benches=[one, other])
    again = ScriptedSampler(plans)
    did = search(tmp_path, again, 4, benches=two())
    assert did.trial(plans[2], other).state is TrialState.COMPLETE
    assert heard(again.told[:3]) == heard(first.told)
    assert [len(scored.scores) for scored in again.told] == [2, 1, 1, 2]
    told = {number: told.targets for number, told in did.content.sessions[0].told.items()}
    both = (one.record.key, other.record.key)
    assert told == {1: both, 2: both[:1], 3: both[:1], 4: both}


class Fickle(RandomSampler):
    """Asks by what it heard: by the sum of the rewards, and by how many there were."""

    def __init__(self, told=()):
        super().__init__(SPACE, 0)
        self.heard = list(told)

    def ask(self):
        numbers = [s.reward.total for scored in self.heard for s in scored.scores]
        return some_plans(1, seed=abs(hash((len(numbers), round(sum(numbers), 9)))) % 1000)[0]

    def tell(self, scored):
        self.heard.append(scored)


def test_a_sampler_that_asks_by_what_it_heard_asks_the_same_once_all_has_caught_up(tmp_path):
    one, other = two()
    other.gone_after = 2
    before = search(tmp_path, Fickle, 5, benches=[one, other])
    did = search(tmp_path, Fickle, 8, benches=two())
    assert did.watching.notes == []
    assert len(did.content.sessions) == 1
    assert did.content.sessions[0].asks[:5] == before.content.sessions[0].asks
    again = search(tmp_path, Fickle, 8, benches=two())
    assert again.content == did.content


def test_what_was_known_before_a_session_is_heard_again_as_it_was_then(tmp_path):
    plans, (one, other) = some_plans(5), two()
    other.gone_after = 2
    search(tmp_path, ScriptedSampler(plans[:3]), 3, benches=[one, other])
    one, other = two()
    other.gone_after = 1  # it catches up with one plan, and is gone again
    first = ScriptedSampler(plans[3:])
    did = search(tmp_path, first, 4, benches=[one, other], name="another")
    assert [len(scored.scores) for scored in first.told] == [2, 2, 1, 1]
    assert list(did.content.sessions[-1].told) == [plans[2].key, 4]
    again = ScriptedSampler(plans[3:])
    did = search(tmp_path, again, 5, benches=two(), name="another")
    assert heard(again.told[:4]) == heard(first.told)
    assert len(again.told[4].scores) == 2
    assert did.trial(plans[2], other).state is TrialState.COMPLETE


def test_what_was_heard_to_be_incomplete_stays_so_for_the_sampler(tmp_path):
    plan, bench = some_plans(1)[0], FakeBench()
    did = search(tmp_path, ScriptedSampler([plan]), 1, benches=[bench], demand=UserDemand())
    record = did.content.trials[plan.key]
    now = scored(did.content, record, did.run.scorers)
    then = scored(did.content, record, did.run.scorers, ())
    assert (now.state, then.state) == (TrialState.COMPLETE, TrialState.INCOMPLETE)
    assert then.scores[0].trial.cost is None
    assert then.reward == floor_reward(UserDemand())
    gone = scored(did.content, record, did.run.scorers, ("0" * 8,))
    assert gone == now  # that target is not searched for now


def test_what_the_sampler_believes_is_told_of_every_trial_that_it_can_tell(tmp_path):
    plans = some_plans(3)

    class Believing(ScriptedSampler):
        def believed_quality(self, plan):
            return {plans[0]: 0.5, plans[1]: float("nan"), plans[2]: 1.5}.get(plan)

    did = search(tmp_path, Believing(plans), 3)
    assert did.run.believed == {plans[0].key: 0.5}
    assert search(tmp_path, ScriptedSampler(plans), 3).run.believed == {}


def test_a_device_that_comes_later_measures_what_is_recorded_without_training(tmp_path):
    search(tmp_path, seeded(4), 5)
    later = FakeBench("Other box", "e" * 16)
    did = search(tmp_path, seeded(4), 5, benches=[later])
    assert did.crew.made == []
    assert len(later.measured) == len(did.plans)
    assert did.run.asked == 5
    assert [scorer.target.key for scorer in did.run.scorers] == [later.record.key]


def test_a_device_on_which_the_initial_network_fails_sets_no_limit_and_is_left_out(tmp_path):
    one, other = two()
    other.refused[model_of(INITIAL)] = "unsupported_op"
    did = search(tmp_path, seeded(4), 2, benches=[one, other], demand=UserDemand())
    assert "Other box is left out: the initial network can't be measured" in did.watching.notes[0]
    assert "give --max-latency." in did.watching.notes[0]
    assert [scorer.target.key for scorer in did.run.scorers] == [one.record.key]


# ---- known before tried


def costs(storage_bytes, energy_mj=0.0):
    return KnownCosts(1, storage_bytes, 1.0, energy_mj, 1.0)


def test_a_plan_whose_known_costs_break_a_limit_is_never_trained(tmp_path):
    big, small = some_plans(2)
    sampler = ScriptedSampler([big, small])
    demand = UserDemand(max_latency_ms=100.0, max_storage_bytes=2000.0)
    did = search(
        tmp_path, sampler, 2, demand=demand,
        known_costs=lambda plan: costs(2500.0 if plan == big else 1500.0),
    )  # fmt: skip
    assert big.key not in did.crew.made
    assert (sampler.told[0].state, sampler.told[1].state) == ("skipped", "complete")
    assert "S_p would be 2.5 kB, 2 kB allowed" in sampler.told[0].reason
    assert sampler.told[0].reward.violation == pytest.approx(0.25)
    assert [plan for plan, _ in did.run.skipped] == [big]
    assert did.content.asked == 2


def test_the_initial_network_is_tried_whatever_the_limits(tmp_path):
    demand = UserDemand(max_storage_bytes=1.0)
    did = search(
        tmp_path, ScriptedSampler([INITIAL]), 1, demand=demand, known_costs=lambda _: costs(9.0)
    )
    assert did.trial(INITIAL).state is TrialState.COMPLETE


def test_another_demand_may_try_what_one_has_ruled_out(tmp_path):
    plan = some_plans(1)[0]
    known = {"known_costs": lambda _: costs(2500.0)}
    tight = UserDemand(max_latency_ms=100.0, max_storage_bytes=2000.0)
    search(tmp_path, ScriptedSampler([plan]), 1, demand=tight, **known)
    did = search(tmp_path, ScriptedSampler([plan]), 2, **known)
    assert did.crew.made == [plan.key]
