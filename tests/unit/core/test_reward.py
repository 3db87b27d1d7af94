from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adadeep.core.cost import UNAVAILABLE, Cost, Provenance, Quantity
from adadeep.core.demand import UserDemand
from adadeep.core.metric import Scale
from adadeep.core.reward import (
    Limits,
    floor_reward,
    margins,
    resolve_limits,
    reward,
)
from fakes.metrics import ERROR

DEMAND = UserDemand()
LIMITS = Limits(min_accuracy=0.9, max_energy_mj=2.0, max_latency_ms=4.0, max_storage_bytes=1000.0)


def cost(latency_ms=4.0, energy_mj=2.0, storage_bytes=1000.0):
    return Cost(
        Quantity(latency_ms, Provenance.MEASURED),
        Quantity(energy_mj, Provenance.ANALYTIC),
        storage_bytes, 1.0, 1, 1,
    )  # fmt: skip


def test_equation_8_by_hand():
    earned = reward(DEMAND, LIMITS, 0.95, cost(1.0, 0.5, 250.0))
    assert earned.gain == pytest.approx(0.6 * 0.5 + 0.4 * 0.75)
    assert earned.satisfaction == pytest.approx(0.5 * 0.75 + 0.5 * 0.75)
    assert earned.total == pytest.approx(earned.gain + earned.satisfaction)
    assert earned.is_feasible


def test_at_the_limits_the_reward_is_zero_and_the_limits_are_kept():
    earned = reward(DEMAND, LIMITS, 0.9, cost())
    assert earned.gain == pytest.approx(0)
    assert earned.satisfaction == pytest.approx(0)
    assert earned.is_feasible


@pytest.mark.parametrize(
    ("accuracy", "costs", "violation"),
    [
        (0.85, cost(), 0.5),
        (0.9, cost(latency_ms=6.0), 0.5),
        (0.9, cost(energy_mj=3.0), 0.5),
        (0.9, cost(storage_bytes=1500.0), 0.5),
        (0.85, cost(latency_ms=8.0), 1.5),
    ],
)
def test_a_broken_limit_makes_a_plan_infeasible_and_its_margin_negative(
    accuracy, costs, violation
):
    earned = reward(DEMAND, LIMITS, accuracy, costs)
    assert not earned.is_feasible
    assert earned.violation == pytest.approx(violation)
    assert earned.total < 0


def test_less_energy_raises_the_gain():
    # Eq. 8 prints a minus before mu2, which would reward wasting energy.
    frugal, lavish = (reward(DEMAND, LIMITS, 0.95, cost(energy_mj=e)) for e in (0.5, 1.5))
    assert frugal.gain > lavish.gain


@given(
    st.floats(0, 1), st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.floats(1e-3, 1e12),
)  # fmt: skip
def test_no_reward_is_below_that_of_a_failure_nor_above_the_weights(a, t, e, s):
    floor, earned = floor_reward(DEMAND), reward(DEMAND, LIMITS, a, cost(t, e, s))
    assert floor.gain <= earned.gain <= -floor.gain
    assert floor.satisfaction <= earned.satisfaction <= -floor.satisfaction


def test_a_failure_is_not_feasible():
    assert not floor_reward(DEMAND).is_feasible
    assert floor_reward(DEMAND).total == pytest.approx(-2.0)


def test_limits_not_given_are_those_of_the_initial_network_which_keeps_them():
    initial = cost(3.3, 1.1, 123.0)
    limits = resolve_limits(UserDemand(max_accuracy_loss=0.01), 0.98, initial)
    assert limits == Limits(0.97, 1.1, 3.3, 123.0)
    assert reward(DEMAND, limits, 0.98, initial).is_feasible


def test_limits_that_were_given_are_taken():
    demand = UserDemand(max_latency_ms=1.0, max_energy_mj=2.0, max_storage_bytes=3.0)
    limits = resolve_limits(demand, 0.01, cost())
    assert limits == Limits(0.0, 2.0, 1.0, 3.0)


def test_a_perfect_initial_network_without_loss_allowed_is_no_division_by_zero():
    limits = resolve_limits(UserDemand(max_accuracy_loss=0.0), 1.0, cost())
    assert margins(limits, 1.0, cost()).accuracy == 0
    assert reward(DEMAND, limits, 0.999, cost()).violation == pytest.approx(1.0)


def test_where_lower_is_better_a_reward_rises_as_the_quality_falls():
    scale = Scale.of(ERROR)  # 0 to 10
    limits = resolve_limits(UserDemand(max_accuracy_loss=0.1), 2.0, cost(), scale)
    assert limits.min_accuracy == pytest.approx(3.0)
    kept = [margins(limits, error, cost(), scale).accuracy for error in (0.0, 1.5, 3.0, 6.0)]
    assert kept == pytest.approx([1.0, 0.5, 0.0, -1.0])
    good, bad = (reward(DEMAND, limits, error, cost(), scale) for error in (1.0, 4.0))
    assert good.is_feasible
    assert good.gain > bad.gain
    assert bad.violation == pytest.approx(1 / 3)


def test_an_unknown_cost_gives_no_reward():
    with pytest.raises(ValueError, match="known"):
        reward(DEMAND, LIMITS, 0.9, replace(cost(), latency_ms=UNAVAILABLE))
