"""Intervals of a paired loss: the exact one's error is computed over every outcome."""

import itertools
import math
from math import comb

import numpy as np
import pytest

from adadeep.core.paired import PairedCounts, PairedScores, binomial_interval, loss_interval

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


def scores(random, law, samples):
    """Of two networks: the second is worse by a bit, on some samples or on all."""
    first = random.random(samples)
    if law == "rare":  # nothing differs but on a few samples, and there wholly
        return first, np.where(random.random(samples) < 0.02, 0.0, first)
    if law == "extreme":  # as far apart as scores can be, one way or the other
        return (random.random((2, samples)) < 0.5).astype(float)
    return first, np.clip(first - 0.05 * random.standard_normal(samples) - 0.01, 0, 1)


@pytest.mark.parametrize(
    ("law", "samples"), [("rare", 40), ("extreme", 60), ("small", 200), ("rare", 300)]
)
def test_repeated_an_interval_of_scores_errs_at_most_as_often_as_it_says(law, samples):
    random, repeats, tail = np.random.default_rng(1), 200, 0.1
    first, second = scores(random, law, 400_000)
    truth = float(np.mean(first - second))
    above = below = 0
    for _ in range(repeats):
        low, high = PairedScores.of(*scores(random, law, samples), span=1.0).interval(tail)
        above, below = above + (truth > high), below + (truth < low)
    assert max(above, below) <= tail * repeats


def test_an_interval_of_scores_is_sharper_than_the_bernstein_bound():
    for law, samples in (("rare", 200), ("small", 200), ("extreme", 200), ("small", 2000)):
        first, second = scores(np.random.default_rng(0), law, samples)
        found = PairedScores.of(255 * first, 255 * second, span=255.0)
        logarithm = math.log(2 / 0.03)  # Maurer and Pontil's, of values from -1 to 1
        spread = math.sqrt(2 * np.var(first - second, ddof=1) * logarithm / samples)
        bound = spread + 14 * logarithm / (3 * (samples - 1))
        low, high = found.interval(0.03)
        assert found.loss == pytest.approx((first - second).mean())
        assert low < found.loss < high < found.loss + bound
        assert low > found.loss - bound


def test_an_interval_of_scores_mirrors():
    first, second = scores(np.random.default_rng(3), "small", 100)
    low, high = PairedScores.of(first, second, 1.0).interval(0.05)
    mirrored = PairedScores.of(second, first, 1.0).interval(0.05)
    assert mirrored == (pytest.approx(-high), pytest.approx(-low))


def test_with_many_samples_an_interval_of_scores_tells_small_losses():
    random = np.random.default_rng(0)
    low, high = PairedScores.of(*scores(random, "small", 6000), span=1.0).interval(0.025)
    assert -0.02 < low < high < 0.02


def test_one_sample_tells_nothing_and_no_difference_leaves_room_for_some():
    assert PairedScores.of(np.ones(1), np.zeros(1), 1.0).interval(0.1)[1] == 1.0
    same = PairedScores.of(np.ones(1000), np.ones(1000), 1.0)
    low, high = same.interval(0.1)
    assert -0.006 < low < 0 < high < 0.006
    assert (same.loss, same.square) == (0.0, 0.002)
    with pytest.raises(ValueError, match="2 samples here, 1 there"):
        PairedScores.of(np.ones(2), np.ones(1), 1.0)
