import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adadeep.core import statistics
from adadeep.core.statistics import percentile, summarise

samples = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=200)


@given(samples, st.floats(0, 1))
def test_percentiles_are_those_of_numpy(values, fraction):
    assert percentile(sorted(values), fraction) == pytest.approx(np.quantile(values, fraction))


@given(samples)
def test_a_summary_is_in_order_whatever_the_sample(values):
    found = summarise(values)
    low, high = found.minimum, found.maximum
    assert low <= found.ci_low <= found.median * (1 + 1e-12)
    assert found.median <= found.ci_high * (1 + 1e-12)
    assert found.ci_high <= high
    assert low <= found.p5 <= found.p95 <= high
    assert found.count == len(values)


def test_one_slow_run_moves_neither_the_median_nor_its_interval():
    steady = [1.0] * 30
    assert summarise([*steady, 1000.0]).ci_high == 1.0
    assert summarise([*steady, 1000.0]).maximum == 1000.0


def test_no_samples_have_no_summary():
    with pytest.raises(ValueError, match="no samples"):
        summarise([])


# Abramowitz and Stegun, table 26.10, and R's qt() for fractions of a degree.
@pytest.mark.parametrize(
    ("probability", "df", "expected"),
    [
        (0.975, 1, 12.7062), (0.975, 2, 4.30265), (0.975, 3, 3.18245), (0.975, 10, 2.22814),
        (0.975, 30, 2.04227), (0.95, 5, 2.01505), (0.995, 4, 4.60409), (0.9, 60, 1.29582),
        (0.975, 120, 1.97993), (0.975, 1e9, 1.95996), (0.5, 7, 0.0), (0.025, 3, -3.18245),
    ],
)  # fmt: skip
def test_quantiles_of_t_are_those_of_the_tables(probability, df, expected):
    assert statistics.t_quantile(probability, df) == pytest.approx(expected, rel=2e-5, abs=1e-9)


def test_quantiles_of_t_of_fractions_of_a_degree_lie_between():
    values = [statistics.t_quantile(0.975, df) for df in (0.5, 1, 1.5, 2, 2.5, 3)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 100


@pytest.mark.parametrize(("probability", "df"), [(0.0, 3), (1.0, 3), (0.5, 0), (0.5, math.nan)])
def test_a_quantile_that_there_is_not_is_refused(probability, df):
    with pytest.raises(ValueError, match="no quantile"):
        statistics.t_quantile(probability, df)


@pytest.mark.parametrize("fraction", [0.5, 0.9, 0.95])
def test_order_statistics_hold_a_quantile_as_often_as_they_say(fraction):
    random = np.random.default_rng(0)
    low, high = statistics.quantile_ranks(200, fraction)
    samples = np.sort(random.uniform(size=(4000, 200)), axis=1)
    held = np.mean((samples[:, low] <= fraction) & (fraction <= samples[:, high]))
    assert 0.94 <= held <= 0.975


def test_ranks_of_a_sample_that_is_too_small_are_its_ends():
    assert statistics.quantile_ranks(1, 0.95) == (0, 0)
    assert statistics.quantile_ranks(5, 0.99) == (3, 4)


def test_ranks_of_a_large_sample_go_on_where_those_of_a_small_one_end():
    small, large = (statistics.quantile_ranks(n, 0.95) for n in (5000, 5001))
    assert np.abs(np.subtract(small, large)).max() <= 2
