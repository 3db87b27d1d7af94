import itertools
import math
from dataclasses import replace

import pytest

from adadeep.core.noise_learning import at_once, centres_of, merged, noise_of
from adadeep.core.noise_pool import ReferenceNoise, SessionCentres
from fakes.noise_worlds import LARGE, Model, World

A, B, C = Model("a", 0.1), Model("b", 0.5), Model("c", 1.0, LARGE, placement=0.05)
MODELS = (A, B, C)


def known(**changes):
    curve = ((0.01, 0.1), (1.0, 0.1))
    return replace(ReferenceNoise("a" * 64, 1000, 1.0, curve, 0.1, 0.1, 40.0), **changes)


def test_sessions_that_followed_one_another_are_one_group():
    world = World(0, seconds=600)
    sessions = [world.session(MODELS, at) for at in (0, 6, 12, 120, 126)]
    assert [len(group) for group in at_once(sessions)] == [3, 2]


def test_a_curve_goes_on_over_sessions_that_followed_at_once():
    world = World(0, seconds=600)
    one, more = ([world.session(MODELS, 6.0 * n) for n in range(count)] for count in (1, 4))
    assert noise_of(more)[0].curve[-1][0] > 3 * noise_of(one)[0].curve[-1][0]


def test_what_is_new_moves_what_is_known_by_its_weight():
    long, brief = known(placement_sd=0.3), known(placement_sd=0.1, placement_df=4.0)
    moved = merged(long, brief)
    assert moved.placement_df == 44
    assert moved.placement_sd == pytest.approx(math.sqrt((40 * 0.09 + 4 * 0.01) / 44))
    wild = known(placement_df=4.0, curve=((0.01, 1.0), (0.1, 1.0)))
    curve = dict(merged(long, wild).curve)
    assert 0.1 < curve[0.01] < 0.4
    assert curve[1.0] == 0.1  # of which the new one tells nothing


def test_a_device_that_changed_is_believed_in_the_end():
    moved = known(placement_sd=0.3, placement_df=1e5)
    for _ in range(40):
        moved = merged(moved, known(placement_sd=0.01, placement_df=11.0))
    assert moved.placement_sd < 0.05


def test_centres_of_many_sessions_are_thinned_where_they_are_dense():
    world = World(0, seconds=40 * 200)
    old = SessionCentres(1.6e9, 1.0, ((A.sha, 0.5),), 10)
    sessions = [world.session([A, B], 40.0 * n, placements=2, rounds=1) for n in range(150)]
    rows = centres_of(sessions, [old], {A.sha})
    assert len(rows) == 100
    assert rows[0] == old
    assert sum(row.sessions for row in rows) == 151
    assert all(a.unix_s < b.unix_s for a, b in itertools.pairwise(rows))


def test_sessions_at_once_are_one_row_with_their_mean():
    world = World(0, seconds=600)
    sessions = [world.session([A, B], at) for at in (0, 10, 20, 100)]
    rows = centres_of(sessions, (), {A.sha})
    assert [row.sessions for row in rows] == [3, 1]
    logs = [math.log(one.measurements[0].latency_ms) for one in sessions]
    assert rows[0].log_of(A.sha) == pytest.approx(sum(logs[:3]) / 3)
    assert rows[0].log_of(B.sha) is None
