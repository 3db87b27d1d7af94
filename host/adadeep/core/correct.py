"""Which samples a network got right, kept packed: a bit a sample."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_MOST = 10_000_000


@dataclass(frozen=True, slots=True)
class CorrectSamples:
    """Which of some samples a network got right, in their order.

    Attributes:
        count: samples.
        packed: base64 of a bit a sample, the first one highest in its byte.
    """

    count: int
    packed: str

    def __post_init__(self) -> None:
        if not 0 < self.count <= _MOST or len(self._bytes) != -(-self.count // 8):
            raise ValueError(f"{len(self._bytes)} bytes do not hold {self.count} samples")

    @classmethod
    def of(cls, correct: npt.NDArray[np.bool_]) -> CorrectSamples:
        """From (n,) of bool."""
        return cls(len(correct), base64.b64encode(np.packbits(correct).tobytes()).decode())

    @property
    def _bytes(self) -> bytes:
        try:
            return base64.b64decode(self.packed, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"no base64: {error}") from error

    @property
    def array(self) -> npt.NDArray[np.bool_]:
        """(n,) of bool."""
        bits = np.unpackbits(np.frombuffer(self._bytes, np.uint8), count=self.count)
        return bits.astype(np.bool_)

    @property
    def accuracy(self) -> float:
        """Share of the samples, 0..1."""
        return float(np.mean(self.array))
