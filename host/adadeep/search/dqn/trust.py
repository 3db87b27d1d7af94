"""How far what the Q network has learned is trusted: as far as it has proved itself.

A network of that size errs by more than what most choices of many layers differ in. So after it
has learned it decides for demands that it was not taught, with all of what it has learned, with
some and with nothing; what plans earned so, compared in pairs, tells which share to go on with.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SHARES = (0.3, 1.0)  # that are tried, beside nothing
_FORGETS = 0.7  # what counts of examinations before: the network goes on learning
_ERRORS = 1.0  # standard errors by which more than nothing has to be earned


class Trial:
    """What shares of what was learned have earned, over nothing of it."""

    def __init__(self) -> None:
        self._sums = np.zeros((3, len(SHARES)))  # of weights, of what was earned, of its squares

    def share_of(self, earned: Floats) -> float:
        """The share to go on with, after one more examination; 0 while none has proved itself.

        Args:
            earned: with each share, over what was earned without; (shares, demands).
        """
        each = np.ones_like(earned), earned, np.square(earned)
        self._sums = _FORGETS * self._sums + [one.sum(axis=1) for one in each]
        count, total, squares = self._sums
        mean = total / count
        error = np.sqrt(np.maximum(squares / count - mean**2, 0.0) / count)
        sure = mean - _ERRORS * error
        best = int(sure.argmax())
        return SHARES[best] if sure[best] > 0 else 0.0
