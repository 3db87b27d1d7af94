"""The exact interval of a paired loss: its error is computed over every outcome, not sampled."""

import itertools
from math import comb

import numpy as np
import pytest

from adadeep.core.correct import CorrectSamples
from adadeep.core.paired import PairedCounts, binomial_interval, loss_interval

SAMPLES = 14


def chance(lost, gained, p10, p01):
    """P(lost, gained) of SAMPLES samples."""
    same = max(1 - p10 - p01, 0.0)
    ways = comb(SAMPLES, lost) * comb(SAMPLES - lost, gained)
    return ways * p10**lost * p01**gained * same ** (SAMPLES - lost - gained)


@pytest.mark.parametrize("tail", [0.025, 0.1])
def test_each_end_errs_at_most_as_often_as_it_says_whatever_the_truth(tail):
    outcomes = [
        (lost, gained) for lost in range(SAMPLES + 1) for gained in range(SAMPLES + 1 - lost)
    ]
    ends = {o: loss_interval(PairedCounts(*o, SAMPLES), tail) for o in outcomes}
    worst = 0.0
    for p10, share in itertools.product(np.linspace(0, 1, 21), np.linspace(0, 1, 9)):
        p01 = (1 - p10) * share
        above = sum(chance(*o, p10, p01) for o, e in ends.items() if p10 - p01 > e[1] + 1e-7)
        below = sum(chance(*o, p10, p01) for o, e in ends.items() if p10 - p01 < e[0] - 1e-7)
        worst = max(worst, above, below)
    assert worst <= tail
    assert worst > tail / 4  # and not by being useless


def test_repeated_on_simulated_data_the_interval_holds_the_loss():
    random, held, repeats = np.random.default_rng(0), 0, 400
    p10, p01, samples = 0.03, 0.01, 300
    for _ in range(repeats):
        lost, gained, _ = random.multinomial(samples, [p10, p01, 1 - p10 - p01])
        low, high = loss_interval(PairedCounts(int(lost), int(gained), samples), 0.05)
        held += low <= p10 - p01 <= high
    assert held >= 0.9 * repeats


def test_pairing_is_sharper_than_two_accuracies_apart():
    low, high = loss_interval(PairedCounts(30, 20, 6000), 0.025)
    assert low < 10 / 6000 < high
    apart = 2 * 1.96 * (2 * 0.97 * 0.03 / 6000) ** 0.5
    assert high - low < apart / 2


def test_the_interval_mirrors_and_narrows_with_a_larger_error():
    low, high = loss_interval(PairedCounts(9, 2, 200), 0.025)
    assert loss_interval(PairedCounts(2, 9, 200), 0.025) == (-high, -low)
    wider = loss_interval(PairedCounts(9, 2, 200), 0.001)
    assert wider[0] < low < high < wider[1]


@pytest.mark.parametrize(("successes", "trials"), [(0, 20), (3, 20), (20, 20), (70, 6000)])
def test_binomial_intervals_are_clopper_and_pearsons(successes, trials):
    low, high = binomial_interval(successes, trials, 0.01)

    def at_most(count, share):
        terms = (
            comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(count + 1)
        )
        return sum(terms)

    if successes:
        assert 1 - at_most(successes - 1, low) == pytest.approx(0.01, abs=1e-4)
    if successes < trials:
        assert at_most(successes, high) == pytest.approx(0.01, abs=1e-4)
    assert (low == 0) == (successes == 0)
    assert (high == 1) == (successes == trials)


def test_counts_come_from_the_same_samples():
    first, second = np.array([1, 1, 0, 0, 1], bool), np.array([1, 0, 1, 0, 0], bool)
    counts = PairedCounts.of(first, second)
    assert (counts.lost, counts.gained, counts.samples) == (2, 1, 5)
    assert (counts.loss, counts.disagreement) == (pytest.approx(0.2), pytest.approx(0.6))
    with pytest.raises(ValueError, match="5 samples here, 4 there"):
        PairedCounts.of(first, second[:4])
    for wrong in ((-1, 0, 5), (3, 3, 5), (0, 0, 0)):
        with pytest.raises(ValueError, match="PairedCounts"):
            PairedCounts(*wrong)


@pytest.mark.parametrize("count", [1, 8, 9, 179, 6000])
def test_packed_samples_come_back(count):
    right = np.random.default_rng(count).random(count) < 0.7
    kept = CorrectSamples.of(right)
    assert np.array_equal(kept.array, right)
    assert kept.accuracy == pytest.approx(right.mean())


@pytest.mark.parametrize(
    ("count", "packed"), [(9, "AA=="), (0, ""), (-1, ""), (8, "?"), (8, "AA")]
)
def test_damaged_packed_samples_are_refused(count, packed):
    with pytest.raises(ValueError, match=r"do not hold|no base64"):
        CorrectSamples(count, packed)
