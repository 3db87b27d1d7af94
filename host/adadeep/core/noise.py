"""NoiseModel: how far to trust what is measured on a device.

The latency of a device flickers: averaging longer than the knee of its Allan curve does not make
a session's median truer, and the runs' own scatter says nothing of how far the next session's
median will be off. That is told here by what references of like size and time did from session to
session. Ratios of models that ran in turn do not flicker; what limits them is where in memory a
model came to lie. `docs/measuring.md` explains it to users.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from adadeep.core.estimates import LEAST_SD, error_of, interval_of, summed
from adadeep.core.estimates import LatencyEstimate as LatencyEstimate
from adadeep.core.estimates import PercentileEstimate as PercentileEstimate
from adadeep.core.estimates import RatioEstimate as RatioEstimate
from adadeep.core.measurement import Measurement
from adadeep.core.noise_drift import NO_DRIFT, drift_of
from adadeep.core.noise_launches import launch_of, launch_variance
from adadeep.core.noise_learning import (
    centres_of,
    ratio_curve_of,
    references_of,
)
from adadeep.core.noise_pairs import session_variance
from adadeep.core.noise_plans import words_of
from adadeep.core.noise_pool import (
    EXACT_SD,
    Like,
    ReferenceNoise,
    SessionCentres,
    Variance,
    between_sessions,
    pooled,
    seen_between,
)
from adadeep.core.noise_series import (
    Curve,
    latency_curve,
    median_interval,
    rounds_of,
    trimmed_mean,
)
from adadeep.core.noise_sessions import at_times, mean_rounds, member, occasions, spanned_s
from adadeep.core.noise_sessions import state_of as state_of
from adadeep.core.reader import read_json, require_range
from adadeep.core.session import MeasuredTogether
from adadeep.core.statistics import quantile_ranks, t_quantile

VERSION = 1
_MOST_REFERENCES, _MOST_CORES = 32, 1024
_NEAR = 2.0  # a shipped guess goes where a reference is known so near
_PRIOR_PLACEMENTS = 4.0  # degrees of freedom that references count for, at most
_MANY_PLACEMENTS = 10  # an interval of the median by order statistics has ends then
_GUESS_DF = 6.0  # of a shipped guess
_ELSEWHERE_DF = 2.0  # of it beside what was learned on the device on one occasion
_TAILS = 1.5  # sessions' upper percentiles scatter so much more than their medians


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """The noise of a device in one state, by references that were measured there.

    Attributes:
        references: what is known of each; hashes differ.
        sessions: their medians in sessions, the oldest first; at most 100.
        ratios: Allan deviations of the ratio of two: (averaging time in s, deviation).
        state: in which it was learned, see `state_of`; empty for a shipped guess.
        cache_bytes: the device's last cache; None if unknown.
        core_kinds: (number of a core, its kind): blocks on different ones are not compared. Empty
            where all are alike, as far as is known.
        version: of this form.
    """

    references: tuple[ReferenceNoise, ...]
    sessions: tuple[SessionCentres, ...] = ()
    ratios: Curve = ()
    state: str = ""
    cache_bytes: int | None = None
    core_kinds: tuple[tuple[int, int], ...] = ()
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise ValueError(f"version {self.version} of a noise model is not known here")
        if not 1 <= len(self.references) <= _MOST_REFERENCES or len(self.sessions) > 100:
            raise ValueError(f"a noise model has {len(self.references)} references")
        hashes = [one.model_sha256 for one in self.references if one.model_sha256]
        if len(set(hashes)) != len(hashes):
            raise ValueError("a reference is there twice")
        if len(self.ratios) > 40 or len(self.state) > 300:
            raise ValueError("a noise model is too long")
        for tau, deviation in self.ratios:
            require_range("a time of averaging", 1e-9, 1e6, tau)
            require_range("a deviation", 0, 10, deviation)
        require_range("cache_bytes", 1, 1 << 40, self.cache_bytes)
        if len(self.core_kinds) > _MOST_CORES:
            raise ValueError("a noise model has too many cores")
        require_range("a core", 0, 1e5, *(number for pair in self.core_kinds for number in pair))

    @property
    def is_prior(self) -> bool:
        """Whether it is a shipped guess that no session of the device has moved."""
        return not any(one.model_sha256 for one in self.references)

    @property
    def is_exact(self) -> bool:
        """Whether it counts instructions: nothing strays there, but what long runs wait for."""
        return float(np.median([one.floor for one in self.references])) <= EXACT_SD

    def fits(self, measurement: Measurement) -> bool:
        """Whether it was learned on the device and in the state of a measurement."""
        return self.state == state_of(measurement)

    def to_json(self) -> str:
        """One line."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes, source: str) -> NoiseModel:
        """What `to_json` wrote.

        Raises:
            FormatError: it is none.
        """
        return read_json(text, cls, source)

    def updated(
        self, sessions: Sequence[MeasuredTogether], references: Collection[str] = ()
    ) -> NoiseModel:
        """What is known after more sessions of the same device and state; others are passed over.

        Args:
            sessions: in their order.
            references: hashes of models in them that are references from now on, if they are none.
        """
        state = self.state or (state_of(sessions[0].measurements[0]) if sessions else "")
        own = [one for one in sessions if state_of(one.measurements[0]) == state]
        known = references_of(own, self.references, references)[:_MOST_REFERENCES]
        if not known:
            return self
        guesses = tuple(
            one for one in self.references
            if not one.model_sha256 and all(_like(one).distance(k) > _NEAR for k in known)
        )  # fmt: skip
        centres = centres_of(own, self.sessions, {one.model_sha256 for one in known})
        return replace(
            self,
            references=(*known, *guesses)[:_MOST_REFERENCES],
            sessions=centres,
            ratios=ratio_curve_of(own) if len(own) > 1 or not self.ratios else self.ratios,
            state=state,
        )

    def latency(
        self, measurements: Sequence[Measurement], beside: MeasuredTogether | None = None
    ) -> LatencyEstimate:
        """How long a model takes on the device, from its sessions there.

        Args:
            measurements: of one model and target, 1 or more, in their order.
            beside: of one measurement its session: references in it, of which other sessions told
                the centre, tell how far the device was off its own then. The median stays what was
                measured; the intervals of the centre and of other sessions move and narrow.

        Raises:
            ValueError: there are none.
        """
        if not measurements:
            raise ValueError("no measurements")
        logs = at_times(measurements)
        last = measurements[-1]
        variance = self.between(measurements)
        log, count = float(np.mean(logs)), len(logs)
        own, own_df = self._of_session(last)
        if own > variance.value:  # a few runs of a long model: its own scatter is the larger
            variance = Variance(own, own_df)
        drift = NO_DRIFT
        if beside is not None and len(measurements) == 1:
            like = Like(last.model_bytes, last.latency_ms, self.cache_bytes)
            drift = drift_of(beside, like, self.references, self.sessions)
        t = t_quantile(0.975, variance.df) * math.sqrt(variance.value)
        centre = t * math.sqrt(drift.left / count)
        following = t * math.sqrt(1 + drift.left / count)
        narrow = t_quantile(0.975, own_df) * math.sqrt(own)
        session_ms = last.latency_ms
        return LatencyEstimate(
            math.exp(log),
            *interval_of(math.exp(log - drift.log), centre),
            *interval_of(math.exp(log - drift.log), following),
            *interval_of(session_ms, narrow),
            basis=self._basis(count) + drift.words(),
        )

    def between(self, measurements: Sequence[Measurement]) -> Variance:
        """How much the log medians of sessions of a model scatter about the device's centre.

        From what references of like size and time did, the model's own curve, and its own sessions
        where there are several.
        """
        last = measurements[-1]
        like = Like(last.model_bytes, last.latency_ms, self.cache_bytes)
        seconds = spanned_s(last)
        known = self.foretold(like, seconds)
        curve = latency_curve([last])
        if curve:  # widens only: a quiet minute says nothing of the hour, a wild one does
            known = max(
                known, known.likened(between_sessions(curve, seconds)), key=lambda one: one.value
            )
        logs = at_times(measurements)
        if len(logs) > 1:
            known = known.blended(Variance(float(np.var(logs, ddof=1)), len(logs) - 1.0))
        return Variance(max(known.value, LEAST_SD**2), known.df)

    def foretold(self, like: Like, seconds: float) -> Variance:
        """How much log medians of sessions of such a model would scatter about the centre.

        Args:
            like: its size and time.
            seconds: how long a session times it.
        """
        known = self.own(like, seconds)
        if self.is_prior or self.is_exact:
            return known
        return known.blended(self._elsewhere(like, seconds))

    def own(self, like: Like, seconds: float) -> Variance:
        """As `foretold`, by what this device told alone: how much a longer session would help."""
        known = pooled(like, [(one, self._between(one, seconds)) for one in self.references])
        return Variance(max(known.value, LEAST_SD**2), known.df)

    def _elsewhere(self, like: Like, seconds: float) -> Variance:
        """How devices stray in general: it counts less with each occasion on which this one told.

        A quiet moment in which a device was profiled does not know of what else will run there.
        """
        df = _ELSEWHERE_DF / max(occasions(row.unix_s for row in self.sessions), 1)
        return Variance(PRIOR.foretold(like, seconds).value, df)

    def _between(self, reference: ReferenceNoise, seconds: float) -> Variance:
        sha = reference.model_sha256
        logs = [log for row in self.sessions if (log := row.log_of(sha)) is not None]
        of_curve = seen_between(reference.curve, seconds, logs)
        return of_curve if sha else Variance(of_curve.value, _GUESS_DF)

    def _of_session(self, measurement: Measurement) -> tuple[float, float]:
        """Variance of this session's log median, and its degrees of freedom."""
        like = Like(measurement.model_bytes, measurement.latency_ms, self.cache_bytes)
        logs = np.log([placement.median_ms for placement in measurement.placements])
        prior = self.placement(like, mean_rounds(measurement))
        if len(logs) >= _MANY_PLACEMENTS:
            low, high = median_interval(logs)
            seen = Variance(((high - low) / 2 / 1.96) ** 2 * len(logs), len(logs) / 2)
        else:
            _, variance, df = trimmed_mean(logs)
            seen = Variance(variance * len(logs), df)
        each = seen.blended(Variance(prior.value, min(prior.df, _PRIOR_PLACEMENTS)))
        return max(each.value / len(logs), (LEAST_SD / 2) ** 2), max(each.df, 1.0)

    def ratio(
        self, session: MeasuredTogether, first: int | str, second: int | str
    ) -> RatioEstimate:
        """How much longer one model of a session takes than another.

        Args:
            session: in which they ran in turn.
            first: number of the model in it, or its hash.
            second: likewise of the one that it is compared with.

        Raises:
            ValueError: a model was not in it.
        """
        pair = [member(session, first), member(session, second)]
        placed, left_out = rounds_of(pair, dict(self.core_kinds))
        if not placed:  # they share no round
            log = math.log(pair[0].latency_ms / pair[1].latency_ms)
            parts = [self.between([one]) for one in pair]
            return RatioEstimate(log, *error_of(*((p.value, p.df) for p in parts)), left_out)
        logs = np.array([np.median(one.logs[:, 0] - one.logs[:, 1]) for one in placed])
        mean, variance, df = trimmed_mean(logs)
        likes = [Like(one.model_bytes, one.latency_ms, self.cache_bytes) for one in pair]
        rounds = float(np.mean([len(one.logs) for one in placed]))
        placement = self._blended_placement(likes, rounds, Variance(variance * len(logs), df))
        numbers = sorted({one.launch for one in placed})
        launches = [logs[[one.launch == number for one in placed]] for number in numbers]
        known = [launch_of(like, self.references) for like in likes]
        launch = launch_variance(_both(known), launches, placement.value)
        session_parts = session_variance(likes[0], likes[1], self.references, self.sessions)
        error = error_of(
            (placement.value / len(logs), placement.df), launch,
            *((part.value, part.df) for part in session_parts),
        )  # fmt: skip
        return RatioEstimate(mean, *error, left_out)

    def _blended_placement(self, likes: Sequence[Like], rounds: float, seen: Variance) -> Variance:
        prior = _both([self.placement(like, rounds) for like in likes])
        return seen.blended(Variance(prior.value, min(prior.df, _PRIOR_PLACEMENTS)))

    def placement(self, like: Like, rounds: float) -> Variance:
        """Of a placement's log median, beside a model that had none.

        Args:
            like: the model's size and time.
            rounds: of the placement.
        """

        def of(one: ReferenceNoise) -> Variance:
            white = math.pi / 2 * one.white_sd**2 / rounds
            return Variance(max(one.placement_sd**2 + white, LEAST_SD**2), one.placement_df)

        found = pooled(like, [(one, of(one)) for one in self.references])
        return found if found.df else Variance(LEAST_SD**2, 1.0)

    def percentile(self, measurement: Measurement, fraction: float) -> PercentileEstimate:
        """A percentile of a model's runs, with the interval of other sessions.

        Within the session by order statistics; from session to session percentiles scatter more
        than medians do. Of runs that were timed in groups it is that of the groups' means.

        Args:
            measurement: whose runs.
            fraction: 0.95 for p95.
        """
        runs = np.sort(measurement.runs_ms)
        value = float(np.quantile(runs, fraction))
        low, high = quantile_ranks(len(runs), fraction)
        variance = self.between([measurement])
        across = t_quantile(0.975, variance.df) * math.sqrt(variance.value) * _TAILS
        below, above = math.log(value / runs[low]), math.log(runs[high] / value)
        return PercentileEstimate(
            value,
            value * math.exp(-min(math.hypot(below, across), 50.0)),
            value * math.exp(min(math.hypot(above, across), 50.0)),
        )

    def words(self) -> str:
        """How far to trust it: "absolute 11 %, compared 2 %; longer than 0.3 s is wasted"."""
        return words_of(self)

    def _basis(self, sessions: int) -> str:
        if self.is_prior:
            return "a wide guess: the noise of this device was not measured"
        known = len([one for one in self.references if one.model_sha256])
        told = f"{known} reference{'s' * (known != 1)} in {max(len(self.sessions), 1)} sessions"
        return told if sessions == 1 else f"{told}, and {sessions} sessions of the model"


def _both(parts: Sequence[Variance]) -> Variance:
    return Variance(*summed(*((one.value, one.df) for one in parts)))


def _like(one: ReferenceNoise) -> Like:
    return Like(one.model_bytes, one.latency_ms)


def learned(sessions: Sequence[MeasuredTogether], cache_bytes: int | None = None) -> NoiseModel:
    """The noise of a device from sessions in which every model is a reference.

    Raises:
        ValueError: they tell nothing: no model has some blocks.
    """
    hashes = {one.model_sha256 for session in sessions for one in session.measurements}
    found = replace(PRIOR, cache_bytes=cache_bytes).updated(sessions, hashes)
    if found.is_prior:
        raise ValueError("the sessions are too short to tell of noise")
    return replace(found, references=tuple(r for r in found.references if r.model_sha256))


def _guess(
    model_bytes: int, latency_ms: float, floor: float, placement_sd: float
) -> ReferenceNoise:
    curve = ((0.01, floor), (10.0, floor))
    return ReferenceNoise(
        "", model_bytes, latency_ms, curve, 0.05, placement_sd, 2.0, placement_sd / 3, 2.0
    )


# Of shared 2-core machines: wide, and no statement about any device.
PRIOR = NoiseModel(
    (
        _guess(2_000, 0.001, 0.08, 0.01),
        _guess(100_000, 0.5, 0.07, 0.015),
        _guess(13_000_000, 1.0, 0.06, 0.06),
        _guess(2_000_000, 30.0, 0.06, 0.02),
    )
)
