"""How a network did on some samples, sample by sample, kept packed."""

from __future__ import annotations

import base64
import binascii
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.core.errors import ConfigError
from adadeep.core.metric import Metric, Scale
from adadeep.core.paired import Paired, PairedCounts, PairedScores
from adadeep.core.paired_f1 import HIT, WRONG, PairedF1, f1_of
from adadeep.core.rows import Rows

_MOST = 10_000_000
_FLOAT = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class SampleScores:
    """The scores of some samples, in their order; how they are packed follows from the length.

    Attributes:
        count: samples.
        packed: base64 of a bit a sample, the first one highest in its byte, where each was right
            or wrong; of two bits a sample and a byte of 0 where it was wrong (0), neither (1) or a
            hit (2), for F1; else of a float32 a sample, the lowest byte first.
    """

    count: int
    packed: str

    def __post_init__(self) -> None:
        lengths = (-(-self.count // 8), _of_hits(self.count), self.count * _FLOAT.itemsize)
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

    @classmethod
    def of_hits(cls, scores: npt.NDArray[Any]) -> SampleScores:
        """From (n,) of scores of F1: 0 is wrong, 0.5 neither, 1 a hit."""
        two = np.zeros((len(scores), 2), np.bool_)
        two[:, 0], two[:, 1] = scores == 1.0, scores == 0.5
        data = np.packbits(two).tobytes() + b"\0"
        return cls(len(scores), base64.b64encode(data).decode())

    @property
    def _bytes(self) -> bytes:
        try:
            return base64.b64decode(self.packed, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"no base64: {error}") from error

    @property
    def is_binary(self) -> bool:
        """Whether each sample was right or wrong."""
        return len(self._bytes) == -(-self.count // 8)

    @property
    def is_f1(self) -> bool:
        """Whether each was wrong, neither or a hit."""
        return len(self._bytes) == _of_hits(self.count)

    @property
    def array(self) -> npt.NDArray[Any]:
        """(n,) of bool or float32."""
        if self.is_f1:
            bits = np.unpackbits(np.frombuffer(self._bytes, np.uint8), count=2 * self.count)
            return np.asarray(bits.reshape(-1, 2) @ np.array([1.0, 0.5]), _FLOAT)
        if not self.is_binary:
            return np.frombuffer(self._bytes, _FLOAT)
        bits = np.unpackbits(np.frombuffer(self._bytes, np.uint8), count=self.count)
        return bits.astype(np.bool_)

    @property
    def quality(self) -> float:
        """The mean; of right and wrong samples the share of right ones; F1 where it is that."""
        return f1_of(self.array) if self.is_f1 else float(np.mean(self.array, dtype=np.float64))

    @property
    def outcomes(self) -> tuple[int, int]:
        """How many samples score 1 (are right, or found) and 0 (are wrong)."""
        return int((self.array == HIT).sum()), int((self.array == WRONG).sum())

    def require(self, scale: Scale) -> None:
        """For foreign data: raises ValueError where these can't be scores of that metric."""
        if (self.is_binary, self.is_f1) != (scale.is_binary, scale.is_f1):
            raise ValueError(f"scores are packed otherwise than those of {scale.name}")
        array = self.array
        scale.require("a score", float(array.min()), float(array.max()))


def _of_hits(count: int) -> int:
    """Bytes of so many samples that are wrong, neither or hits: never as many as otherwise."""
    return -(-count // 4) + 1


def compared(scale: Scale, initial: SampleScores, mine: SampleScores) -> Paired:
    """A network against the initial one on the same samples.

    Raises:
        ValueError: they are not of the same samples.
    """
    first, second = initial.array, mine.array
    if scale.is_f1:
        return PairedF1(first.astype(np.float64), second.astype(np.float64))
    if not scale.higher_is_better:
        first, second = second, first
    if scale.is_binary:
        return PairedCounts.of(first, second)
    return PairedScores.of(first, second, scale.span)


@functools.lru_cache(maxsize=64)
def least_margin(samples: int, tail: float, scale: Scale, hits: int = 0, wrong: int = 0) -> float:
    """The loss that can be ruled out where no sample tells two networks apart.

    Args:
        samples: of each.
        tail: see `Paired.interval`.
        scale: of the metric.
        hits: samples that both found, for F1.
        wrong: that both missed, or took for such.
    """
    if scale.is_f1:
        same: Paired = PairedF1.same(samples, hits, wrong)
    elif scale.is_binary:
        same = PairedCounts(0, 0, samples)
    else:
        same = PairedScores(np.zeros(samples))
    return same.interval(tail)[1]


def judged(metric: Metric, outputs: Rows, labels: Rows) -> SampleScores:
    """The scores that a metric gives a network's outputs.

    Raises:
        ConfigError: they are not what the metric says of itself.
    """
    scores = np.asarray(metric.scores(outputs, labels), np.float64)
    try:
        if scores.shape != (len(outputs),):
            raise ValueError(f"scores of shape {scores.shape} for {len(outputs)} samples")
        scale = Scale.of(metric)
        scale.require("a score", float(scores.min()), float(scores.max()))
        if metric.is_binary and not np.isin(scores, (0, 1)).all():
            raise ValueError("a score between 0 and 1")
        if scale.is_f1 and not np.isin(scores, (0, 0.5, 1)).all():
            raise ValueError("a score that is not 0, 0.5 or 1")
    except ValueError as error:
        raise ConfigError(
            f"metric {metric.name!r} breaks its own rules ({error}); update the package that"
            " brings it."
        ) from error
    if scale.is_f1:
        return SampleScores.of_hits(scores)
    return SampleScores.of(scores.astype(np.bool_) if metric.is_binary else scores)
