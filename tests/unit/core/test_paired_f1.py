"""The interval of a loss in F1: it holds the truth, and says no more than the positives tell."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from adadeep.core.metric import Scale
from adadeep.core.paired_f1 import HIT, NEITHER, WRONG, PairedF1, f1_of, influences
from adadeep.core.scores import least_margin
from adadeep.training.metrics.f1 import F1_OF_TWO

# Share of positives; recall and false alarms of the first network and of the second; how much
# the two resemble each other.
LAWS = [
    (0.3, 0.9, 0.02, 0.85, 0.04, 0.9),
    (0.1, 0.95, 0.01, 0.5, 0.01, 0.5),
    (0.05, 0.6, 0.1, 0.9, 0.3, 0.0),
    (0.5, 1.0, 0.0, 0.97, 0.0, 1.0),
]


def drawn(rng, samples, law):
    positive_share, recall, alarms, recall2, alarms2, alike = law
    positive = rng.random(samples) < positive_share
    first, other = rng.random((2, samples))
    second = np.where(rng.random(samples) < alike, first, other)
    found = first < np.where(positive, recall, alarms)
    found2 = second < np.where(positive, recall2, alarms2)
    return positive, found, found2


def scored(found, positive):
    return np.select([found & positive, found | positive], [HIT, WRONG], NEITHER)


def paired(rng, samples, law):
    positive, *said = drawn(rng, samples, law)
    return PairedF1(*(scored(one, positive) for one in said))


def f1_by(share, recall, alarms):
    """Of a law, not of samples."""
    hits = share * recall
    return 2 * hits / (2 * hits + share * (1 - recall) + (1 - share) * alarms)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("samples", "tail"), [(60, 0.1), (400, 0.025)])
def test_repeated_on_simulated_data_the_interval_holds_the_loss(law, samples, tail):
    rng, repeats = np.random.default_rng(3), 300
    share, recall, alarms, recall2, alarms2, _ = law
    truth = f1_by(share, recall, alarms) - f1_by(share, recall2, alarms2)
    missed = np.zeros(2)
    for _ in range(repeats):
        low, high = paired(rng, samples, law).interval(tail)
        assert -1 <= low <= high <= 1
        missed += truth < low, truth > high
    assert (missed <= tail * repeats + 3 * (tail * repeats) ** 0.5).all()


@pytest.mark.parametrize("law", LAWS)
def test_of_many_samples_it_is_narrow(law):
    found = paired(np.random.default_rng(0), 20_000, law)
    low, high = found.interval(0.025)
    assert low < found.loss < high
    normal = 2 * 1.96 * (found.square / found.samples) ** 0.5
    assert normal < high - low < 4 * normal  # widest where one errs far more often


def test_it_mirrors_and_narrows_with_a_larger_error():
    found = paired(np.random.default_rng(1), 500, LAWS[0])
    low, high = found.interval(0.025)
    assert PairedF1(found.second, found.first).interval(0.025) == (-high, -low)
    wider = found.interval(0.001)
    assert wider[0] < low < high < wider[1]


@pytest.mark.parametrize("kinds", [(NEITHER, NEITHER), (HIT, WRONG), (WRONG, HIT), (WRONG, WRONG)])
def test_the_ends_of_what_can_be(kinds):
    low, high = PairedF1(*(np.full(50, kind) for kind in kinds)).interval(0.025)
    assert -1 <= low <= f1_of(np.full(9, kinds[0])) - f1_of(np.full(9, kinds[1])) <= high <= 1


def test_f1_is_that_of_scikit_learn_and_the_mean_of_its_influences():
    positive, found, _ = drawn(np.random.default_rng(5), 300, LAWS[0])
    scores = scored(found, positive)
    assert f1_of(scores) == pytest.approx(f1_score(positive, found))
    assert influences(scores).mean() == pytest.approx(f1_of(scores))
    assert influences(np.full(4, NEITHER)).tolist() == [1.0] * 4


def test_the_influences_tell_how_much_f1_varies():
    rng, samples = np.random.default_rng(7), 800
    found = [paired(rng, samples, LAWS[0]) for _ in range(400)]
    spread = np.std([one.loss for one in found])
    told = np.mean([(one.square - one.loss**2) / samples for one in found]) ** 0.5
    assert told == pytest.approx(spread, rel=0.1)


def test_few_positives_tell_less_than_many_samples_do():
    scale = Scale.of(F1_OF_TWO)
    few, many = (least_margin(2000, 0.025, scale, positive) for positive in (100, 1000))
    assert 5 * many < few < 0.1
    # Who is often wrong, and where the other is, has more to compare.
    assert least_margin(2000, 0.025, scale, 100, 300) < few


def test_networks_of_other_samples_are_refused():
    with pytest.raises(ValueError, match="3 samples here, 2 there"):
        PairedF1(np.ones(3), np.ones(2))
