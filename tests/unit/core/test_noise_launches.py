"""Intervals of ratios where new processes of the agent change what is measured."""

import math
from dataclasses import replace

import numpy as np
import pytest

from adadeep.core.noise import learned
from adadeep.core.noise_launches import launch_of, launch_variance
from adadeep.core.noise_pool import Like, ReferenceNoise, Variance
from fakes.noise_worlds import LARGE, Model, World

TWINS = (Model("one", 0.3, placement=0.004), Model("other", 0.3, placement=0.004))
REFERENCES = (
    Model("tiny", 0.001, 2_000, placement=0.004),
    Model("conv", 0.1, placement=0.004),
    Model("fc", 1.0, LARGE, placement=0.05),
)
SESSIONS_S = range(100, 900, 20)
WORLDS = 4
CURVE = ((0.01, 0.05), (10.0, 0.05))


def repeated(launch, learned_of, launches):
    """Ratios of a network to itself, whose launches scatter by `launch` each.

    Args:
        launch: standard deviation.
        learned_of: that of the references from which the device's noise was learned.
        launches: of each session.
    """
    twins = [replace(one, launch=launch) for one in TWINS]
    references = [replace(one, launch=learned_of) for one in REFERENCES]
    found = []
    for seed in range(WORLDS):
        world = World(seed, deviation=0.02, seconds=1000)
        noise = learned([world.session(references, 6.0 * n, launches=2) for n in range(3)], None)
        found += [
            noise.ratio(world.session(twins, at, launches=launches), 0, 1) for at in SESSIONS_S
        ]
    return found


def held(found):
    return np.mean([not one.is_different for one in found])


@pytest.mark.parametrize("launches", [1, 2, 3])
@pytest.mark.parametrize("launch", [0.0, 0.004, 0.008])
def test_intervals_hold_however_many_launches_a_session_has(launch, launches):
    assert held(repeated(launch, launch, launches)) >= 0.9


@pytest.mark.parametrize("launch", [0.0, 0.004, 0.03])
def test_an_interval_of_three_launches_is_no_wider_than_that_of_one(launch):
    one, three = ([e.margin for e in repeated(launch, launch, count)] for count in (1, 3))
    assert np.median(three) < np.median(one)
    assert max(three) < 3 * np.median(one)


def test_one_launch_does_not_deny_that_launches_differ():
    calm, wild = (np.median([e.sd for e in repeated(sd, sd, 1)]) for sd in (0.0, 0.03))
    assert wild > 2 * calm
    assert wild == pytest.approx(0.03 * math.sqrt(2), rel=0.5)


def test_launches_that_scatter_more_than_any_reference_foretold_are_believed():
    assert held(repeated(0.03, 0.0, 3)) >= 0.8


def reference(size, placement, launch=0.0, df=0.0):
    name = f"{size:064x}"
    return ReferenceNoise(name, size, 1.0, CURVE, 0.01, placement, 30.0, launch, df)


def test_what_no_launch_has_told_is_a_share_of_a_placement():
    found = launch_of(Like(40_000, 1.0), [reference(40_000, 0.01)])
    assert 0 < found.value < 0.01**2
    assert 0 < found.df <= 3


def test_the_nearest_reference_counts_most():
    known = [reference(40_000, 0.01, 0.002, 20.0), reference(LARGE, 0.01, 0.05, 20.0)]
    near, far = (launch_of(Like(size, 1.0, 8 << 20), known).value for size in (40_000, LARGE))
    assert math.sqrt(near) == pytest.approx(0.002, rel=0.3)
    assert math.sqrt(far) == pytest.approx(0.05, rel=0.3)


def test_a_sessions_own_launches_count_by_their_degrees_of_freedom():
    known = Variance(1e-4, 6.0)
    launches = [np.full(4, log) for log in (0.0, 0.02, 0.04)]
    value, df = launch_variance(known, launches, placement=0.0)
    assert df == 8.0
    assert value == pytest.approx((6 * 1e-4 + 2 * 4e-4) / 8 / 3)
    assert launch_variance(known, launches[:1], 0.0) == (1e-4, 6.0)
    # What is contradicted counts for less: the launches are 40 times as far apart as foretold.
    value, df = launch_variance(Variance(1e-5, 6.0), launches, placement=0.0)
    assert df == pytest.approx(2 + 6 / 10)
    assert value == pytest.approx((0.6 * 1e-5 + 2 * 4e-4) / 2.6 / 3)
    # What placements explain is none of the launches'.
    assert launch_variance(known, launches, placement=0.01)[0] == pytest.approx(6e-4 / 8 / 3)
