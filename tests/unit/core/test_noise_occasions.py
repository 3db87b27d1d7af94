"""A quiet moment does not tell of what else will run on a device."""

from dataclasses import replace

import pytest

from adadeep.core.noise import PRIOR, NoiseModel
from adadeep.core.noise_pool import Like, ReferenceNoise, SessionCentres
from adadeep.core.noise_sessions import occasions

LIKE = Like(40_000, 0.5, None)
QUIET = ReferenceNoise("a" * 64, 40_000, 0.5, ((0.1, 0.01), (1.0, 0.01)), 0.01, 0.003, 20.0)


def met(times: int) -> NoiseModel:
    """A device that was just as fast on each occasion."""
    rows = tuple(
        SessionCentres(1e9 + 3600 * n, 1.0, (("a" * 64, 0.001 * (-1) ** n),), 10)
        for n in range(times)
    )
    return NoiseModel((QUIET,), rows)


@pytest.mark.parametrize(
    ("times_s", "count"),
    [([], 0), ([5.0], 1), ([0.0, 599.0], 1), ([601.0, 0.0], 2), ([0.0, 500.0, 1000.0], 2)],
)
def test_sessions_within_ten_minutes_are_one_occasion(times_s: list[float], count: int) -> None:
    assert occasions(times_s) == count


def test_what_is_true_of_devices_in_general_counts_less_with_each_occasion() -> None:
    told = [met(times).foretold(LIKE, 1.0).value ** 0.5 for times in (1, 2, 4, 20)]
    assert told == sorted(told, reverse=True)
    assert told[0] > 2 * met(1).own(LIKE, 1.0).value ** 0.5
    assert told[-1] < 0.03
    assert told[0] < PRIOR.foretold(LIKE, 1.0).value ** 0.5


def test_a_machine_that_counts_instructions_has_nothing_that_could_stray() -> None:
    exact = replace(QUIET, curve=((0.1, 1e-4), (1.0, 1e-4)), white_sd=1e-4, placement_sd=1e-4)
    model = NoiseModel((exact,))
    assert model.foretold(LIKE, 1.0) == model.own(LIKE, 1.0)
