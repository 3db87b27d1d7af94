"""What was not tried and may suit another demand better: believed, and true of simulated runs."""

import json
from dataclasses import replace

import pytest

from adadeep.core.cost import Provenance
from adadeep.core.demand import UserDemand
from adadeep.core.metric import ACCURACY_SCALE
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.space import restricted
from adadeep.study import proposal as module
from adadeep.study.proposal import proposal_as_json, proposal_line, propose, space_of
from adadeep.study.ranking import rank_anew
from adadeep.study.runs import KnownRun
from fakes.documented import undocumented
from fakes.lenet_run import LENET, played, truth, write_lenet_run
from fakes.profiled import lawful, profile
from fakes.search_parts import target_record

SEEDS = range(6)
PROMISES = {True: "may be within the limits", False: "may come nearer to the limits"}


def asked(folder, demand):
    """What is proposed for a demand in a run of one device."""
    ranking = rank_anew(KnownRun.at(folder), demand)
    return ranking, propose(ranking.content, ranking.targets[0])


def tight(of, share=0.5, loss=0.03):
    return UserDemand(
        max_accuracy_loss=loss, max_latency_ms=share * of.latency_ms(CompressionPlan())
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Truth and folder of a run of each seed."""
    made = []
    for seed in SEEDS:
        of = truth(seed)
        folder = tmp_path_factory.mktemp("runs") / str(seed)
        made.append((of, write_lenet_run(folder, of, played(of, 15))))
    return made


def found_by_seed(runs, share, loss=0.03):
    """Truth under the new demand, what was tried and what is proposed, by seed."""
    for of, folder in runs:
        demand = tight(of, share, loss)
        ranking, proposal = asked(folder, demand)
        yield truth(of.seed, demand), ranking.targets[0].result.trials, proposal


@pytest.mark.parametrize("share", [0.8, 0.5, 0.3])
def test_what_is_proposed_is_new_keeps_known_limits_and_mostly_beats_all_that_was_tried(
    runs, share
):
    better = 0
    proposals = [one for one in found_by_seed(runs, share) if one[-1]]
    assert len(proposals) >= 3
    for of, trials, proposal in proposals:
        assert proposal.plan not in [scored.trial.plan for scored in trials]
        known = of.known(proposal.plan)
        assert known.storage_bytes <= of.limits.max_storage_bytes
        assert known.energy_mj <= of.limits.max_energy_mj
        better += of.scored(proposal.plan).rank < min(scored.rank for scored in trials)
    assert better >= 0.7 * len(proposals)


def test_known_limits_are_kept_when_they_are_tight(runs):
    storage = LENET.model.parameter_storage_bytes * 0.05
    some = 0
    for of, folder in runs:
        _, proposal = asked(folder, UserDemand(max_accuracy_loss=0.03, max_storage_bytes=storage))
        some += proposal is not None
        assert proposal is None or proposal.storage_bytes.value <= storage
        assert proposal is None or of.network(proposal.plan).parameter_storage_bytes <= storage
    assert some


def test_it_says_what_it_is_believed_to_cost_and_that_nobody_measured_it(runs):
    of, _, proposal = next(one for one in found_by_seed(runs, 0.5) if one[-1])
    assert proposal.latency_ms.provenance is Provenance.FITTED
    assert proposal.latency_ms.value == pytest.approx(of.latency_ms(proposal.plan), rel=0.5)
    assert proposal.storage_bytes.provenance is Provenance.ANALYTIC
    assert proposal.storage_bytes.value == of.network(proposal.plan).parameter_storage_bytes
    line = proposal_line(proposal, ACCURACY_SCALE)
    assert line.startswith(f"untried: {proposal.plan.label} may earn 0.")
    assert "(fitted)" in line
    assert line.endswith("(analytic); not measured")
    document = proposal_as_json(proposal)
    assert [document[n]["provenance"] for n in ("accuracy_loss", "latency_ms")] == ["fitted"] * 2
    assert undocumented(json.loads(json.dumps(document))) == []


def test_where_nothing_tried_is_within_the_limits_it_is_to_keep_them_or_come_nearer(runs):
    some = 0
    for _, trials, proposal in found_by_seed(runs, 0.2):
        if all(not scored.reward.is_feasible for scored in trials) and proposal:
            some += 1
            assert proposal.reward_gain is None
            assert PROMISES[proposal.keeps_limits] in proposal_line(proposal, ACCURACY_SCALE)
    assert some


def test_the_same_run_and_demand_give_the_same_proposal(runs):
    of, folder = runs[3]
    first, second = (asked(folder, tight(of))[1] for _ in range(2))
    assert first is not None
    assert first == second


# ---- none


def test_what_was_tried_is_not_proposed(tmp_path):
    of = truth(3)
    plans = played(of, 15)
    demand = tight(of)
    while proposal := asked(write_lenet_run(tmp_path / str(len(plans)), of, plans), demand)[1]:
        assert proposal.plan not in plans
        plans.append(proposal.plan)
    assert 15 < len(plans) < 25


def test_of_few_plans_nothing_is_believed(tmp_path):
    of = truth(3)
    assert asked(write_lenet_run(tmp_path / "4", of, played(of, 4)), tight(of))[1] is None
    assert asked(write_lenet_run(tmp_path / "5", of, played(of, 5)), tight(of))[1] is not None


@pytest.mark.parametrize("space", ["", "01234567"])
def test_a_search_of_another_space_gets_none(tmp_path, space):
    """A technique of another package, or a run of before, which noted no --keep."""
    of = truth(3)
    folder = write_lenet_run(tmp_path / "run", of, played(of, 15), space=space)
    assert asked(folder, tight(of))[1] is None


def test_what_the_search_kept_is_kept(tmp_path):
    of = truth(3)
    plans = [plan for plan in played(of, 20) if plan.choice("conv2") == LayerChoice()][:6]
    whole = asked(write_lenet_run(tmp_path / "whole", of, plans), tight(of))[1]
    assert whole.plan.choice("conv2") != LayerChoice()
    folder = write_lenet_run(tmp_path / "run", of, plans, ("conv2",))
    ranking, proposal = asked(folder, tight(of))
    assert proposal.plan.choice("conv2") == LayerChoice()
    assert space_of(ranking.content) == restricted(LENET, ("conv2",))


def test_only_what_the_search_chose_among_is_chosen(tmp_path):
    of = truth(3)
    only = ("C2", "L3", "W1f", "int8")
    plans = [p for p in played(of, 30) if {c.technique for _, c in p.choices} <= {*only}][:6]
    folder = write_lenet_run(tmp_path / "run", of, plans, only=only)
    ranking, proposal = asked(folder, tight(of))
    assert {choice.technique for _, choice in proposal.plan.choices} <= {*only}
    assert space_of(ranking.content) == restricted(LENET, (), only)


def test_a_layer_that_is_not_there_costs_no_more_than_the_proposal(tmp_path):
    of = truth(3)
    folder = write_lenet_run(tmp_path / "run", of, played(of, 15))
    path = folder / "journal.jsonl"
    path.write_text(path.read_text().replace('"keep":[]', '"keep":["conv9"]'))
    ranking, proposal = asked(folder, tight(of))
    assert proposal is None
    assert ranking.targets[0].rows(5)


def test_a_network_too_large_to_be_asked_of_at_once_gets_none(runs, monkeypatch):
    monkeypatch.setattr(module, "_MOST_WORK", 10)
    of, folder = runs[3]
    assert asked(folder, tight(of))[1] is None


def test_each_device_has_its_own(tmp_path):
    of, targets = truth(3), [target_record(), target_record("Other box", "e" * 16)]
    folder = write_lenet_run(tmp_path / "run", of, played(of, 15), targets=targets)
    impossible = UserDemand(max_storage_bytes=1.0)
    ranking = rank_anew(KnownRun.at(folder), tight(of), {"Other box": impossible})
    first, second = (propose(ranking.content, target) for target in ranking.targets)
    assert first is not None
    assert second is None


def test_a_profile_of_the_device_lets_expect_times(tmp_path, monkeypatch):
    """Its table has the same law as `fakes.profiled`; the run's times come from elsewhere."""
    of = truth(3)
    folder = write_lenet_run(tmp_path / "run", of, played(of, 15))
    asked_for = []
    monkeypatch.setattr(module, "profile_of", lambda facts, _: asked_for.append(facts))
    plain = asked(folder, tight(of))[1]
    assert asked_for == [target_record().facts]
    entries = lawful()
    way = replace(entries[0].measurement.agent, runtime=target_record().target.runtime)
    entries = [replace(e, measurement=replace(e.measurement, agent=way)) for e in entries]
    monkeypatch.setattr(module, "profile_of", lambda *_: profile(*entries))
    told = asked(folder, tight(of))[1]
    assert None not in (plain, told)
    assert plain.latency_ms.value != told.latency_ms.value
