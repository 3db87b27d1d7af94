"""How much F1 a network loses against another on the same samples: an interval that holds. Pure.

F1 is no mean of samples' scores but a ratio of two sums, F = sum(2 hits) / sum(size): a sample
that is positive and found is a hit, of size 2; one that is wrong (a miss or a false alarm) has
size 1; one that is neither has none and tells nothing. Were F1 of the first network r and of the
second r - m, then X = (2 hit - r size) of the first less (2 hit - (r - m) size) of the second
would be 0 on average, whatever the law of the samples. So m is refuted by bets against that, as in
`core.paired`, for every r that F1 of the first network can have: r lies within an interval of its
own, by bets against 2 hit - r size, whose error is added (Berger and Boos, JASA 1994). X is linear
in r, so what a bet wins is logarithmically concave in r, and least at an end of that interval:
both are looked at. It holds for every n, and is as wide as the number of positives says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.paired import SHARES, Floats, bisect, refutes

NEITHER, WRONG, HIT = 0.5, 0.0, 1.0  # scores of a sample
_NUISANCE_SHARE = 0.1  # of the tail, for the interval of the first network's F1
_LEAST_DIFFERING = 2  # samples


def f1_of(scores: npt.NDArray[np.floating]) -> float:
    """F1 of scores (n,); 1 where nothing was to be found and nothing was."""
    size = _sizes(scores).sum()
    return float(2 * (scores == HIT).sum() / size) if size else 1.0


def influences(scores: npt.NDArray[np.floating]) -> Floats:
    """What each sample does to F1, (n,): their mean is F1, their variance over n that of it."""
    found, sizes = f1_of(scores), _sizes(scores)
    mean_size = sizes.mean()
    if not mean_size:
        return np.ones(len(scores))
    return np.asarray(found + (2.0 * (scores == HIT) - found * sizes) / mean_size)


def _sizes(scores: npt.NDArray[np.floating]) -> Floats:
    return np.asarray(np.select([scores == HIT, scores == WRONG], [2.0, 1.0], 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class PairedF1:
    """Two networks on the same samples.

    Attributes:
        first: scores of the first network, (n,) of `HIT`, `WRONG` and `NEITHER`.
        second: of the second.
    """

    first: Floats
    second: Floats

    def __post_init__(self) -> None:
        if self.first.shape != self.second.shape:
            raise ValueError(f"{len(self.first)} samples here, {len(self.second)} there")

    @classmethod
    def same(cls, samples: int, hits: int, wrong: int = 0) -> PairedF1:
        """Of so many samples, of which so many are hits and wrong, and on which they agree."""
        scores = np.full(samples, NEITHER)
        scores[:hits] = HIT
        scores[hits : hits + wrong] = WRONG
        return cls(scores, scores)

    @property
    def samples(self) -> int:
        """How many."""
        return len(self.first)

    @property
    def loss(self) -> float:
        """F1 of the first less that of the second."""
        return f1_of(self.first) - f1_of(self.second)

    @property
    def square(self) -> float:
        """Of the influences' differences; as if two hits were lost, at least."""
        found = float(np.mean(np.square(influences(self.first) - influences(self.second))))
        a_hit = 1 / max(float(_sizes(self.first).mean()), 1 / self.samples)
        return max(found, _LEAST_DIFFERING / self.samples * a_hit**2)

    def interval(self, tail: float) -> tuple[float, float]:
        """By betting; each end errs with a probability of at most `tail`."""
        return -_upper(self.second, self.first, tail), _upper(self.first, self.second, tail)


def _upper(first: Floats, second: Floats, tail: float) -> float:
    """The least loss that is refuted, and with it every larger one; 1 if none is."""
    kinds, counts = np.unique(np.stack([first, second]), axis=1, return_counts=True)
    hits, sizes = 2.0 * (kinds == HIT), np.stack([_sizes(kinds[0]), _sizes(kinds[1])])
    nuisance = _NUISANCE_SHARE * tail
    ends = _f1_interval(hits[0], sizes[0], counts, nuisance / 2)

    def is_refuted(loss: float) -> bool:
        most = 2 - ends[0] - loss  # of X
        won = [
            _won((hits[0] - r * sizes[0] - hits[1] + (r - loss) * sizes[1]) / most, counts)
            for r in ends
        ]
        return refutes(np.minimum(*won), tail - nuisance)

    highest = ends[1]  # the second network's F1 is no less than 0
    low = min(f1_of(first) - f1_of(second), highest)
    return bisect(is_refuted, low, highest) if low < highest else highest


def _f1_interval(
    hits: Floats, sizes: Floats, counts: npt.NDArray[np.int64], tail: float
) -> tuple[float, float]:
    """Of one network's F1; each end errs with a probability of at most `tail`."""

    def is_above(r: float) -> bool:  # refutes that F1 is so large
        return refutes(_won((hits - r * sizes) / (2 - 2 * r), counts), tail)

    def is_below(r: float) -> bool:  # mirrored: that it is so small
        return refutes(_won(-(hits - (1 - r) * sizes) / (1 - r), counts), tail)

    total = float(sizes @ counts)
    if not total:
        return 0.0, 1.0
    found = float(hits @ counts) / total
    high = bisect(is_above, found, 1.0 - 1e-9) if found < 1 else 1.0
    return 1 - bisect(is_below, 1 - found, 1.0 - 1e-9) if found > 0 else 0.0, high


def _won(values: Floats, counts: npt.NDArray[np.int64]) -> Floats:
    """Logarithm of what each share of the capital has become; values are at most 1."""
    return np.asarray(np.log1p(-SHARES[:, None] * values) @ counts)
