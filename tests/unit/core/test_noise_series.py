import math
from dataclasses import replace

import numpy as np
import pytest

from adadeep.core.noise_series import (
    allan_curve,
    deviation_at,
    median_interval,
    own_variances,
    robust_variance,
    rounds_of,
    shares_of,
    trimmed_mean,
)
from fakes.noise_worlds import LARGE, Model, World, flicker

A, B, C = Model("a", 1.0), Model("b", 2.0, white=0.02), Model("c", 3.0, LARGE, placement=0.05)


def test_the_curve_of_white_noise_falls_by_the_root_of_time():
    values = np.random.default_rng(0).normal(0, 0.1, 20_000)
    curve = dict(allan_curve(values, 0.01))
    # A median of many scatters by the root of pi/2 more than a mean.
    assert curve[0.64] == pytest.approx(0.1 * math.sqrt(math.pi / 2 / 64), rel=0.1)
    assert curve[0.64] / curve[2.56] == pytest.approx(2, rel=0.2)


def test_the_curve_of_flicker_is_flat():
    curve = allan_curve(flicker(np.random.default_rng(0), 40_000, 0.05), 0.01)
    late = [deviation for tau, deviation in curve if 0.1 <= tau <= 30]
    assert max(late) / min(late) < 1.5


def test_bursts_that_medians_pass_over_are_not_in_the_curve():
    random = np.random.default_rng(0)
    calm = random.normal(0, 0.01, 4000)
    burst = np.where(random.uniform(size=4000) < 0.03, calm + 1, calm)
    assert dict(allan_curve(burst, 1.0))[16] == pytest.approx(
        dict(allan_curve(calm, 1.0))[16], rel=0.15
    )


def test_a_curve_between_its_points_and_beyond_them():
    curve = ((1.0, 0.1), (4.0, 0.05))
    assert deviation_at(curve, 2.0) == pytest.approx(math.sqrt(0.1 * 0.05))
    assert deviation_at(curve, 0.1) == pytest.approx(0.1)
    assert deviation_at(curve, 99.0) == pytest.approx(0.05)


def test_a_series_too_short_for_a_curve_has_none():
    assert allan_curve(np.zeros(3), 1.0) == ()


@pytest.mark.parametrize("count", [5, 12, 40])
def test_the_robust_variance_is_right_of_normal_values_and_unmoved_by_a_few_others(count):
    samples = np.random.default_rng(0).normal(0, 2, (3000, count))
    assert np.mean([robust_variance(s) for s in samples]) == pytest.approx(4, rel=0.25)
    hit = samples.copy()
    hit[:, 0] += 1000
    assert np.median([robust_variance(s) for s in hit]) < 12


def test_a_trimmed_mean_holds_as_often_as_it_says():
    from adadeep.core.statistics import t_quantile

    random = np.random.default_rng(0)
    for count in (3, 8, 20):
        held = 0
        for _ in range(2000):
            mean, variance, df = trimmed_mean(random.normal(0, 1, count))
            held += abs(mean) <= t_quantile(0.975, df) * math.sqrt(variance)
        assert 0.93 <= held / 2000 <= 0.975


def test_an_interval_of_a_median_holds_whatever_the_law():
    random = np.random.default_rng(0)
    held = 0
    for _ in range(1000):
        low, high = median_interval(random.exponential(size=40))
        held += low <= math.log(2) <= high
    assert held / 1000 >= 0.94


def test_each_models_own_variance_is_told_from_ratios():
    random = np.random.default_rng(0)
    shared = random.normal(0, 5, (4000, 1))
    logs = shared + random.normal(0, 1, (4000, 4)) * [0.1, 0.2, 0.3, 0.4]
    assert np.sqrt(own_variances(logs)) == pytest.approx([0.1, 0.2, 0.3, 0.4], rel=0.1)


def test_two_models_share_the_variance_of_their_ratio():
    logs = np.random.default_rng(0).normal(0, 1, (4000, 2)) * [0.1, 0.3]
    assert own_variances(logs) == pytest.approx([0.05, 0.05], rel=0.1)


def test_what_scatters_between_rounds_placements_and_launches_is_told_apart():
    models = [A, B, replace(C, launch=0.2)]
    found = []
    for seed in range(20):
        session = World(seed, 0.001, 600).session(models, placements=40, rounds=12, launches=4)
        found.append(shares_of(rounds_of(session.measurements)[0]))
    white = np.mean([f.white for f in found], axis=0)
    placement = np.mean([f.placement for f in found], axis=0)
    launch = np.mean([f.launch for f in found], axis=0)
    assert np.sqrt(white[1]) == pytest.approx(0.02, rel=0.3)
    assert np.sqrt(placement[2]) == pytest.approx(0.05, rel=0.3)
    assert np.sqrt(launch[2]) == pytest.approx(0.2, rel=0.5)
    assert launch[0] < launch[2] / 10


def test_blocks_that_waited_for_a_processor_are_left_out_and_counted():
    session = World(1, seconds=60).session([A, B], placements=2, rounds=3)
    spoilt = _with_block(session, delay_ns=10**12)
    placed, left_out = rounds_of(spoilt.measurements)
    assert left_out == 1
    assert [len(one.logs) for one in placed] == [2, 3]


def test_rounds_on_two_kinds_of_core_are_not_compared():
    session = World(1, seconds=60).session([A, B], placements=2, rounds=3)
    moved = _with_block(_on_core(session, 0), core=4)
    assert rounds_of(moved.measurements)[1] == 0
    assert rounds_of(moved.measurements, {0: "little", 4: "big"})[1] == 1
    assert rounds_of(moved.measurements, {0: "big", 4: "big"})[1] == 0


def test_where_every_block_waited_all_are_taken():
    session = World(1, seconds=60).session([A, B], placements=2, rounds=1)
    spoilt = _each_block(session, lambda block: replace(block, delay_ns=10**12))
    assert len(rounds_of(spoilt.measurements)[0]) == 2


def _with_block(session, **changes):
    """The first block of the first model changed."""
    first, *others = session.measurements
    placement, *later = first.placements
    block, *rest = placement.blocks
    changed = replace(placement, blocks=(replace(block, **changes), *rest))
    return replace(session, measurements=(replace(first, placements=(changed, *later)), *others))


def _on_core(session, core):
    return _each_block(session, lambda block: replace(block, core=core))


def _each_block(session, change):
    measured = tuple(
        replace(one, placements=tuple(
            replace(p, blocks=tuple(map(change, p.blocks))) for p in one.placements
        )) for one in session.measurements
    )  # fmt: skip
    return replace(session, measurements=measured)
