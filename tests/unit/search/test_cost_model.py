"""Times of untried plans, learned layer by layer from few."""

import numpy as np
import pytest

from adadeep.core.layers import LayerKind
from adadeep.core.plan import LayerChoice
from adadeep.core.space import build_space
from adadeep.search.cost_model import KnownCost, LearnedCost
from adadeep.search.known_tables import additive_table
from adadeep.testing.spaces import MODEL, PRECISIONS, SPACE
from fakes.simulated import Simulated
from fakes.slopes import assert_slopes_are_those_of_the_values
from fakes.worlds import DEEP


def macs_of(layer):
    return float(layer.macs)


def learned(truth, of):
    """A model over MACs that knows what the initial network costs."""
    table = additive_table(truth.space, lambda plan: float(truth.known(plan).macs))
    initial = truth.space.plan(_initial(truth.space))
    return LearnedCost(truth.space, table, macs_of, of(initial))


def _initial(space):
    return [0 if point.layer else point.options[0] for point in space.points]


def costs(space, plans, of):
    return np.array([of(space.plan(row)) for row in plans.tolist()])


def drawn(truth, count, seed=0):
    rng = np.random.default_rng(seed)
    plans = truth.every_plan()
    return plans[rng.permutation(len(plans))[:count]]


def taught(model, space, plans, of):
    for plan, value in zip(plans, costs(space, plans, of), strict=True):
        model.see(plan, value, 1e-6)
        model.fit()
    return model


def costs_of(model, plans, weights):
    """(ways, plans)."""
    return model.sums(weights).of(plans)


def errors(model, space, plans, of):
    """Of the logarithm."""
    found = costs_of(model, plans, model.mean()[np.newaxis])[0]
    return np.log(found / costs(space, plans, of))


def test_before_anything_is_tried_the_initial_network_costs_what_it_does():
    truth = Simulated()
    model = learned(truth, truth.latency_ms)
    start = np.array([_initial(SPACE)])
    assert costs_of(model, start, model.mean()[np.newaxis])[0, 0] == pytest.approx(
        truth.latency_ms(SPACE.plan(_initial(SPACE)))
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_a_sum_over_layers_with_factors_of_techniques_is_recovered_from_few_plans(seed):
    truth = Simulated(DEEP, seed=seed)
    plans = drawn(truth, 230)
    model = learned(truth, truth.latency_ms)
    taught(model, DEEP, plans[:12], truth.latency_ms)
    found = errors(model, DEEP, plans[30:], truth.latency_ms)
    assert np.sqrt(np.mean(found**2)) < 0.03
    before = errors(learned(truth, truth.latency_ms), DEEP, plans[30:], truth.latency_ms)
    assert np.sqrt(np.mean(found**2)) < 0.2 * np.sqrt(np.mean(before**2))


def test_a_precision_alone_tells_its_factor_of_every_plan():
    truth = Simulated(DEEP, seed=4)
    truth.pace[:] = 1.0
    model = learned(truth, truth.latency_ms)
    alone = np.array([[*_initial(DEEP)[:-1], DEEP.points[-1].options[1]]])
    taught(model, DEEP, alone, truth.latency_ms)
    assert np.abs(errors(model, DEEP, drawn(truth, 100), truth.latency_ms)).max() < 0.1


def test_a_precision_may_make_one_layer_faster_and_another_slower():
    truth = Simulated(seed=4)
    paces = {LayerKind.CONV: 1.4, LayerKind.DENSE: 0.25}  # of int8

    def latency_ms(plan):
        of = paces if truth.bits(plan) == 8 else dict.fromkeys(paces, 1.0)
        return 1e-6 * sum(one.macs * kept * of[one.kind] for one, _, kept in truth.layers(plan))

    model = learned(truth, latency_ms)
    taught(model, SPACE, drawn(truth, 12), latency_ms)
    found = errors(model, SPACE, truth.every_plan(), latency_ms)
    assert np.sqrt(np.mean(found**2)) < 0.04  # 0.09 with a factor of the whole alone


def test_it_never_diverges_where_the_cost_lies_in_layers_with_few_macs():
    """An energy of weights and time, as 1e-6 S_p + 0.2 T: fc1 has a third of the MACs."""
    truth = Simulated(seed=5)

    def energy(plan):
        return 1e-6 * truth.known(plan).storage_bytes + 0.2 * truth.latency_ms(plan)

    alone = np.array([*_initial(SPACE)[:-1], SPACE.points[-1].options[1]])
    plans, everything = np.stack([alone, *drawn(truth, 30)]), truth.every_plan()
    model = learned(truth, energy)
    for plan in plans:
        taught(model, SPACE, plan[np.newaxis], energy)
        assert np.abs(errors(model, SPACE, everything, energy)).max() < np.log(3)
    assert np.abs(errors(model, SPACE, plans, energy)).max() < 0.2


@pytest.mark.parametrize("seed", range(2))
def test_one_plan_never_throws_it_off(seed):
    truth = Simulated(seed=seed)
    everything = truth.every_plan()
    for plan in drawn(truth, 8, seed):
        model = learned(truth, truth.latency_ms)
        taught(model, SPACE, plan[np.newaxis], truth.latency_ms)
        found = errors(model, SPACE, everything, truth.latency_ms)
        assert np.abs(found).max() < np.log(3)


def test_a_choice_that_replaces_later_layers_takes_their_cost_out():
    """L3 on fc1 leaves conv and the rest, whatever fc2 would cost."""
    space = SPACE
    truth = Simulated(space, seed=6)
    fc1, fc2 = 1, 2
    gap = space.actions.index(LayerChoice("L3"))
    truth.kept[fc1, gap] = 0.1
    model = learned(truth, truth.latency_ms)
    plan = np.array([_initial(space)])
    plan[0, fc1] = gap
    layers = {layer.name: layer for layer in MODEL.layers}
    initial = truth.latency_ms(space.plan(_initial(space)))
    replaced = costs_of(model, plan, model.mean()[np.newaxis])[0, 0] / initial
    conv, first, second = (layers[name].macs for name in ("conv", "fc1", "fc2"))
    assert replaced == pytest.approx((conv + 0.1 * first) / (conv + first + second), abs=0.003)
    shrunk = model.mean()[np.newaxis].copy()
    features = model._curve._features
    count = len(features.groups)
    shrunk[0, :count][features.rows(plan)[0] != 0] = 0.0
    heavier = shrunk.copy()
    is_of_fc2 = features.of_decision[fc2, 0] != 0
    heavier[0, :count][is_of_fc2] += 1.0  # fc2 costs e times as much: that is nothing to this plan
    assert costs_of(model, plan, heavier)[0, 0] == costs_of(model, plan, shrunk)[0, 0]
    start = np.array([_initial(space)])
    assert costs_of(model, start, heavier)[0, 0] > costs_of(model, start, shrunk)[0, 0]


def test_slopes_are_those_of_the_values():
    """By central differences, where choices replace later layers, too."""
    truth = Simulated(seed=8)
    model = learned(truth, truth.latency_ms)
    plans = truth.every_plan()
    taught(model, SPACE, plans[::5], truth.latency_ms)
    for weights in model.sample(np.random.default_rng(0), 2):
        assert_slopes_are_those_of_the_values(model._curve, plans, weights, atol=1e-7)
        costs = model._curve.sums(weights[np.newaxis], 1.0).of(plans)[0]
        np.testing.assert_allclose(model._curve.of(plans).values(weights), np.log(costs))


def test_samples_lie_around_the_mean_and_nearer_once_more_was_seen():
    truth = Simulated(seed=7)
    plans = drawn(truth, 40)
    model = learned(truth, truth.latency_ms)
    model.fit()

    def spread():
        weights = model.sample(np.random.default_rng(0), 400)
        logs = np.log(costs_of(model, plans[20:], weights))
        np.testing.assert_allclose(
            weights.mean(axis=0), model.mean(), atol=6 * weights.std(axis=0).max() / 20
        )
        return logs.std(axis=0).mean()

    before = spread()
    taught(model, SPACE, plans[:20], truth.latency_ms)
    assert spread() < 0.4 * before


def test_a_known_cost_is_the_same_in_all_ways_and_learns_what_the_formula_lacks():
    truth = Simulated()
    option = SPACE.points[1].options[1]
    hidden = SPACE.actions[option]

    def formula(plan):
        is_hidden = plan.choice("fc1") == hidden
        return None if is_hidden else truth.known(plan).storage_bytes

    model = KnownCost(additive_table(SPACE, formula))
    plans = truth.every_plan()
    found = costs_of(model, plans, model.sample(np.random.default_rng(0), 3))
    assert found.shape == (1, len(plans))  # of all three
    assert model.stray() == 0.0
    plan = next(row for row in plans if row[1] == option)
    value = truth.known(SPACE.plan(plan.tolist())).storage_bytes
    assert costs_of(model, plan[np.newaxis], model.mean()[np.newaxis])[0, 0] != value
    model.see(plan, value, 0.0)
    assert costs_of(model, plan[np.newaxis], model.mean()[np.newaxis])[0, 0] == pytest.approx(
        value
    )


def test_a_space_of_precisions_alone_is_one_of_factors():
    """Nothing is decided on that the prior could tell: it is 0 here."""
    space = build_space(MODEL, [], PRECISIONS)
    truth = Simulated(space)
    model = learned(truth, truth.latency_ms)
    taught(model, space, np.array([[space.points[0].options[1]]]), lambda plan: 2e-5)
    found = costs_of(model, np.array([[space.points[0].options[1]]]), model.mean()[np.newaxis])
    assert found[0, 0] == pytest.approx(2e-5, rel=0.02)


def test_what_cannot_be_decided_on_is_learned_too():
    """Half of the time is none of the layers' that a plan changes, whatever the prior says."""
    truth = Simulated(seed=4)
    rest_ms = truth.latency_ms(SPACE.plan(_initial(SPACE)))

    def latency_ms(plan):
        return rest_ms + truth.latency_ms(plan)

    model = learned(truth, latency_ms)
    everything = truth.every_plan()
    taught(model, SPACE, drawn(truth, 12), latency_ms)
    assert np.abs(errors(model, SPACE, everything, latency_ms)).mean() < 0.1
