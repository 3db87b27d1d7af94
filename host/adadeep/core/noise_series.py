"""Sessions as series of log latencies: rounds, placements, Allan deviations, shares of variance.

All times here are natural logarithms of ms: a hundredth of it is one per cent.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from adadeep.core.measurement import Block, Measurement, Placement
from adadeep.core.noise_sessions import spanned_s
from adadeep.core.statistics import quantile_ranks

Floats = npt.NDArray[np.float64]
Curve = tuple[tuple[float, float], ...]  # of (averaging time in s, deviation)

WAITED = 0.05  # of a block's time for a processor: it tells of others, not of the model
_LEAST_VALUES = 4  # that a curve is made of
_LEAST_WINDOWS = 5  # side by side, that a point of it is made of
_BURSTS = 3  # values: medians of fewer don't pass them over
_MEDIAN_COSTS = math.pi / 2  # variance of a median over that of a mean, of normal values


@dataclass(frozen=True, slots=True)
class PlacedRounds:
    """A placement's rounds.

    Attributes:
        launch: of the agent.
        logs: (rounds, models) of log medians of blocks in ms.
    """

    launch: int
    logs: Floats

    @property
    def medians(self) -> Floats:
        """(models,): by how much each is off the mean of all, the median over rounds."""
        return np.asarray(np.median(self.residuals, axis=0))

    @property
    def residuals(self) -> Floats:
        """(rounds, models): off the mean of the round."""
        return np.asarray(self.logs - self.logs.mean(axis=1, keepdims=True))


def is_sound(block: Block) -> bool:
    """Whether it had a processor when it wanted one, as far as the kernel tells."""
    if block.delay_ns is None:
        return True
    return block.delay_ns <= WAITED * (sum(block.times_ns) + block.delay_ns)


def rounds_of(
    measurements: Sequence[Measurement], core_kinds: Mapping[int, int] | None = None
) -> tuple[list[PlacedRounds], int]:
    """The rounds in which every one of these models has a block that can be compared.

    Left out are blocks that waited for a processor, and rounds on several kinds of core. Where
    less than half would be left, so that what is left is no sample of anything, all is taken: the
    placements' scatter then tells.

    Args:
        measurements: of one session.
        core_kinds: the kind of each core, by number; None: all are alike.

    Returns:
        The placements that have such rounds, and how many rounds were left out.
    """
    every = [_placed(placements, None) for placements in _side_by_side(measurements)]
    kinds = core_kinds or {}
    sound = [_placed(placements, kinds) for placements in _side_by_side(measurements)]
    kept = [one for one in sound if len(one.logs)]
    rounds, left = (sum(len(one.logs) for one in some) for some in (every, kept))
    if 2 * left < rounds:
        return [one for one in every if len(one.logs)], 0
    return kept, rounds - left


def _side_by_side(measurements: Sequence[Measurement]) -> list[tuple[Placement, ...]]:
    return list(zip(*(one.placements for one in measurements), strict=True))


def _placed(placements: Sequence[Placement], kinds: Mapping[int, int] | None) -> PlacedRounds:
    by_round = [{block.round: block for block in one.blocks} for one in placements]
    shared = sorted(set.intersection(*(set(blocks) for blocks in by_round)))
    rows = []
    for number in shared:
        blocks = [own[number] for own in by_round]
        if kinds is None or _comparable(blocks, kinds):
            rows.append([math.log(block.median_ms) for block in blocks])
    logs = np.array(rows, dtype=np.float64).reshape(len(rows), len(placements))
    return PlacedRounds(placements[0].launch, logs)


def _comparable(blocks: Sequence[Block], kinds: Mapping[int, int]) -> bool:
    on = {kinds.get(block.core) for block in blocks if block.core is not None}
    return len(on) <= 1 and all(map(is_sound, blocks))


def allan_curve(values: Floats, step_s: float) -> Curve:
    """Allan deviations of a series, overlapping, for medians over 1, 2, 4, ... of its values.

    Of medians, as a session's latency is one: bursts that a median passes over are not its noise.

    Args:
        values: (n,), one each `step_s`.
        step_s: seconds from a value to the next.
    """
    curve, width = [], 1
    while len(values) >= (_LEAST_WINDOWS if width > 1 else _LEAST_VALUES) * width:
        stride = max(width // 4, 1)
        windows = np.lib.stride_tricks.sliding_window_view(values, width)[::stride]
        medians = np.median(windows, axis=1)
        apart = max(width // stride, 1)
        differences = medians[apart:] - medians[:-apart]
        if width < _BURSTS:  # a burst is one value here, and would be all of the deviation
            low, high = np.quantile(differences, (0.05, 0.95))
            differences = np.clip(differences, low, high)
        curve.append((width * step_s, float(np.sqrt(np.mean(differences**2) / 2))))
        width *= 2
    return tuple(curve)


def latency_curve(measurements: Sequence[Measurement]) -> Curve:
    """The Allan curve of a model's log latency, block by block, over sessions at once.

    The time between sessions and placements, in which models were loaded, is passed over.
    """
    logs: list[float] = []
    seconds = 0.0
    for measurement in measurements:
        sound = [block for block in measurement.blocks if is_sound(block)]
        # Where all wait, that is the device's noise: nothing would be left to tell of it.
        blocks = sound if 2 * len(sound) > len(measurement.blocks) else measurement.blocks
        logs += [math.log(block.median_ms) for block in blocks]
        seconds += spanned_s(measurement) * len(blocks) / len(measurement.blocks)
    if len(logs) < _LEAST_VALUES or seconds <= 0:
        return ()
    return allan_curve(np.array(logs), seconds / len(logs))


def ratio_curve(first: Measurement, second: Measurement) -> Curve:
    """The Allan curve of the log ratio of two models of a session; placements are centred.

    Its averaging time is that of both models together.
    """
    placed, _ = rounds_of([first, second])
    parts = [one.logs[:, 0] - one.logs[:, 1] for one in placed]
    centred = [part - part.mean() for part in parts if len(part) > 1]
    if not centred:
        return ()
    step = sum(_spent_s(one) for one in (first, second)) / sum(map(len, parts))
    return allan_curve(np.concatenate(centred), step)


def _spent_s(measurement: Measurement) -> float:
    return sum(sum(block.times_ns) for block in measurement.blocks) / 1e9


def deviation_at(curve: Curve, tau_s: float) -> float:
    """A curve's value, between its points by logarithms, beyond its ends that of the end."""
    taus = np.log([tau for tau, _ in curve])
    deviations = np.log(np.maximum([deviation for _, deviation in curve], 1e-12))
    return math.exp(float(np.interp(math.log(tau_s), taus, deviations)))


def robust_variance(values: Floats) -> float:
    """Of a sample whose ends may be somebody else's doing; 0 of fewer than 2.

    A fifth at either end is drawn in to the next (winsorised), and the variance scaled so that it
    is right of normal values.
    """
    if len(values) < 2:
        return 0.0
    cut = len(values) // 5
    ordered = np.sort(values)
    drawn = np.clip(ordered, ordered[cut], ordered[len(values) - 1 - cut])
    share = cut / len(values)
    return float(drawn.var(ddof=1)) / _winsorised_normal(share)


def _winsorised_normal(share: float) -> float:
    """Variance of a normal value of which a share at each end was drawn in."""
    if share == 0:
        return 1.0
    end = NormalDist().inv_cdf(1 - share)
    return 1 - 2 * share - 2 * end * NormalDist().pdf(end) + 2 * share * end * end


def trimmed_mean(values: Floats) -> tuple[float, float, float]:
    """A mean without the quarter at either end, the variance of it, and its degrees of freedom.

    By Yuen (1974); of fewer than 4 values nothing is left out. Of one value the variance is 0.
    """
    cut = len(values) // 4
    ordered = np.sort(values)
    kept = len(values) - 2 * cut
    mean = float(ordered[cut : len(values) - cut].mean())
    if len(values) < 2:
        return mean, 0.0, 0.0
    drawn = np.clip(ordered, ordered[cut], ordered[len(values) - 1 - cut])
    variance = float(drawn.var(ddof=1)) * (len(values) - 1) / (kept * (kept - 1))
    return mean, variance, kept - 1.0


def own_variances(logs: Floats) -> Floats:
    """Each model's own share of variance, where only ratios of models tell.

    The variance of a ratio is the sum of two models' own ones; all pairs together give each
    (Grubbs 1948), robustly. Of two models each gets a half.

    Args:
        logs: (cases, models), 2 or more of both.

    Returns:
        (models,): at most the variance of its ratio to any, and at least a tenth of that: what
        is left of a small difference of large numbers is not taken at its word.
    """
    models = logs.shape[1]
    pairs = np.zeros((models, models))
    for i, j in itertools.combinations(range(models), 2):
        pairs[i, j] = pairs[j, i] = robust_variance(logs[:, i] - logs[:, j])
    return own_shares(pairs)


def own_shares(pairs: Floats) -> Floats:
    """(models,): what each adds to the variances (models, models) of its ratios to all others."""
    models = len(pairs)
    if models == 2:
        return np.full(2, pairs[0, 1] / 2)
    total = pairs.sum() / 2 / (models - 1)
    most = (pairs + np.diag(np.full(models, np.inf))).min(axis=1)
    return np.asarray(np.clip((pairs.sum(axis=1) - total) / (models - 2), most / 10, most))


@dataclass(frozen=True, slots=True)
class Shares:
    """What the scatter of the models of sessions among each other is made of; each (models,).

    Attributes:
        white: variance of one block.
        placement: variance of a placement, the blocks' share left out.
        launch: variance of a launch, the placements' share left out.
        placement_df: degrees of freedom of it.
        launch_df: likewise; 0 where there was one launch only.
    """

    white: Floats
    placement: Floats
    launch: Floats
    placement_df: float
    launch_df: float


def shares_of(placed: Sequence[PlacedRounds]) -> Shares | None:
    """Of the placements of a session; None where there are fewer than 2, or one model only."""
    if len(placed) < 2 or placed[0].logs.shape[1] < 2:
        return None
    white = _white(placed)
    launches = sorted({one.launch for one in placed})
    medians = [np.array([p.medians for p in placed if p.launch == n]) for n in launches]
    inside = np.concatenate([part - part.mean(axis=0) for part in medians])
    df = len(inside) - len(launches)
    if df < 1:
        return None
    total = own_variances(inside) * (len(inside) - 1) / df
    rounds = float(np.mean([len(one.logs) for one in placed]))
    placement = np.maximum(total - _MEDIAN_COSTS * white / rounds, total / 20)
    launch = np.zeros_like(placement)  # unknown
    if len(launches) > 1:
        means = np.array([part.mean(axis=0) for part in medians])
        each = len(inside) / len(launches)
        launch = np.maximum(own_variances(means) - total / each, total / 20)
    return Shares(white, placement, launch, float(df), float(len(launches) - 1))


def _white(placed: Sequence[PlacedRounds]) -> Floats:
    """(models,): own variance of a block, from round to round within placements.

    By neighbours' differences, as in an Allan variance: what is slower than a round is no noise
    that the median over rounds averages away.
    """
    steps = [np.diff(one.residuals, axis=0) for one in placed if len(one.logs) > 1]
    together = np.concatenate(steps) if steps else np.zeros((0, placed[0].logs.shape[1]))
    if len(together) < 2:
        return np.zeros(placed[0].logs.shape[1])
    return own_variances(together) / 2


def median_interval(values: Floats, level: float = 0.95) -> tuple[float, float]:
    """Of the median of a sample's law, by order statistics: no assumption about the law."""
    ordered = np.sort(values)
    low, high = quantile_ranks(len(ordered), 0.5, level)
    return float(ordered[low]), float(ordered[high])
