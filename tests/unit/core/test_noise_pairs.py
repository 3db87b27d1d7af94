from dataclasses import replace

import pytest

from adadeep.core.noise_learning import centres_of, noise_of
from adadeep.core.noise_pairs import own_between, session_variance
from adadeep.core.noise_pool import Like, ReferenceNoise
from fakes.noise_worlds import LARGE, Model, World

A, B, C = Model("a", 0.1), Model("b", 0.5), Model("c", 1.0, LARGE, placement=0.05)
MODELS = (A, B, C)
SMALL_LIKE, LARGE_LIKE = Like(30_000, 0.3), Like(LARGE, 1.0)


def known(**changes):
    curve = ((0.01, 0.1), (1.0, 0.1))
    return replace(ReferenceNoise("a" * 64, 1000, 1.0, curve, 0.1, 0.01, 40.0), **changes)


@pytest.fixture(scope="module")
def references():
    world = World(0, deviation=0.001, seconds=600)
    return noise_of([world.session(MODELS, 0, placements=40)])


@pytest.fixture(scope="module")
def steady():
    world = World(0, deviation=0.001, seconds=20_000)
    return centres_of(
        [world.session(MODELS, 60.0 * n) for n in range(1, 30)], (), {m.sha for m in MODELS}
    )


def moody(rows, sha):
    return tuple(
        replace(row, logs=tuple((s, log + 0.2 * (n % 5) * (s == sha)) for s, log in row.logs))
        for n, row in enumerate(rows)
    )


def own(references, sessions):
    return {one.model_sha256: found for one, found in own_between(references, sessions)}


def test_the_model_whose_ratios_change_from_session_to_session_is_the_one_that_is_said_to(
    references, steady
):
    before, after = own(references, steady), own(references, moody(steady, C.sha))
    assert after[C.sha].value > 20 * before[C.sha].value
    assert after[A.sha].value < 3 * before[A.sha].value
    assert after[B.sha].value < 3 * before[B.sha].value


def test_sessions_move_the_guess(references, steady):
    guess, seen = own(references, ()), own(references, steady)
    assert seen[C.sha].df > guess[C.sha].df
    assert seen[C.sha].value < guess[C.sha].value  # the world has no neighbours


def test_a_few_sessions_leave_it(references, steady):
    assert own(references, steady[:3]) == own(references, ())


def test_large_models_are_thought_to_have_neighbours_and_none_where_nothing_strays():
    small, large = known(), known(model_sha256="b" * 64, model_bytes=13_000_000)
    exact = known(model_sha256="c" * 64, model_bytes=13_000_000, placement_sd=0.0)
    found = [variance.value for _, variance in own_between([small, large, exact], ())]
    assert found[1] > 100 * found[0]
    assert found[2] == 0


def test_like_models_move_together(references, steady):
    sessions = moody(steady, C.sha)
    alike = session_variance(LARGE_LIKE, Like(LARGE * 9 // 10, 0.9), references, sessions)
    apart = session_variance(LARGE_LIKE, SMALL_LIKE, references, sessions)
    assert sum(one.value for one in alike) < 0.02 * sum(one.value for one in apart)


def test_a_guess_about_a_device_will_do_without_references_that_were_measured():
    found = session_variance(SMALL_LIKE, LARGE_LIKE, [known(model_sha256="")], ())
    assert all(one.value > 0 for one in found)
