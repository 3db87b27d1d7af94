import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
