import pytest

from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.noise import PRIOR, NoiseModel
from adadeep.core.noise_plans import Offered, best_reference, percent, plan_for, ratio_variance
from adadeep.core.noise_pool import Like, ReferenceNoise
from fakes.noise_worlds import LARGE, Model, World

SMALL, FC, LONG = Like(40_000, 0.1), Like(LARGE, 1.0), Like(500_000, 30.0)


def device(curve, placement=0.005):
    """Of one reference."""
    one = ReferenceNoise("a" * 64, 40_000, 0.1, curve, 0.01, placement, 30.0, 0.001, 10.0)
    heavy = ReferenceNoise("b" * 64, LARGE, 1.0, curve, 0.02, 10 * placement, 30.0, 0.01, 10.0)
    return NoiseModel((one, heavy))


FLICKER = device(((0.01, 0.06), (10.0, 0.06)))
WHITE = device(((0.01, 0.1), (0.1, 0.0316), (1.0, 0.01), (10.0, 0.00316)))


def test_where_a_device_flickers_no_time_is_wasted_on_averaging():
    choice = plan_for(FLICKER, [SMALL], 60_000)
    assert choice.plan.placements * choice.plan.placement_ms <= 2000
    assert "can't get narrower" in choice.reason


def test_where_averaging_helps_it_goes_on_until_it_is_enough_or_the_time_is_over():
    patient = plan_for(WHITE, [SMALL], 10_000)
    timed_ms = patient.plan.placements * patient.plan.placement_ms
    assert timed_ms > 4000
    assert "longer time would help" in patient.reason
    content = plan_for(WHITE, [SMALL], 10_000, aim=1.0)
    assert content.plan.placements * content.plan.placement_ms < timed_ms
    assert "enough" in content.reason


def test_a_session_of_several_says_whether_what_was_aimed_at_will_be_reached():
    sharp = plan_for(FLICKER, [SMALL, SMALL], 5000, aim=0.05)
    assert sharp.half_width <= 0.05
    assert "is enough" in sharp.reason
    blunt = plan_for(FLICKER, [FC, FC], 500, aim=0.001)
    assert blunt.half_width > 0.001
    assert "the time allows" in blunt.reason


def test_models_whose_placements_scatter_are_placed_more_often():
    still = device(((0.01, 0.06), (10.0, 0.06)), placement=0.0001)
    wild = device(((0.01, 0.06), (10.0, 0.06)), placement=0.1)
    assert _placements(wild) > _placements(still)


def _placements(noise):
    return plan_for(noise, [SMALL, SMALL], 2000, aim=0.0001).plan.placements


@pytest.mark.parametrize("budget_ms", [1, 50, 1000, 3_000_000])
@pytest.mark.parametrize("likes", [[SMALL], [LONG], [SMALL, FC], [LONG] * 16])
def test_every_budget_has_a_plan_within_it(budget_ms, likes):
    plan = plan_for(PRIOR, likes, budget_ms).plan
    assert plan.max_ms <= budget_ms
    assert plan.placements >= 1


def test_the_sharper_reference_comes_first_where_it_is_as_well_known():
    offered = [Offered(FC), Offered(SMALL)]
    assert best_reference(FLICKER, SMALL, offered) == [1, 0]
    unknown = [Offered(FC), Offered(SMALL, known_sd=0.5)]
    assert best_reference(FLICKER, SMALL, unknown) == [0, 1]


def test_no_reference_takes_more_than_the_candidate():
    offered = [Offered(LONG), Offered(SMALL)]
    assert best_reference(FLICKER, SMALL, offered) == [1]
    assert sorted(best_reference(FLICKER, LONG, offered)) == [0, 1]
    longer = [Offered(Like(1000, 90.0)), Offered(LONG)]
    assert best_reference(FLICKER, SMALL, longer) == [1]


def test_what_is_foretold_of_a_ratio_comes_true():
    models = [Model("x", 0.1), Model("y", 0.1)]
    plan = MeasuringPlan(placements=10, placement_ms=120.0, max_ms=10_000.0)
    noise = device(((0.01, 0.01), (10.0, 0.01)))
    foretold = ratio_variance(noise, SMALL, SMALL, plan)
    world = World(0, deviation=0.001, seconds=2000)
    squares = [
        PRIOR.ratio(world.session(models, 5.0 * n, placements=10, rounds=4), 0, 1).log_ratio ** 2
        for n in range(200)
    ]
    assert sum(squares) / 200 == pytest.approx(foretold.value, rel=0.4)


def test_words_tell_what_is_wasted_and_where_the_longer_is_the_truer():
    assert "wasted" in FLICKER.words()
    assert "the longer the truer" in WHITE.words()
    assert FLICKER.words().startswith("absolute ")


@pytest.mark.parametrize(("share", "text"), [(0.113, "11 %"), (0.02, "2 %"), (0.0034, "0.34 %")])
def test_shares_are_told_in_two_digits(share, text):
    assert percent(share) == text
