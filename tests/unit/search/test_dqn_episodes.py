"""States, masks and walks of many plans in the making, against all plans of a small space."""

from dataclasses import replace

import numpy as np
import pytest

from adadeep.core.cost import Provenance, Quantity
from adadeep.search.dqn.config import DqnConfig, ImaginationConfig
from adadeep.search.dqn.episodes import EpisodeBatch, Policy
from adadeep.search.dqn.imagination import Imagination
from adadeep.search.dqn.network import QNetwork
from adadeep.search.dqn.outlook import Lookout, Prospects
from adadeep.search.dqn.wanted import Wishes, device_features
from adadeep.search.known_tables import additive_table
from adadeep.search.world import World
from adadeep.testing.spaces import SPACE
from fakes.simulated import Simulated

TRUTH = Simulated(seed=2)
PLANS = TRUTH.every_plan()
OPEN = 1e9


def narrowed(plan):
    """As `storage`, but L1 on conv halves whatever fc1 takes."""
    known = TRUTH.known(plan).storage_bytes
    if not plan.choice("conv").parameters:
        return known
    fc1 = next(own for own in TRUTH.layers(plan) if own[0].name == "fc1")
    return known - 0.5 * fc1[0].weights * fc1[2] * TRUTH.bits(plan) / 8


FORMULAS = {
    "S_p": lambda plan: TRUTH.known(plan).storage_bytes,
    "E": lambda plan: TRUTH.known(plan).energy_mj,
    "narrowed": narrowed,
}


def episodes(*formulas):
    return EpisodeBatch(SPACE, tuple(additive_table(SPACE, FORMULAS[name]) for name in formulas))


def values(name):
    return np.array([FORMULAS[name](SPACE.plan(row)) for row in PLANS.tolist()])


def wishes(rows, *known_bounds, loss=0.02, bound=0.5, weight=0.5):
    return Wishes(
        np.full((rows, 4), weight), np.full(rows, loss), np.full(rows, loss + 0.03),
        np.full((rows, 3), bound),
        np.array([np.full(rows, one) for one in known_bounds]).reshape(len(known_bounds), rows),
        np.zeros((rows, 6)),
    )  # fmt: skip


WORLD = World(TRUTH.context())
LOOKOUT = Lookout(WORLD)


def prospects(wish):
    """Of the world before anything is told."""
    outlook = LOOKOUT.of(WORLD.mean(), np.array(WORLD.initial_costs))
    return Prospects(LOOKOUT, outlook, wish)


def states_of(batch, plans, position, wish):
    look = prospects(wish).look(plans, position, batch.masks(batch.begun(plans, position), wish))
    return batch.states(batch.begun(plans, position), wish, look)


def walked(batch, wish, epsilon, seed=0, weights=None):
    drawn = np.random.default_rng(seed)
    policy = Policy(weights or network(batch), epsilon=epsilon)
    return batch.decided(policy, wish, prospects(wish), drawn)


def completions(decisions):
    """Which of all plans begin so."""
    return (PLANS[:, : len(decisions)] == decisions).all(axis=1)


@pytest.mark.parametrize("name", FORMULAS)
def test_the_least_total_is_that_of_the_best_completion(name):
    batch, totals = episodes(name), values(name)
    for position in range(len(SPACE.points)):
        found = batch._least_totals(0, batch.begun(PLANS, position))
        for plan, least in zip(PLANS, found, strict=True):
            best = totals[completions(plan[:position])].min()
            assert least == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("name", FORMULAS)
def test_an_action_is_open_exactly_where_a_completion_keeps_the_limit(name):
    """Where there is none, all that apply are."""
    batch, totals = episodes(name), values(name)
    for bound in np.quantile(totals, [0.0, 0.1, 0.3, 0.7, 1.0]):
        for position in range(len(SPACE.points)):
            masks = batch.masks(batch.begun(PLANS, position), wishes(len(PLANS), bound))
            for plan, mask in zip(PLANS.tolist(), masks, strict=True):
                before = plan[:position]
                applies = SPACE.mask(before)
                hopeful = [
                    a for a in np.flatnonzero(applies)
                    if (totals[completions([*before, a])] <= bound * (1 + 1e-9)).any()
                ]  # fmt: skip
                assert np.flatnonzero(mask).tolist() == (hopeful or [*np.flatnonzero(applies)])


def network(batch, seed=0):
    return QNetwork(batch.size, len(SPACE.actions), DqnConfig(), seed).weights


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 1.0])
def test_no_walk_breaks_a_known_limit_that_can_be_kept(epsilon):
    batch, totals = episodes("narrowed"), values("narrowed")
    table = additive_table(SPACE, narrowed)
    for share in (0.0, 0.05, 0.3):
        bound = np.quantile(totals, share)
        wish = wishes(100, bound)
        drawn = walked(batch, wish, epsilon)
        assert (table.values(drawn) <= bound * (1 + 1e-9)).all()
    assert (totals > np.quantile(totals, 0.3)).any()


def test_two_limits_are_to_be_kept_in_one_precision():
    """S_p calls for int8; what stands for E is less in float32 alone."""

    def heavier_in_int8(plan):
        return 1.0 if plan.precision == "float32" else 3.0

    tables = (additive_table(SPACE, FORMULAS["S_p"]), additive_table(SPACE, heavier_in_int8))
    batch = EpisodeBatch(SPACE, tables)
    is_float = PLANS[:, -1] == SPACE.points[-1].options[0]
    light = values("S_p")
    wish = wishes(50, light[is_float].min() * 1.2, 2.0)
    drawn = walked(batch, wish, 1.0, seed=1)
    assert (tables[0].values(drawn) <= light[is_float].min() * 1.2 + 1e-6).all()
    assert (tables[1].values(drawn) <= 2.0).all()


def test_without_known_costs_all_that_applies_is_open():
    batch = episodes()
    for position in range(len(SPACE.points)):
        masks = batch.masks(batch.begun(PLANS, position), wishes(len(PLANS)))
        for plan, mask in zip(PLANS.tolist(), masks, strict=True):
            np.testing.assert_array_equal(mask, SPACE.mask(plan[:position]))


def test_what_a_table_learns_opens_actions_in_the_next_walk():
    """Nobody could tell what W1f does to fc1; a plan shows that it saves all that is wanted."""
    fc1 = 1
    option = SPACE.points[fc1].options[1]
    hidden = SPACE.actions[option]
    table = additive_table(
        SPACE, lambda plan: None if plan.choice("fc1") == hidden else FORMULAS["S_p"](plan)
    )
    batch, totals, has_it = EpisodeBatch(SPACE, (table,)), values("S_p"), PLANS[:, fc1] == option
    alone = [table.values(PLANS[PLANS[:, 0] == one]).min() for one in SPACE.points[0].options]
    wish = wishes(len(PLANS), np.mean(alone))  # so far conv has to be compressed for that
    before = batch.masks(batch.begun(PLANS, 0), wish)
    table.learn(PLANS[has_it][totals[has_it].argmin()], 0.0)
    walked(batch, wish, 1.0)
    found, afresh = batch.masks(batch.begun(PLANS, 0), wish), EpisodeBatch(SPACE, (table,))
    np.testing.assert_array_equal(found, afresh.masks(afresh.begun(PLANS, 0), wish))
    assert found.sum() > before.sum()


def test_states_are_finite_and_of_the_size_said():
    batch = episodes("S_p", "E")
    extreme = wishes(len(PLANS), 1e-15, 1e12, loss=5.0, bound=1e9)
    for wish in (wishes(len(PLANS), 1000.0, 1e-4), extreme):
        for position in range(len(SPACE.points)):
            states = states_of(batch, PLANS, position, wish)
            assert states.shape == (len(PLANS), batch.size)
            assert states.dtype == np.float32
            assert np.abs(states).max() <= 4.0


def test_states_tell_apart_what_was_chosen_and_not_what_comes_after():
    batch, wish = episodes("S_p"), wishes(len(PLANS), 1000.0)
    for position in range(len(SPACE.points)):
        states = states_of(batch, PLANS, position, wish)
        prefixes = {tuple(plan[:position]) for plan in PLANS.tolist()}
        assert len(np.unique(states, axis=0)) == len(prefixes)


def test_states_differ_with_the_layer_the_demand_and_what_is_left_of_budgets():
    batch, plan = episodes("S_p"), PLANS[:1]
    states = [states_of(batch, plan, 0, wishes(1, 1000.0))] + [
        states_of(batch, plan, position, wish)
        for position, wish in [
            (1, wishes(1, 1000.0)),
            (0, wishes(1, 2000.0)),
            (0, wishes(1, 1000.0, loss=0.01)),
            (0, wishes(1, 1000.0, bound=0.25)),
            (0, wishes(1, 1000.0, weight=0.2)),
        ]
    ]
    assert len(np.unique(np.concatenate(states), axis=0)) == len(states)


def test_a_greedy_walk_takes_the_best_open_action_at_each_point():
    batch, wish = episodes("S_p"), wishes(1, np.quantile(values("S_p"), 0.2))
    weights = network(batch, seed=3)
    (plan,) = walked(batch, wish, 0.0, weights=weights)
    for position, action in enumerate(plan):
        mask = batch.masks(batch.begun(plan[np.newaxis], position), wish)[0]
        look = prospects(wish).look(plan[np.newaxis], position, mask[np.newaxis])
        state = batch.states(batch.begun(plan[np.newaxis], position), wish, look)
        q = weights.values(state)[0] + look.advice[0].sum(axis=1)
        assert action == max(np.flatnonzero(mask), key=lambda a: q[a])


def test_exploring_walks_reach_every_plan_that_keeps_the_limit():
    batch, totals = episodes("S_p"), values("S_p")
    bound = np.quantile(totals, 0.4)
    drawn = walked(batch, wishes(2000, bound), 1.0)
    kept = {tuple(row) for row in PLANS[totals <= bound * (1 + 1e-9)].tolist()}
    assert {tuple(row) for row in drawn.tolist()} == kept


@pytest.mark.parametrize("name", FORMULAS)
def test_plans_that_go_on_are_those_begun_one_decision_later(name):
    batch = episodes(name)
    begun = batch.begun(PLANS, 0)
    for position in range(1, len(SPACE.points)):
        begun, expected = batch._further(begun), batch.begun(PLANS, position)
        assert begun.position == position
        for field in ("last", "is_ended", "chosen", "so_far"):
            np.testing.assert_allclose(getattr(begun, field), getattr(expected, field))


def test_plans_alone_are_those_of_the_walk_that_is_kept():
    batch, wish = episodes("S_p"), wishes(40, values("S_p").max())
    policy = Policy(network(batch), epsilon=0.3)
    kept = batch.walk(policy, wish, prospects(wish), np.random.default_rng(4))
    alone = batch.decided(policy, wish, prospects(wish), np.random.default_rng(4))
    np.testing.assert_array_equal(kept.plans, alone)
    assert kept.states.shape == (40, len(SPACE.points), batch.size)


def test_each_row_goes_by_the_network_as_far_as_it_is_trusted_there():
    batch, rows = episodes(), 10
    wish = wishes(2 * rows)
    loud = network(batch)
    for kernel, _ in (loud.gain[1], loud.satisfaction[1]):
        kernel *= 100.0
    trusts = np.repeat([0.0, 1.0], rows)
    both = batch.decided(Policy(loud, trusts), wish, prospects(wish), np.random.default_rng(0))
    untrusted, trusted = (
        batch.decided(Policy(loud, one), wish, prospects(wish), np.random.default_rng(0))[:rows]
        for one in (0.0, 1.0)
    )
    np.testing.assert_array_equal(both[:rows], untrusted)
    np.testing.assert_array_equal(both[rows:], trusted)
    assert (trusted != untrusted).any()


def on_device(context, times):
    """The same demand relative to the initial network's costs, on a device of another pace."""
    (goal,), (initial,) = context.goals, context.history
    (score,) = initial.scores
    cost = replace(
        score.trial.cost,
        latency_ms=Quantity(times * score.trial.cost.latency_ms.value, Provenance.MEASURED),
    )
    limits = replace(goal.limits, max_latency_ms=times * goal.limits.max_latency_ms)
    known = replace(initial, scores=(replace(score, trial=replace(score.trial, cost=cost)),))
    return replace(context, goals=(replace(goal, limits=limits),), history=(known,))


def first_state(context):
    """Before the first decision, for the user's demand."""
    mind = Imagination(
        World(context), ImaginationConfig(first_batches=0), np.random.default_rng(0)
    )
    wish, view = mind.own(1), mind._world.mean()
    policy = Policy(mind.weights)
    kept = mind.episodes.walk(policy, wish, mind._prospects(wish, view), np.random.default_rng(0))
    return kept.states[0, 0]


def test_two_devices_give_two_states_of_the_same_relative_demand():
    one, same, slower = (first_state(on_device(TRUTH.context(), n)) for n in (1.0, 1.0, 4.0))
    np.testing.assert_array_equal(one, same)
    differ = np.flatnonzero(np.abs(one - slower) > 1e-4)
    assert len(differ) == 1
    assert (slower - one)[differ[0]] == pytest.approx(2 / 20)  # log2 of 4, over its scale


def test_what_is_not_known_of_a_device_is_0_and_said():
    told = device_features(np.array([4.0, np.nan, 2.0**20]))
    np.testing.assert_allclose(told, [0.1, 0.0, 1.0, 1.0, 0.0, 1.0])
    context = replace(TRUTH.context(), history=())
    assert np.isnan(World(context).told_costs).all()
    assert np.isfinite(first_state(context)).all()
