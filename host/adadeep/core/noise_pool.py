"""What is known of the noise of a device's references, and what that says of another model."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from adadeep.core.estimates import LEAST_SD
from adadeep.core.noise_series import Curve, deviation_at
from adadeep.core.reader import require_finite, require_hex, require_range

HORIZON_S = 3600.0  # sessions within an hour are what "the device's centre" is the centre of
EXACT_SD = 5e-4  # of a floor: such a device counts instructions
_CURVE_DF = 6.0  # of a variance between sessions that a curve of one of them foretells
_ALIKE_DF = 15.0  # models of the same size and time still differ in their noise
_BYTES_STEP, _TIME_STEP, _CACHE_STEP = (
    3.0,
    3.0,
    2.0,
)  # of distance 1: factors of e^2.5; beside the cache
_FAR = 0.01  # weight of a reference however far away
_MOST_CURVE = 40


@dataclass(frozen=True, slots=True)
class ReferenceNoise:
    """The noise of one model on a device; deviations are of natural logarithms: 0.01 is 1 %.

    Attributes:
        model_sha256: of the .tflite; empty for a shipped guess of models of that size.
        model_bytes: its size.
        latency_ms: its median.
        curve: Allan deviations of its latency: (averaging time in s, deviation).
        white_sd: own deviation of a block from round to round.
        placement_sd: own deviation of a placement, blocks aside.
        placement_df: degrees of freedom of both.
        launch_sd: own deviation of a launch of the agent, placements aside.
        launch_df: degrees of freedom of it; 0 where there was only one launch.
    """

    model_sha256: str
    model_bytes: int
    latency_ms: float
    curve: Curve
    white_sd: float
    placement_sd: float
    placement_df: float
    launch_sd: float = 0.0
    launch_df: float = 0.0

    def __post_init__(self) -> None:
        if self.model_sha256:
            require_hex("model_sha256", 64, self.model_sha256)
        require_range("model_bytes", 1, 1 << 40, self.model_bytes)
        require_range("latency_ms", 1e-9, 1e7, self.latency_ms)
        require_range("a deviation", 0, 10, self.white_sd, self.placement_sd, self.launch_sd)
        require_range("degrees of freedom", 0, 1e6, self.placement_df, self.launch_df)
        if not 1 <= len(self.curve) <= _MOST_CURVE:
            raise ValueError(f"a curve has {len(self.curve)} points")
        require_range("a time of averaging", 1e-9, 1e6, *(tau for tau, _ in self.curve))
        require_range("a deviation", 0, 10, *(deviation for _, deviation in self.curve))
        taus = [tau for tau, _ in self.curve]
        if any(b <= a for a, b in itertools.pairwise(taus)):
            raise ValueError("the times of a curve do not ascend")

    @property
    def floor(self) -> float:
        """The smallest deviation of its curve."""
        return min(deviation for _, deviation in self.curve)

    @property
    def knee_s(self) -> float:
        """From which averaging longer stops to help: a fifth above the floor, or less."""
        return next(tau for tau, deviation in self.curve if deviation <= 1.2 * self.floor)


@dataclass(frozen=True, slots=True)
class SessionCentres:
    """The medians of references in a session, or in several that followed at once.

    Attributes:
        unix_s: when, by the device's clock.
        seconds: how long it was.
        logs: of each reference by hash the log median in ms.
        placements: how many it had.
        sessions: how many it is the mean of.
    """

    unix_s: float
    seconds: float
    logs: tuple[tuple[str, float], ...]
    placements: int
    sessions: int = 1

    def __post_init__(self) -> None:
        require_finite("a time", self.unix_s)
        require_range("seconds", 0, 1e6, self.seconds)
        require_range("sessions", 1, 1e6, self.sessions, self.placements)
        require_range("a log median", -40, 40, *(log for _, log in self.logs))
        require_hex("model_sha256", 64, *(sha for sha, _ in self.logs))
        if len(self.logs) > 16:
            raise ValueError(f"a session has {len(self.logs)} references")

    def log_of(self, model_sha256: str) -> float | None:
        """Of a reference; None if it was not there."""
        return dict(self.logs).get(model_sha256)


@dataclass(frozen=True, slots=True)
class Variance:
    """A variance and how well it is known.

    Attributes:
        value: of logarithms.
        df: degrees of freedom.
    """

    value: float
    df: float

    def blended(self, other: Variance) -> Variance:
        """Of two that tell of the same, by degrees of freedom (scaled inverse chi square)."""
        df = self.df + other.df
        return Variance((self.value * self.df + other.value * other.df) / df, df) if df else self

    def likened(self, other: Variance) -> Variance:
        """Of two that foretell the same by different ways: the geometric mean, and both's df."""
        df = self.df + other.df
        logs = (math.log(max(one.value, LEAST_SD**4)) * one.df for one in (self, other))
        return Variance(math.exp(sum(logs) / df), df)


# From session to session on devices in general.
_USUAL = Variance(0.06**2, 2.0)


@dataclass(frozen=True, slots=True)
class Like:
    """The size and time of a model, by which others are near it or far.

    Attributes:
        model_bytes: of the .tflite.
        latency_ms: of a run.
        cache_bytes: the device's last cache; None if unknown.
    """

    model_bytes: int
    latency_ms: float
    cache_bytes: int | None = None

    def distance(self, other: ReferenceNoise | Like) -> float:
        """0: as large and as long."""
        size = math.log(self.model_bytes / other.model_bytes) / _BYTES_STEP
        time = math.log(max(self.latency_ms, 1e-9) / other.latency_ms) / _TIME_STEP
        beyond = 0.0
        if self.cache_bytes:
            sides = (b > self.cache_bytes for b in (self.model_bytes, other.model_bytes))
            beyond = _CACHE_STEP if len(set(sides)) == 2 else 0.0
        return math.sqrt(size**2 + time**2 + beyond**2)


def pooled(like: Like, known: Iterable[tuple[ReferenceNoise, Variance]]) -> Variance:
    """The variance of a model by those of references, the nearest ones counting most.

    Models differ: however well the references are known, theirs tells of another one's variance
    with few degrees of freedom, and the fewer the farther the nearest is.
    """
    weighed = [(like.distance(one), variance) for one, variance in known if variance.df > 0]
    if not weighed:
        return Variance(0.0, 0.0)
    weights = [math.exp(-(d**2) / 2) + _FAR for d, _ in weighed]
    total = sum(w * v.df for w, (_, v) in zip(weights, weighed, strict=True))
    logs = [math.log(max(variance.value, LEAST_SD**4)) for _, variance in weighed]
    mean = sum(w * v.df * log for w, (_, v), log in zip(weights, weighed, logs, strict=True))
    value = math.exp(mean / total)  # a geometric one: a large variance says little of a small one
    known_df = total / sum(weights)
    alike_df = _ALIKE_DF / (1 + min(d for d, _ in weighed) ** 2)
    return Variance(value, 1 / (1 / known_df + 1 / alike_df))


def between_sessions(curve: Curve, seconds: float) -> Variance:
    """The variance of a model's log medians from one session to the next within an hour.

    The curve of one session foretells it: averages of flicker over tau scatter about their mean of
    N of them by AVAR N ln N / (2 (N - 1) ln 2). Also where the curve still falls at its end, as
    white noise does, it is taken as flicker from there on: a device is never quiet for an hour.

    Args:
        curve: Allan deviations.
        seconds: how long a session is.
    """
    tau = max(seconds, 1e-3)
    variance = deviation_at(curve, tau) ** 2 * _growth(tau)
    return Variance(max(variance, LEAST_SD**2), _CURVE_DF)


def seen_between(curve: Curve, seconds: float, logs: Sequence[float]) -> Variance:
    """As `between_sessions`, where several sessions may tell, too.

    What the curve foretells is moved a little towards what devices usually do, as seconds don't
    show what an hour brings; it has few degrees of freedom, and sessions overrule it.

    Args:
        curve: Allan deviations.
        seconds: how long a session is.
        logs: log medians of sessions at different times.
    """
    foretold = between_sessions(curve, seconds)
    if deviation_at(curve, max(seconds, 1e-3)) > EXACT_SD:  # else a simulation: usual is nothing
        foretold = foretold.likened(_USUAL)
    if len(logs) < 2:
        return foretold
    return foretold.blended(Variance(float(np.var(logs, ddof=1)), len(logs) - 1.0))


def _growth(tau: float) -> float:
    """How much more flicker's averages over tau scatter in an hour than neighbours do."""
    count = max(HORIZON_S / tau, 2.0)
    return max(count * math.log(count) / (2 * (count - 1) * math.log(2)), 1.0)
