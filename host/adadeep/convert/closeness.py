"""How near a .tflite's outputs have to be to the network's. No TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.errors import ConversionError
from adadeep.core.precision import Precision
from adadeep.core.rows import Array, Rows, each

# An output that says nothing of its sample, such as a constant, has 0 dB; one of another place or
# with a wrong sign -3 or less; the coarsest that decides anything like the network some more.
LEAST_SQNR_DB = 1.0
_FLOAT_BITS = 32
_FLAT = 0.001  # of its values: less than that an output need not tell apart


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near a .tflite's outputs are to the network's, on the same samples; of the worst output.

    Attributes:
        largest: the largest difference of two elements, over the spread of that output (a
            thousandth of its values at the least).
        sqnr_db: what the outputs tell of their samples over what they are off, in dB, what the
            rounding of the output itself takes not counted; infinite if nothing is off.
        samples: how many were compared.
    """

    largest: float
    sqnr_db: float
    samples: int


def require_close(
    expected: Rows, given: Rows, precision: Precision, steps: tuple[float, ...] = ()
) -> Agreement:
    """Compares outputs, one by one.

    Where a precision computes in floats no element may be off by more than its tolerance, as a
    share of that output's spread (the greatest less the least of its elements on these samples).
    Of others that would refuse what is coarse, which is for the verdict to judge: there the
    signal to quantisation noise has to be `LEAST_SQNR_DB`, by which a broken conversion is told.
    Elements that the network itself gives as not finite are left out.

    Args:
        expected: outputs of the network, an array (n, ...) each.
        given: of the .tflite, in the same order.
        precision: of the .tflite.
        steps: by how much the neighbours of each output's values differ; 0 of floats.

    Raises:
        ConversionError: they are not near; says by how much.
    """
    found = Agreement(0.0, math.inf, len(expected))
    steps = steps or (0.0,) * len(each(expected))
    for number, (here, there, step) in enumerate(_pairs(expected, given, steps)):
        one = _of_output(here, there, step)
        _require(one, precision, f"output {number + 1}" if len(steps) > 1 else "the output")
        found = Agreement(
            max(found.largest, one.largest), min(found.sqnr_db, one.sqnr_db), found.samples
        )
    return found


def _pairs(
    expected: Rows, given: Rows, steps: tuple[float, ...]
) -> Iterator[tuple[Array, Array, float]]:
    shapes = [[array.shape for array in each(rows)] for rows in (expected, given)]
    if shapes[0] != shapes[1]:
        raise ConversionError(
            f"The .tflite gives outputs of shapes {shapes[1]} and the network {shapes[0]}; report"
            " this with the network."
        )
    yield from zip(each(expected), each(given), steps, strict=True)


def _require(one: Agreement, precision: Precision, name: str) -> None:
    is_float = precision.activation_bits >= _FLOAT_BITS
    if is_float and not one.largest <= precision.tolerance:
        raise ConversionError(
            f"The .tflite does not compute what the network does: {name} differs by"
            f" {one.largest:.2%} of its spread on {one.samples} samples ({precision.name}: at most"
            f" {precision.tolerance:.1%}). Try another precision, and report this."
        )
    if not is_float and not one.sqnr_db >= LEAST_SQNR_DB:
        raise ConversionError(
            f"The .tflite does not compute what the network does: {name} has"
            f" {one.sqnr_db:.1f} dB of signal to noise on {one.samples} samples ({precision.name}:"
            f" at least {LEAST_SQNR_DB:g} dB). Try another precision, such as float32."
        )


def _of_output(expected: Array, given: Array, step: float) -> Agreement:
    here, there = expected.astype(np.float64), given.astype(np.float64)
    known = np.isfinite(here)
    here, there = np.where(known, here, 0.0), np.where(known, there, 0.0)
    values = here[known]
    if not values.size:
        return Agreement(0.0, math.inf, len(expected))
    off = np.abs(here - there)
    least = max(_FLAT * float(np.max(np.abs(values))), float(np.finfo(np.float32).tiny))
    largest = float(np.max(off)) if np.isfinite(off).all() else math.inf
    return Agreement(
        largest / max(float(np.ptp(values)), least),
        sqnr_db(here, there, max(step, least)),
        len(expected),
    )


def sqnr_db(expected: Array, given: Array, step: float = 0.0) -> float:
    """Signal to noise of an output, in dB: what it tells of its samples over what it is off.

    Args:
        expected: (n, ...) outputs of the network.
        given: (n, ...) of the .tflite.
        step: by how much neighbours of the values given differ: what is off by that is as near
            as can be.

    Returns:
        Infinite if nothing is off, minus infinity if something given is not finite.
    """
    noise = float(np.mean(np.square(given - expected)))
    if not math.isfinite(noise):
        return -math.inf
    if noise == 0:
        return math.inf
    told: npt.NDArray[np.float64] = expected - expected.mean(axis=0)
    signal = float(np.mean(np.square(told))) + step**2
    return 10 * math.log10(signal / noise) if signal > 0 else -math.inf
