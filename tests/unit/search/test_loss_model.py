import numpy as np
import pytest

from adadeep.search.loss_model import LossModel, bent, unbent
from adadeep.testing.spaces import SPACE
from fakes.simulated import QUALITY, Simulated
from fakes.slopes import assert_slopes_are_those_of_the_values
from fakes.worlds import DEEP

LOSSES = np.linspace(-0.3, 1.0, 131)
HALF = np.full((len(DEEP.points), len(DEEP.actions)), 0.5)
SAVINGS = np.full((len(SPACE.points), len(SPACE.actions)), 0.5)


def test_unbent_is_the_inverse_and_bending_is_monotone_and_odd():
    np.testing.assert_allclose(unbent(bent(LOSSES)), LOSSES, atol=1e-12)
    assert (np.diff(bent(LOSSES)) > 0).all()
    np.testing.assert_allclose(bent(-LOSSES), -bent(LOSSES))
    np.testing.assert_allclose(unbent(-LOSSES), -unbent(LOSSES))


def test_small_losses_stay_as_they_are_and_large_ones_shrink():
    assert bent(np.array(1e-5)) == pytest.approx(1e-5, rel=1e-2)
    assert bent(np.array(0.1)) < 0.05


def test_two_bent_losses_add_up_to_more_than_their_sum():
    assert unbent(2 * bent(np.array(0.01))) > 2 * 0.01


def losses(truth, plans, is_bent=False):
    lost = np.array([QUALITY - truth.accuracy(truth.space.plan(row)) for row in plans.tolist()])
    return unbent(lost) if is_bent else lost


@pytest.mark.parametrize("is_bent", [False, True], ids=["sums", "bent sums"])
def test_losses_of_untried_plans_are_recovered(is_bent):
    """Of sums as such the bend is a mistake of the model; the order of plans stays."""
    truth = Simulated(DEEP, seed=3)
    rng = np.random.default_rng(0)
    plans = truth.every_plan()[rng.permutation(13_122)[:160]]
    tried, others = plans[:60], plans[60:]
    model = LossModel(DEEP, HALF)
    for plan, loss in zip(tried, losses(truth, tried, is_bent), strict=True):
        model.see(plan, loss, 1e-8)
    for _ in range(4):  # a search fits after each plan
        model.fit()
    found = model.losses(others, model.mean()[np.newaxis], 0.0)[0]
    expected = losses(truth, others, is_bent)
    error = np.sqrt(np.mean((found - expected) ** 2))
    assert error < (0.03 if is_bent else 0.4) * expected.std()
    assert np.corrcoef(found, expected)[0, 1] > 0.98


def test_before_anything_is_seen_each_choice_loses_and_nothing_loses_nothing():
    model = LossModel(SPACE, SAVINGS)
    model.fit()
    plans = Simulated().every_plan()
    found = model.losses(plans, model.mean()[np.newaxis], 0.0)[0]
    choices = (plans[:, :-1] != 0).sum(axis=1)
    assert not found[choices == 0].any()
    means = [found[choices == count] for count in range(4)]
    assert all(len(set(np.round(one, 12))) == 1 for one in means)
    assert np.all(np.diff([one[0] for one in means]) > 0)


def test_what_was_measured_surely_is_kept_and_noise_is_not():
    sure, noisy = LossModel(SPACE, SAVINGS), LossModel(SPACE, SAVINGS)
    plan = Simulated().every_plan()[20]
    for model, variance in ((sure, 0.0), (noisy, 0.05**2)):
        model.see(plan, 0.08, variance)
        model.fit()
    before = LossModel(SPACE, SAVINGS).losses(
        plan[np.newaxis], np.zeros((1, len(sure.mean()))), 0.0
    )
    key = tuple(plan.tolist())
    assert sure.smoothed()[key] == pytest.approx(0.08, rel=1e-3)
    assert before[0, 0] <= noisy.smoothed()[key] < 0.04


def test_the_doubt_about_a_loss_is_bent_with_it():
    """By the slope there, from a central difference."""
    model, loss, step = LossModel(SPACE, SAVINGS), 0.08, 1e-6
    model.see(Simulated().every_plan()[20], loss, 0.01**2)
    slope = (bent(np.array(loss + step)) - bent(np.array(loss - step))) / (2 * step)
    assert model._belief._variances[0] == pytest.approx((slope * 0.01) ** 2, rel=1e-5)


def test_a_stray_is_added_before_it_is_unbent():
    model = LossModel(SPACE, SAVINGS)
    plan = Simulated().every_plan()[:1]
    weights = np.zeros((2, len(model.mean())))
    strays = np.array([[0.0], [0.02]])
    found = model.losses(plan, weights, strays)
    np.testing.assert_allclose(found, unbent(strays))


def test_what_saves_more_is_believed_to_lose_more():
    savings = SAVINGS.copy()
    savings[:, 1] = 0.9
    model = LossModel(SPACE, savings)
    plans = Simulated().every_plan()
    alone = plans[(plans[:, :-1] != 0).sum(axis=1) == 1]
    found = model.losses(alone, model.mean()[np.newaxis], 0.0)[0]
    saves_more = (alone[:, :-1] == 1).any(axis=1)
    assert 0 < saves_more.sum() < len(alone)
    assert found[saves_more].min() > 2 * found[~saves_more].max()


def test_what_one_layer_shows_of_a_technique_is_believed_of_another():
    model = LossModel(DEEP, HALF)
    first, second = np.zeros((2, len(DEEP.points)), np.int64)
    first[-1] = second[-1] = DEEP.points[-1].options[0]
    first[0] = second[5] = 1
    before = model.losses(second[np.newaxis], model.mean()[np.newaxis], 0.0)[0, 0]
    model.see(first, 0.03, 1e-8)
    model.fit()
    after = model.losses(second[np.newaxis], model.mean()[np.newaxis], 0.0)[0, 0]
    assert 1.3 * before < after < 0.03


def test_slopes_are_those_of_the_values():
    model = LossModel(SPACE, SAVINGS)
    plans = Simulated().every_plan()
    for weights in model.sample(np.random.default_rng(0), 2):
        assert_slopes_are_those_of_the_values(model._curve, plans, weights, atol=1e-9)
        losses = model.sums(weights[np.newaxis]).of(plans)[0]
        np.testing.assert_allclose(model._curve.of(plans).values(weights), losses, atol=1e-12)
