"""How near outputs have to be: a coarse file passes, a broken one never does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adadeep.convert.closeness import LEAST_SQNR_DB, require_close, sqnr_db
from adadeep.convert.precisions.float16 import FLOAT16
from adadeep.convert.precisions.float32 import FLOAT32
from adadeep.convert.precisions.int8 import INT8
from adadeep.core.errors import ConversionError
from adadeep.core.rows import Several

RNG = np.random.default_rng(0)
EXPECTED = RNG.normal(100, 3, (32, 5)).astype("f4")  # far from 0: a spread of about 20
SPREAD = float(np.ptp(EXPECTED))


def off_by(share: float) -> np.ndarray:
    """One element of one sample is off."""
    given = EXPECTED.copy()
    given[3, 2] += share * SPREAD
    return given


def test_equal_outputs_agree() -> None:
    found = require_close(EXPECTED, EXPECTED, FLOAT32)
    assert (found.largest, found.sqnr_db, found.samples) == (0, math.inf, 32)


@pytest.mark.parametrize("precision", [FLOAT32, FLOAT16], ids=lambda one: one.name)
def test_floats_are_held_by_their_worst_element_against_the_spread(precision) -> None:
    share = precision.tolerance
    assert require_close(EXPECTED, off_by(0.9 * share), precision).largest < share
    with pytest.raises(ConversionError, match=rf"differs by .*% of its spread.*{precision.name}"):
        require_close(EXPECTED, off_by(1.2 * share), precision)


BROKEN = {
    "a constant": np.broadcast_to(EXPECTED.mean(axis=0), EXPECTED.shape),
    "zeros": np.zeros_like(EXPECTED),
    "other places": EXPECTED[:, ::-1],
    "other samples": EXPECTED[::-1],
    "another sign": -EXPECTED,
    "not finite": off_by(np.nan),
    "infinite": off_by(np.inf),
    "another scale": EXPECTED / 255,
}


@pytest.mark.parametrize("precision", [FLOAT32, FLOAT16, INT8], ids=lambda one: one.name)
@pytest.mark.parametrize("given", BROKEN.values(), ids=list(BROKEN))
def test_what_is_broken_is_refused_in_every_precision(precision, given) -> None:
    with pytest.raises(ConversionError, match="does not compute what the network does"):
        require_close(EXPECTED, given, precision)


def test_what_is_coarse_passes_as_int8_and_not_as_float() -> None:
    coarse = np.round(EXPECTED / 4) * 4  # about five values in all
    assert require_close(EXPECTED, coarse, INT8).sqnr_db > LEAST_SQNR_DB
    with pytest.raises(ConversionError):
        require_close(EXPECTED, coarse, FLOAT32)


def test_what_the_outputs_own_rounding_takes_counts_for_nothing() -> None:
    """Of an untrained network: nearly the same for each sample."""
    flat = (0.1 + RNG.normal(0, 1e-4, (32, 10))).astype("f4")
    step = 1 / 256
    rounded = np.round(flat / step) * step
    assert require_close(flat, rounded, INT8, (step,)).sqnr_db > LEAST_SQNR_DB
    with pytest.raises(ConversionError):
        require_close(flat, rounded, INT8, (0.0,))


def test_an_output_that_never_changes_is_compared_by_its_values() -> None:
    same = np.full((32, 4), 7.0, "f4")
    for precision in (FLOAT32, INT8):
        assert require_close(same, same * (1 + 1e-7), precision).largest < 1e-3
        with pytest.raises(ConversionError):
            require_close(same, same * 1.01, precision)
    assert require_close(same * 0, same * 0, FLOAT32).largest == 0
    with pytest.raises(ConversionError):
        require_close(same * 0, same, FLOAT32)


def test_what_the_network_itself_gives_as_not_finite_is_left_out() -> None:
    broken = off_by(np.nan)
    assert require_close(broken, EXPECTED, FLOAT32).largest == 0
    assert require_close(EXPECTED * np.nan, EXPECTED, FLOAT32).sqnr_db == math.inf


def test_the_worst_of_several_outputs_counts_and_is_named() -> None:
    here = Several((EXPECTED, EXPECTED[:, :2]))
    found = require_close(here, Several((off_by(5e-4), EXPECTED[:, :2])), FLOAT32)
    assert found.largest == pytest.approx(5e-4, rel=0.1)
    with pytest.raises(ConversionError, match="output 2 differs by"):
        require_close(here, Several((EXPECTED, -EXPECTED[:, :2])), FLOAT32)


def test_outputs_of_other_shapes_are_refused() -> None:
    for given in (EXPECTED[:, :4], EXPECTED[:31], Several((EXPECTED, EXPECTED))):
        with pytest.raises(ConversionError, match="gives outputs of shapes"):
            require_close(EXPECTED, given, FLOAT32)


def test_signal_to_noise_is_told_in_decibels() -> None:
    here = np.array([[1.0], [-1.0]])
    assert sqnr_db(here, here * 1.1) == pytest.approx(20)
    assert sqnr_db(here, here * 0) == pytest.approx(0)
    assert sqnr_db(here * 0, here) == -math.inf
