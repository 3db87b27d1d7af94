"""What the data sets have in common: fixed splits, images scaled to 0..1."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_SEED = 20180610  # any fixed number: everybody gets the same split


def parts(samples: int, *shares: float) -> list[npt.NDArray[np.int64]]:
    """Numbers of samples in parts of these shares and the rest, drawn the same way each time."""
    order = np.random.default_rng(_SEED).permutation(samples)
    ends = np.cumsum([int(share * samples) for share in shares])
    return np.split(order, ends)


def images(values: npt.NDArray[Any], white: int) -> npt.NDArray[np.float32]:
    """(n, h, w) or (n, h, w, c) of 0..white -> NHWC float32 of 0..1."""
    scaled = np.asarray(values, dtype=np.float32) / np.float32(white)
    return scaled[..., np.newaxis] if scaled.ndim == 3 else scaled
