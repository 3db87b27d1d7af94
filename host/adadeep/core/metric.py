"""Metric: what a network is judged by, a score a sample. Scale: what its numbers mean."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from adadeep.core.reader import require_name, require_range
from adadeep.core.units import format_percent

if TYPE_CHECKING:  # commands that show a quality need no numpy
    import numpy.typing as npt

_F1 = "f1"
_LONGEST_TITLE = 80
_HUGE = 1e18


class Metric(Protocol):
    """Judges outputs sample by sample; the quality of a network is the mean of its scores.

    One that is named "f1" is the exception: see `core.paired_f1`.

    Attributes:
        name: in the registry, in tasks: "accuracy".
        title: for people: what the quality is called.
        higher_is_better: which way is better.
        low: the least score there can be.
        high: the greatest.
        is_binary: whether a score is 0 or 1 and nothing between; verdicts are then sharper.
        least_agreement: of two runtimes that compute the same.
    """

    name: str
    title: str
    higher_is_better: bool
    low: float
    high: float
    is_binary: bool
    least_agreement: float

    def scores(self, outputs: Any, labels: Any) -> npt.NDArray[Any]:
        """A score a sample, within `low` to `high` whatever the outputs are, not finite ones too.

        Args:
            outputs: of a network; (n, ...), or `rows.Several` of one with several outputs.
            labels: of the same samples, as the data set has them; likewise.

        Returns:
            (n,).
        """
        ...

    def agreement(self, a: Any, b: Any) -> float:
        """How far two sets of outputs of the same samples mean the same, 0..1; 1 if equal."""
        ...


@dataclass(frozen=True, slots=True)
class Scale:
    """What the numbers of a metric mean: kept with them, so that they are read without it.

    What names none is of accuracy: so are all files of version 0.1.

    Attributes:
        name: of the metric.
        title: for people.
        higher_is_better: which way is better.
        low: the least there can be.
        high: the greatest.
        is_binary: whether a sample's score is 0 or 1 and nothing between.
    """

    name: str = "accuracy"
    title: str = "accuracy"
    higher_is_better: bool = True
    low: float = 0.0
    high: float = 1.0
    is_binary: bool = True

    def __post_init__(self) -> None:
        require_name("metric", self.name)
        require_range("an end of the metric's range", -_HUGE, _HUGE, self.low, self.high)
        if not 1 <= len(self.title) <= _LONGEST_TITLE:
            raise ValueError(f"the metric's title has {len(self.title)} characters")
        if self.low >= self.high or (self.is_binary and (self.low, self.high) != (0, 1)):
            raise ValueError(f"a metric can't range from {self.low:g} to {self.high:g}")

    @classmethod
    def of(cls, metric: Metric) -> Self:
        """Of a metric that is installed here."""
        return cls(
            metric.name,
            metric.title,
            metric.higher_is_better,
            float(metric.low),
            float(metric.high),
            metric.is_binary,
        )

    @property
    def span(self) -> float:
        """The largest difference of two qualities."""
        return self.high - self.low

    @property
    def is_f1(self) -> bool:
        """Whether a quality is 2 hits over 2 hits and what is wrong, and no mean."""
        return self.name == _F1

    @property
    def best(self) -> float:
        """The best quality there can be."""
        return self.high if self.higher_is_better else self.low

    def advantage(self, quality: float, over: float) -> float:
        """How much better a quality is than another, in the metric's unit; negative if worse."""
        return quality - over if self.higher_is_better else over - quality

    def loss(self, first: float, second: float) -> float:
        """What is lost from the first quality to the second, a fraction of the range: -1..1."""
        return self.advantage(first, second) / self.span

    def worsened(self, quality: float, loss: float) -> float:
        """The quality after a loss, which is a fraction of the range; no worse than the worst."""
        if self.higher_is_better:
            return max(quality - loss * self.span, self.low)
        return min(quality + loss * self.span, self.high)

    @property
    def about(self) -> str:
        """For people: "mean error, from 0 to 255, lower is better"."""
        way = "higher" if self.higher_is_better else "lower"
        return f"{self.title}, from {self.low:g} to {self.high:g}, {way} is better"

    def require(self, name: str, *values: float | None) -> None:
        """For foreign data: raises ValueError where a quality or a score is out of the range.

        Scores are kept as float32, so the ends are taken as those round.
        """
        ends = (self.low, self.high)
        ends += struct.unpack("<2f", struct.pack("<2f", *ends))
        require_range(name, min(ends), max(ends), *values)

    def shown(self, quality: float | None) -> str:
        """For people: a percentage where the range is 0 to 1."""
        if quality is None or (self.low, self.high) == (0, 1):
            return format_percent(quality)
        return f"{quality:.4g}"


ACCURACY_SCALE = Scale()
