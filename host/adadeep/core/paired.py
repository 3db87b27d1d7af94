"""How much a network loses against another on the same samples: intervals that hold. Pure.

**Samples that are right or wrong.** Of n samples, `lost` are those that only the first network
gets right, `gained` those that only the second does. With p10 and p01 their probabilities, the
loss is p10 - p01 and d = lost - gained is a sum of n independent steps of -1, 0, +1, whose
distribution is known exactly. What the loss does not tell is how often the networks differ at all,
p10 + p01. It is taken as large (or small) as is bad for the claim within an exact
(Clopper-Pearson) interval of its own, whose error is added to that of the claim (Berger and Boos,
JASA 1994). So an interval errs at most as often as it says, for every n and however rare the
differences are; no normal approximation is made.

**Samples with any score of a range.** The differences of one network's scores from another's are
bounded, whatever their law. A mean m of values within 0..1 is held possible until a bet against it
has won too much (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
betting", JRSS B 2024): with shares c of the capital, fixed beforehand, the product of
1 - c (X - m) / (1 - m) over independent samples is 1 on average where the mean is m and never
negative, and so is its mean over several c; that it reaches 1/tail has a probability of at most
tail (Markov). It grows with m, so what is refuted lies above one number, the upper end; mirrored
it gives the lower one. It holds for every n. Of 200 samples that do not differ it is +-3.3 %; the
empirical Bernstein bound of Maurer and Pontil (COLT 2009), which stood here before, +-10 %.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]

_NUISANCE_SHARE = 0.1  # of the tail, for the interval of how often the networks differ
# Values of p10 + p01 that are looked at. Where the networks nearly always differ, the law has gaps
# (d is odd or even with n) and changes quickly.
_GRID, _FINE_GRID = 8, 200
_AT_ONCE = 10_000  # samples times values of the grid that are computed together
_STEPS = 18  # of bisection: to 4e-6, to the safe side
_LEAST_DIFFERING = 2  # samples
# Of the capital that is bet: large ones win where samples hardly differ, small ones of many.
SHARES = np.geomspace(0.002, 0.98, 24)


class Paired(Protocol):
    """Two networks on the same samples; losses are fractions of the metric's range."""

    @property
    def samples(self) -> int:
        """How many."""
        ...

    @property
    def loss(self) -> float:
        """The estimate: negative where the second network is better."""
        ...

    @property
    def square(self) -> float:
        """The mean square of the differences, to be counted with elsewhere: never 0."""
        ...

    def interval(self, tail: float) -> tuple[float, float]:
        """An interval of the loss; each end errs with a probability of at most `tail`."""
        ...


@dataclass(frozen=True, slots=True)
class PairedCounts:
    """Two networks on the same samples.

    Attributes:
        lost: samples that only the first got right.
        gained: samples that only the second got right.
        samples: all of them.
    """

    lost: int
    gained: int
    samples: int

    def __post_init__(self) -> None:
        if min(self.lost, self.gained) < 0 or not 0 < self.samples <= 10_000_000:
            raise ValueError(f"{self} are no counts")
        if self.lost + self.gained > self.samples:
            raise ValueError(f"{self}: more differ than there are")

    @classmethod
    def of(cls, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> PairedCounts:
        """From which samples each got right; both (n,).

        Raises:
            ValueError: they are not of the same samples.
        """
        if first.shape != second.shape:
            raise ValueError(f"{len(first)} samples here, {len(second)} there")
        return cls(int(np.sum(first & ~second)), int(np.sum(second & ~first)), len(first))

    @property
    def loss(self) -> float:
        """The estimate of p10 - p01: a fraction, negative where the second is better."""
        return (self.lost - self.gained) / self.samples

    @property
    def disagreement(self) -> float:
        """Share of the samples on which they differ."""
        return (self.lost + self.gained) / self.samples

    @property
    def square(self) -> float:
        """The disagreement, of two samples at least: that none differs here says little."""
        return max(self.disagreement, _LEAST_DIFFERING / self.samples)

    def interval(self, tail: float) -> tuple[float, float]:
        """The exact one."""
        return loss_interval(self, tail)


@dataclass(frozen=True, slots=True, eq=False)
class PairedScores:
    """Two networks' scores of the same samples, where a score is any number of a range.

    Attributes:
        differences: (n,) first less second, in ranges of the metric: -1..1.
    """

    differences: Floats

    @classmethod
    def of(cls, first: npt.NDArray[Any], second: npt.NDArray[Any], span: float) -> PairedScores:
        """From the scores, both (n,), the higher the better; `span` is high less low.

        Raises:
            ValueError: they are not of the same samples.
        """
        if first.shape != second.shape:
            raise ValueError(f"{len(first)} samples here, {len(second)} there")
        return cls((first.astype(np.float64) - second) / span)

    @property
    def samples(self) -> int:
        """How many."""
        return len(self.differences)

    @property
    def loss(self) -> float:
        """The mean difference."""
        return float(np.mean(self.differences))

    @property
    def square(self) -> float:
        """As if two samples differed by the whole range, at least."""
        found = float(np.mean(np.square(self.differences)))
        return max(found, _LEAST_DIFFERING / self.samples)

    def interval(self, tail: float) -> tuple[float, float]:
        """By betting; each end errs with a probability of at most `tail`."""
        values = (self.differences.clip(-1.0, 1.0) + 1) / 2
        low, high = 1 - _refuted_from(1 - values, tail), _refuted_from(values, tail)
        return max(2 * low - 1, -1.0), min(2 * high - 1, 1.0)


def _refuted_from(values: Floats, tail: float) -> float:
    """The least mean that bets on a smaller one refute, of values within 0..1; 1 if none is."""
    parts = np.array_split(values, len(values) // _AT_ONCE + 1)

    def is_refuted(mean: float) -> bool:
        won = np.zeros(len(SHARES))
        for part in parts:
            won += np.log1p(-SHARES[:, None] * ((part - mean) / (1 - mean))).sum(axis=1)
        return refutes(won, tail)

    found = float(values.mean())
    return bisect(is_refuted, found, 1.0) if found < 1 else 1.0


def refutes(won: Floats, tail: float) -> bool:
    """Whether bets have won too much for what they are made against to be held possible.

    Args:
        won: logarithm of what each of `SHARES` has made of its capital.
        tail: how often that may happen by chance.
    """
    return bool(np.logaddexp.reduce(won) - math.log(len(won)) >= -math.log(tail))


@functools.lru_cache(maxsize=256)
def loss_interval(counts: PairedCounts, tail: float) -> tuple[float, float]:
    """An exact interval of the loss.

    Args:
        counts: what was seen.
        tail: the loss is above the upper end, and likewise below the lower one, with at most this
            probability, 0..0.5.

    Returns:
        The ends, within -1..1.
    """
    mirrored = PairedCounts(counts.gained, counts.lost, counts.samples)
    return -_upper(mirrored, tail), _upper(counts, tail)


def _upper(counts: PairedCounts, tail: float) -> float:
    """The smallest loss that is refuted, and with it every larger one."""
    nuisance = _NUISANCE_SHARE * tail
    differing = counts.lost + counts.gained
    low, high = binomial_interval(differing, counts.samples, nuisance / 2)
    difference = counts.lost - counts.gained

    def is_refuted(loss: float) -> bool:
        first, last = max(low, abs(loss)), max(high, abs(loss))
        grid = np.linspace(last, first, _GRID if last < 0.5 else _FINE_GRID)  # the worst first
        parts = np.array_split(grid, max(len(grid) * counts.samples // _AT_ONCE, 1))
        return all(
            _at_most(difference, counts.samples, loss, part).max() + nuisance <= tail
            for part in parts
            if len(part)
        )

    spread = math.sqrt(counts.disagreement / counts.samples) + 3 / counts.samples
    near = min(counts.loss + 8 * spread, 1.0)  # nearly always refuted, and then half the work
    return bisect(is_refuted, counts.loss, near if near < 1 and is_refuted(near) else 1.0)


def bisect(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where a condition that fails at `low` begins to hold; `high` if it never does before."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _at_most(difference: int, samples: int, loss: float, differing: Floats) -> Floats:
    """P(d <= difference) by the discrete Fourier transform of d's law; (n,) as `differing`."""
    size = 1 << (2 * samples + 1).bit_length()
    up, down = (differing[:, None] + loss) / 2, (differing[:, None] - loss) / 2
    angle = 2j * math.pi * np.arange(size // 2 + 1) / size
    # d + samples is counted, from 0 to 2 samples: each step is 0, 1 or 2.
    step = down + (1 - differing[:, None]) * np.exp(-angle) + up * np.exp(-2 * angle)
    law = np.fft.irfft(_power(step, samples), size)
    return np.asarray(np.clip(law[:, : difference + samples + 1].sum(axis=1), 0.0, 1.0))


def _power(base: Complexes, exponent: int) -> Complexes:
    """By squaring: three times faster than numpy's own of complex numbers."""
    result = np.ones_like(base)
    while exponent:
        if exponent & 1:
            result *= base
        exponent >>= 1
        if exponent:
            base = base * base
    return result


def binomial_interval(successes: int, trials: int, tail: float) -> tuple[float, float]:
    """The exact (Clopper-Pearson) interval of a share; each end errs with probability `tail`."""

    def at_least(share: float) -> float:  # P(X >= successes)
        return _binomial_at_most(trials - successes, trials, 1 - share)

    def at_most(share: float) -> float:
        return _binomial_at_most(successes, trials, share)

    low = 0.0 if successes == 0 else 1 - bisect(lambda x: at_least(1 - x) <= tail, 0.0, 1.0)
    high = 1.0 if successes == trials else bisect(lambda x: at_most(x) <= tail, 0.0, 1.0)
    return low, high


def _binomial_at_most(count: int, trials: int, share: float) -> float:
    if share <= 0 or count >= trials:
        return 1.0
    if share >= 1:
        return 0.0
    numbers = np.arange(count + 1)
    logarithms = _log_choose(trials)[: count + 1]
    logarithms = logarithms + numbers * math.log(share) + (trials - numbers) * math.log1p(-share)
    return float(min(np.exp(logarithms).sum(), 1.0))


@functools.lru_cache(maxsize=4)
def _log_choose(trials: int) -> npt.NDArray[np.float64]:
    """Logarithms of the binomial coefficients of 0..trials out of trials."""
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])
    return np.asarray(factorials[-1] - factorials - factorials[::-1])
