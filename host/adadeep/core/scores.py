"""How a network did on some samples, sample by sample, kept packed."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.core.errors import ConfigError
from adadeep.core.metric import Metric, Scale
from adadeep.core.rows import Rows

_MOST = 10_000_000
_FLOAT = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class SampleScores:
    """The scores of some samples, in their order; how they are packed follows from the length.

    Attributes:
        count: samples.
        packed: base64 of a bit a sample, the first one highest in its byte, where each was right
            or wrong; else of a float32 a sample, the lowest byte first.
    """

    count: int
    packed: str

    def __post_init__(self) -> None:
        lengths = (-(-self.count // 8), self.count * _FLOAT.itemsize)
        if not 0 < self.count <= _MOST or len(self._bytes) not in lengths:
            raise ValueError(f"{len(self._bytes)} bytes do not hold {self.count} samples")
        if not self.is_binary and not np.isfinite(self.array).all():
            raise ValueError("a score is not finite")

    @classmethod
    def of(cls, scores: npt.NDArray[Any]) -> SampleScores:
        """From (n,) of bool or of numbers."""
        is_binary = scores.dtype == np.bool_
        data = np.packbits(scores) if is_binary else scores.astype(_FLOAT)
        return cls(len(scores), base64.b64encode(data.tobytes()).decode())

    @property
    def _bytes(self) -> bytes:
        try:
            return base64.b64decode(self.packed, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"no base64: {error}") from error

    @property
    def is_binary(self) -> bool:
        """Whether each sample was right or wrong."""
        return len(self._bytes) < self.count * _FLOAT.itemsize

    @property
    def array(self) -> npt.NDArray[Any]:
        """(n,) of bool or float32."""
        if not self.is_binary:
            return np.frombuffer(self._bytes, _FLOAT)
        bits = np.unpackbits(np.frombuffer(self._bytes, np.uint8), count=self.count)
        return bits.astype(np.bool_)

    @property
    def mean(self) -> float:
        """The quality; of right and wrong samples the share of right ones."""
        return float(np.mean(self.array, dtype=np.float64))

    def require(self, scale: Scale) -> None:
        """For foreign data: raises ValueError where these can't be scores of that metric."""
        if self.is_binary != scale.is_binary:
            raise ValueError(f"scores are packed otherwise than those of {scale.name}")
        array = self.array
        scale.require("a score", float(array.min()), float(array.max()))


def judged(metric: Metric, outputs: Rows, labels: Rows) -> SampleScores:
    """The scores that a metric gives a network's outputs.

    Raises:
        ConfigError: they are not what the metric says of itself.
    """
    scores = np.asarray(metric.scores(outputs, labels), np.float64)
    try:
        if scores.shape != (len(outputs),):
            raise ValueError(f"scores of shape {scores.shape} for {len(outputs)} samples")
        Scale.of(metric).require("a score", float(scores.min()), float(scores.max()))
        if metric.is_binary and not np.isin(scores, (0, 1)).all():
            raise ValueError("a score between 0 and 1")
    except ValueError as error:
        raise ConfigError(
            f"metric {metric.name!r} breaks its own rules ({error}); update the package that"
            " brings it."
        ) from error
    return SampleScores.of(scores.astype(np.bool_) if metric.is_binary else scores)
