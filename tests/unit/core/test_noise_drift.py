import math

import numpy as np
import pytest

from adadeep.core.noise import PRIOR
from adadeep.core.noise_drift import NO_DRIFT, Drift, drift_of
from adadeep.core.noise_pool import Like
from fakes.noise_worlds import LARGE, Model, World

REFERENCE, ALIKE, UNLIKE = Model("r", 0.1), Model("m", 0.12), Model("l", 30.0, LARGE)


def known(world, sessions):
    """A noise model after sessions of the reference, minutes apart."""
    noise = PRIOR.updated([world.session([REFERENCE, ALIKE], 0)], {REFERENCE.sha})
    return noise.updated([world.session([REFERENCE, ALIKE], 60.0 * n) for n in range(1, sessions)])


def test_what_a_reference_strayed_is_taken_off_and_the_interval_is_narrower_and_holds():
    held = narrower = count = 0
    for seed in range(10):
        world = World(seed, deviation=0.05, seconds=3900)
        noise = known(world, 20)
        centre = math.log(ALIKE.ms) + world.level.mean()
        for at in range(1500, 3700, 220):
            session = world.session([ALIKE, REFERENCE], at)
            one = session.measurements[0]
            said, alone = noise.latency([one], session), noise.latency([one])
            held += math.log(said.low_ms) <= centre <= math.log(said.high_ms)
            widths = (math.log(each.high_ms / each.low_ms) for each in (said, alone))
            narrower += next(widths) < 0.7 * next(widths)
            assert said.median_ms == alone.median_ms
            count += 1
    assert held / count >= 0.9
    assert narrower / count >= 0.9


def test_a_reference_of_another_kind_tells_nothing():
    world = World(0, deviation=0.05, seconds=2000)
    noise = known(world, 20)
    session = world.session([UNLIKE, REFERENCE], 1800)
    assert _drift(noise, session, UNLIKE) == NO_DRIFT


def test_a_reference_that_few_sessions_know_tells_nothing():
    world = World(0, deviation=0.05, seconds=2000)
    session = world.session([ALIKE, REFERENCE], 1800)
    assert _drift(known(world, 3), session, ALIKE) == NO_DRIFT
    assert _drift(known(world, 6), session, ALIKE) != NO_DRIFT


def test_a_session_does_not_tell_of_itself():
    world = World(0, deviation=0.05, seconds=2000)
    noise = known(world, 4)
    session = world.session([ALIKE, REFERENCE], 120)  # at the time of one that was learned from
    assert _drift(noise, session, ALIKE) == NO_DRIFT


def test_the_drift_is_that_of_the_reference():
    world = World(0, deviation=0.05, seconds=2000)
    noise = known(world, 20)
    session = world.session([ALIKE, REFERENCE], 1800)
    centre = np.mean([row.log_of(REFERENCE.sha) for row in noise.sessions])
    stray = math.log(session.measurements[1].latency_ms) - centre
    found = _drift(noise, session, ALIKE)
    assert found.log == pytest.approx(0.9 * stray, rel=0.05)
    assert 0.15 < found.left < 0.5


def _drift(noise, session, model):
    return drift_of(session, Like(model.size, model.ms), noise.references, noise.sessions)


@pytest.mark.parametrize(
    ("log", "said"), [(0.004, None), (0.08, "8 % slower than usual"), (-0.08, "8 % faster")]
)
def test_a_drift_that_moves_the_interval_is_said(log, said):
    words = Drift(log, 0.5).words()
    assert words == "" if said is None else said in words
