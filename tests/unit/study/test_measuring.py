"""What a study measures beside what, and how latencies are made of ratios."""

import dataclasses
import math
import random

import numpy as np
import pytest

from adadeep.core.cost import Provenance
from adadeep.core.demand import UserDemand
from adadeep.core.errors import AgentError, ConfigError
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.noise import PRIOR
from adadeep.core.noise_plans import Offered
from adadeep.core.noise_pool import Like
from adadeep.core.plan import CompressionPlan
from adadeep.core.scores import SampleScores
from adadeep.core.trial import TrialState
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.records import HeldTest, JournalContent
from adadeep.study.contest import contest_of
from adadeep.study.finalists import conclusion_of, to_meet
from adadeep.study.measuring import Place, cold_bytes, drift_of
from adadeep.study.ratios import TargetRatios
from adadeep.study.references import SHARP, Reference, chosen, sharp_model, sharp_sha256
from adadeep.study.trials import Reading, scored, trial_on
from adadeep.study.verdicts import Judge
from adadeep.testing.measurements import usual_ns
from fakes.noise_worlds import Model, World
from fakes.search_parts import FakeBench, model_of, target_record
from unit.study.test_study import ScriptedSampler, heard, search, seeded, some_plans

INITIAL = CompressionPlan()
FAST = UserDemand(
    max_latency_ms=2.0, accuracy_weight=0.0, energy_weight=0.0, storage_weight=0.0
)  # latency alone counts
SHARP_MODEL = sharp_model()


class Noisy(FakeBench):
    """Every run of a session takes longer or shorter, and the ratios of two models stray, too."""

    def __init__(self, seed=0):
        super().__init__()
        self.random = random.Random(seed)

    def measure(self, models, plan, launches=1):
        self.slower = self.random.uniform(0.7, 1.4)
        for model in models:
            stray = self.random.uniform(0.97, 1.03)
            self.times_ns[model] = round(stray * usual_ns(model))
        return super().measure(models, plan, launches)


def test_the_unit_is_the_initial_network_measured_in_three_launches_beside_the_sharp_one(tmp_path):
    did = search(tmp_path, seeded(0), 0)
    (unit,) = did.content.units.values()
    assert did.bench.sessions == [((model_of(INITIAL), SHARP_MODEL), 3)]
    assert unit.latency.is_initial
    assert unit.latency.latency_ms == pytest.approx(usual_ns(model_of(INITIAL)) / 1e6)
    assert unit.latency.low_ms < unit.latency.latency_ms < unit.latency.high_ms
    assert list(unit.sessions) == list(did.content.measured)
    assert did.watching.units == {"Fake box": (unit, 1.0)}


def test_candidates_run_beside_references_that_the_graph_knows(tmp_path):
    plans = some_plans(3)
    bench = FakeBench()
    for plan, ms in zip(plans, (0.3, 0.9, 0.9), strict=True):
        bench.times_ns[model_of(plan)] = round(ms * 1e6)
    search(tmp_path, ScriptedSampler(plans), 3, benches=[bench], demand=FAST)
    beside = [models[1:] for models, launches in bench.sessions if launches == 1]
    assert set(beside[0]) == {SHARP_MODEL, model_of(INITIAL)}
    for references in beside[1:]:
        assert len(references) == 2
        assert set(references) <= {SHARP_MODEL, model_of(plans[0]), model_of(INITIAL)}


def test_what_the_sharp_reference_strayed_meanwhile_makes_the_units_interval_narrower():
    reference, initial = Model("r", 0.1), Model("initial", 0.12)
    world = World(0, deviation=0.05, seconds=2000)
    taught = [world.session([reference, initial], 60.0 * n) for n in range(20)]
    noise = PRIOR.updated(taught[:1], {reference.sha}).updated(taught[1:])
    place = Place(JournalContent(), target_record(), "training", noise, lambda _: True)
    session = world.session([initial, reference], 1800)
    unit, alone = place.unit_of(session), noise.latency(session.measurements[:1])
    assert unit.latency.latency_ms == alone.median_ms
    assert unit.latency.low_ms <= alone.median_ms <= unit.latency.high_ms
    width = math.log(unit.latency.high_ms / unit.latency.low_ms)
    assert width < 0.8 * math.log(alone.high_ms / alone.low_ms)
    centre = math.log(initial.ms) + world.level.mean()
    assert math.log(unit.latency.low_ms) <= centre <= math.log(unit.latency.high_ms)


class Planned(FakeBench):
    """Remembers how it was asked to measure; its blocks or its placements scatter."""

    def __init__(self, white, placement):
        super().__init__()
        self.plans = []
        scattered = [
            dataclasses.replace(one, white_sd=white, placement_sd=placement)
            for one in PRIOR.references
        ]
        self.noise = dataclasses.replace(PRIOR, references=tuple(scattered))

    def measure(self, models, plan, launches=1):
        self.plans.append(plan)
        return super().measure(models, plan, launches)


def test_how_sessions_go_follows_from_the_devices_noise(tmp_path):
    still, wild = Planned(0.02, 0.0005), Planned(0.005, 0.05)
    for name, bench in (("still", still), ("wild", wild)):
        search(tmp_path / name, ScriptedSampler(some_plans(2)), 2, benches=[bench], demand=FAST)
        assert [launches for _, launches in bench.sessions][:2] == [3, 1]
    for few, many in zip(still.plans, wild.plans, strict=True):  # the unit, candidates, finalists
        assert few.placements < many.placements
        assert few.placement_ms > many.placement_ms
    assert max(plan.max_ms for plan in (still.plans[1], wild.plans[1])) <= 1000


def test_what_a_candidate_may_take_counts_as_long_as_the_unit(tmp_path):
    bench = Planned(0.01, 0.01)
    bench.times_ns = {model_of(INITIAL): 60_000_000}
    search(tmp_path, ScriptedSampler(some_plans(1)), 1, benches=[bench], demand=FAST)
    usual = Planned(0.01, 0.01)
    search(tmp_path / "usual", ScriptedSampler(some_plans(1)), 1, benches=[usual], demand=FAST)
    assert bench.plans[1].placements < usual.plans[1].placements


def test_a_reference_that_runs_longer_than_a_block_would_cost_more_than_its_candidate():
    times = {SHARP: 0.1, "best": 30.0, "initial": 10.0}
    known = [Reference(name, Offered(Like(10_000, ms))) for name, ms in times.items()]

    def beside(block_ms):
        return set(chosen(known, PRIOR, 10_000, MeasuringPlan(block_ms=block_ms)))

    assert beside(15.0) == {SHARP, "initial"}
    assert beside(5.0) == {SHARP}
    assert len(beside(50.0)) == 2


def test_a_latency_is_the_units_times_the_ratio_however_fast_the_device_was(tmp_path):
    plan = some_plans(1)[0]
    bench = FakeBench()
    search(tmp_path, ScriptedSampler([]), 0, benches=[bench])
    bench = FakeBench()
    bench.slower = 1.5
    did = search(tmp_path, ScriptedSampler([plan]), 1, benches=[bench])
    latency = did.trial(plan).cost.latency_ms
    true = usual_ns(model_of(plan)) / usual_ns(model_of(INITIAL))
    assert latency.value == pytest.approx(usual_ns(model_of(plan)) / 1e6, rel=1e-4)
    assert latency.ratio.low <= true <= latency.ratio.high
    wide, narrow = latency.high / latency.low, latency.ratio.high / latency.ratio.low
    assert wide > narrow  # the unit's own uncertainty is in the one and not in the other


def test_a_device_that_became_slower_is_told_once_and_verdicts_in_ms_allow_for_it(tmp_path):
    plans = some_plans(2)
    limit = UserDemand(max_latency_ms=2.0)
    first = search(tmp_path, ScriptedSampler(plans[:1]), 1, demand=limit)
    bench = FakeBench()
    bench.slower = 1.08
    did = search(tmp_path, ScriptedSampler(plans), 2, benches=[bench], demand=limit)
    assert [n for n in did.watching.notes if "Fake box is 8.0 % slower than when" in n]
    key = did.bench.record.key
    assert drift_of(did.content, key) == pytest.approx(1.08, rel=1e-3)
    assert did.content.units == first.content.units
    assert did.trial(plans[0]).cost.latency_ms.value == pytest.approx(
        first.trial(plans[0]).cost.latency_ms.value, rel=1e-6
    )
    before, after = (latency_verdict(one, plans[0]) for one in (first, did))
    assert after.high == pytest.approx(1.08 * before.high, rel=0.01)
    assert after.low == pytest.approx(before.low, rel=0.01)
    assert "1.08 times as long now" in after.basis


def test_a_resumed_search_that_measures_nothing_new_measures_no_unit_either(tmp_path):
    plans = some_plans(2)
    search(tmp_path, ScriptedSampler(plans), 2)
    did = search(tmp_path, ScriptedSampler(plans), 2)
    assert did.bench.sessions == []
    assert did.content.units_later == {}


def latency_verdict(did, plan):
    (scorer,) = did.run.scorers
    judge = Judge(0.02, scorer.limits, scorer.baseline, did.content)
    return judge.verdicts(scorer.score(did.content, did.content.trials[plan.key])).latency_ms


def test_a_limit_that_the_initial_network_set_is_judged_by_the_ratio_alone(tmp_path):
    plan = some_plans(1)[0]
    bench = FakeBench()
    bench.times_ns[model_of(plan)] = round(0.9 * usual_ns(model_of(INITIAL)))
    did = search(tmp_path, ScriptedSampler([plan]), 1, benches=[bench], demand=UserDemand())
    own = did.run.scorers[0].limits.max_latency_ms
    assert latency_verdict(did, plan).text == "met"
    given = search(
        tmp_path, ScriptedSampler([plan]), 1, demand=UserDemand(max_latency_ms=own * 1.0001)
    )
    assert latency_verdict(given, plan).text == "open, within"


def test_what_a_sampler_was_told_stays_though_later_sessions_make_ratios_sharper(tmp_path):
    plans = some_plans(6)
    first = ScriptedSampler(plans)
    search(tmp_path, first, 4, benches=[Noisy()])
    again = ScriptedSampler(plans)
    did = search(tmp_path, again, 6, benches=[Noisy(7)])
    assert heard(again.told[:4]) == heard(first.told[:4])
    record, (scorer,) = did.content.trials[plans[0].key], did.run.scorers
    told = scored(did.content, record, did.run.scorers).scores[0].trial.cost.latency_ms
    final = scorer.score(did.content, record).trial.cost.latency_ms
    assert told.value != final.value
    assert final.ratio.high / final.ratio.low < told.ratio.high / told.ratio.low


def test_ratios_of_models_that_never_met_come_by_what_links_them(tmp_path):
    plans, bench = some_plans(3), FakeBench()
    bench.times_ns = {model_of(plans[0]): 300_000}
    did = search(tmp_path, ScriptedSampler(plans), 3, benches=[bench], demand=FAST)
    ratios = TargetRatios(did.content, did.bench.record.key)
    one, other = (did.content.artifact_of(plan.key).model_sha256 for plan in plans[1:])
    assert not [s for s in did.content.measured.values() if s.of(one) and s.of(other)]
    true = usual_ns(model_of(plans[1])) / usual_ns(model_of(plans[2]))
    assert ratios.between(one, other).value == pytest.approx(true, rel=1e-4)
    assert ratios.between(one, "0" * 64) is None


# ---- the initial network can't run


def refusing(code="unsupported_op"):
    bench = FakeBench()
    bench.refused[model_of(INITIAL)] = code
    return bench


def test_where_the_initial_network_cannot_run_a_reference_is_the_unit(tmp_path):
    plan = some_plans(1)[0]
    did = search(tmp_path, ScriptedSampler([plan]), 1, benches=[refusing("out_of_memory")])
    (unit,) = did.content.units.values()
    assert (unit.model_sha256, unit.latency.is_initial) == (sharp_sha256(), False)
    assert "can't run it" in unit.reason
    initial, tried = did.trial(INITIAL), did.trial(plan)
    assert initial.cost.latency_ms.provenance is Provenance.UNAVAILABLE
    assert tried.state is TrialState.COMPLETE
    assert tried.cost.latency_ms.value == pytest.approx(usual_ns(model_of(plan)) / 1e6, rel=1e-4)
    assert tried.cost.latency_ms.ratio is None  # there is nothing that it is a speed-up of
    again = search(tmp_path, ScriptedSampler([plan]), 1, benches=[refusing("out_of_memory")])
    assert again.bench.sessions == []
    assert again.content == did.content


def test_without_a_limit_that_the_initial_network_can_not_set_the_search_ends_and_says_so(
    tmp_path,
):
    with pytest.raises(ConfigError, match=r"can't be measured on Fake box.*give --max-latency\."):
        search(tmp_path, ScriptedSampler([]), 0, benches=[refusing()], demand=UserDemand())


def test_a_device_that_can_not_even_run_the_reference_ends_the_search(tmp_path):
    bench = refusing("runtime_crashed")
    bench.refused[SHARP_MODEL] = "runtime_crashed"
    with pytest.raises(AgentError):
        search(tmp_path, ScriptedSampler([]), 0, benches=[bench])


def test_every_plan_within_the_limits_wins_before_an_initial_network_that_can_not_run(tmp_path):
    plans = some_plans(2)
    did = search(tmp_path, ScriptedSampler(plans), 2, benches=[refusing()])
    contest = contest_in(did, tmp_path)
    assert conclusion_of(contest).winner.trial.plan in plans
    verdict = contest.judge.verdicts(contest.result.baseline).latency_ms
    assert (verdict.estimate, verdict.is_within) == (None, False)


# ---- what fails


def test_a_candidate_that_fails_beside_references_is_tried_beside_the_sharp_one_alone(tmp_path):
    plan = some_plans(1)[0]

    class Small(FakeBench):
        def measure(self, models, plan, launches=1):
            if len(models) > 2:
                raise AgentError("Fake box: 3 models need 9 GB", "out_of_memory")
            return super().measure(models, plan, launches)

    did = search(tmp_path, ScriptedSampler([plan]), 1, benches=[Small()])
    assert did.trial(plan).state is TrialState.COMPLETE
    assert did.bench.sessions[-1][0] == (model_of(plan), SHARP_MODEL)


@pytest.mark.parametrize("code", ["slept", "clock_jumped"])
def test_a_session_in_which_time_went_wrong_is_measured_again_once(tmp_path, code):
    plan = some_plans(1)[0]

    class Sleepy(FakeBench):
        slept = 0

        def measure(self, models, plan, launches=1):
            if launches == 1 and self.slept < self.sleeps:
                self.slept += 1
                raise AgentError("Fake box: it slept.", code)
            return super().measure(models, plan, launches)

    bench = Sleepy()
    bench.sleeps = 1
    did = search(tmp_path / "once", ScriptedSampler([plan]), 1, benches=[bench])
    assert did.trial(plan).state is TrialState.COMPLETE
    assert "It is measured again" in did.watching.notes[0]
    bench = Sleepy()
    bench.sleeps = 9
    with pytest.raises(AgentError):
        search(tmp_path / "always", ScriptedSampler([plan]), 1, benches=[bench])


# ---- statistics


def test_cold_runs_are_measured_where_a_demand_names_them_and_once_more_where_they_lack(tmp_path):
    plan = some_plans(1)[0]

    class Cold(FakeBench):
        def measure(self, models, plan, launches=1):
            session = super().measure(models, plan, launches)
            if not plan.cold_runs:
                return session
            assert plan.cold_bytes == cold_bytes(self.record.facts)
            made = tuple(
                dataclasses.replace(m, placements=tuple(
                    dataclasses.replace(p, cold_ns=(2 * p.first_ns,)) for p in m.placements
                ))
                for m in session.measurements
            )  # fmt: skip
            return dataclasses.replace(session, measurements=made)

    warm = search(tmp_path, ScriptedSampler([plan]), 1, benches=[Cold()])
    assert {s.plan.cold_runs for s in warm.content.measured.values()} == {0}
    cold = UserDemand(max_latency_ms=100.0, latency_statistic="cold")
    did = search(tmp_path, ScriptedSampler([plan]), 1, benches=[Cold()], demand=cold)
    assert did.crew.made == []
    target, record = did.bench.record, did.content.trials[plan.key]
    told = trial_on(did.content, record, target, Reading("cold")).cost.latency_ms
    plain = trial_on(did.content, record, target).cost.latency_ms
    assert told.value == pytest.approx(2 * plain.value, rel=1e-6)
    assert (told.statistic, plain.statistic) == ("cold", "median")


def test_a_percentile_is_the_plans_own_over_its_median(tmp_path):
    plan = some_plans(1)[0]

    class Jittery(FakeBench):
        def measure(self, models, plan, launches=1):
            session = super().measure(models, plan, launches)

            def slow(block):
                (ns, *_), n = block.times_ns, 40
                return dataclasses.replace(block, times_ns=(ns,) * (n - 4) + (3 * ns,) * 4)

            made = tuple(
                dataclasses.replace(m, placements=tuple(
                    dataclasses.replace(p, blocks=tuple(map(slow, p.blocks)))
                    for p in m.placements
                ))
                for m in session.measurements
            )  # fmt: skip
            return dataclasses.replace(session, measurements=made)

    demand = UserDemand(max_latency_ms=100.0, latency_statistic="p95")
    did = search(tmp_path, ScriptedSampler([plan]), 1, benches=[Jittery()], demand=demand)
    (scorer,) = did.run.scorers
    latency = scorer.score(did.content, did.content.trials[plan.key]).trial.cost.latency_ms
    assert latency.statistic == "p95"
    assert latency.value == pytest.approx(3 * usual_ns(model_of(plan)) / 1e6, rel=1e-4)
    assert "measured, p95" in latency_verdict(did, plan).basis


# ---- finalists


def contest_in(did, folder):
    (scorer,) = did.run.scorers
    store = ArtifactStore(folder / "models")
    return contest_of(did.content, store, scorer, [scorer.demand])


def test_the_three_best_meet_the_initial_network_and_each_other_once(tmp_path):
    plans = some_plans(5)
    did = search(tmp_path, ScriptedSampler(plans), 5)
    meeting = to_meet(contest_in(did, tmp_path))
    assert len(meeting) == 4
    assert meeting[-1] == did.content.artifact_of(INITIAL.key).model_sha256
    assert all(did.content.artifacts for _ in meeting)


def rivals(tmp_path, ms):
    """What is as good as the winner, which takes 0.5 ms, of a plan that takes so long."""
    plans = [CompressionPlan(precision="int8"), some_plans(1)[0]]
    bench = FakeBench()
    for plan, one in zip(plans, (0.5, ms), strict=True):
        bench.times_ns[model_of(plan)] = round(one * 1e6)
    did = search(tmp_path, ScriptedSampler(plans), 2, benches=[bench], demand=FAST)
    right = SampleScores.of(np.ones(6000, dtype=bool))
    for number, plan in enumerate((INITIAL, *plans)):
        sha256, tail = did.content.artifact_of(plan.key).model_sha256, 0.01 * (number > 0)
        did.content.take(HeldTest(plan.key, sha256, number, tail, right))
    conclusion = conclusion_of(contest_in(did, tmp_path))
    assert conclusion.winner.trial.plan == plans[0]
    return [rival.scored.trial.plan for rival in conclusion.rivals], plans


def test_a_plan_whose_latency_can_not_be_told_from_the_winners_is_as_good(tmp_path):
    near, plans = rivals(tmp_path / "near", 0.5005)
    assert near == plans[1:]
    far, _ = rivals(tmp_path / "far", 1.0)
    assert far == []


def test_a_journal_without_units_has_no_latencies():
    content = JournalContent()
    assert TargetRatios(content, "0" * 8).to_unit("0" * 64) is None
    assert drift_of(content, "0" * 8) == 1.0
