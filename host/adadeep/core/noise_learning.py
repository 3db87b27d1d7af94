"""What sessions teach of a device's noise."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from adadeep.core.estimates import LEAST_SD
from adadeep.core.measurement import Measurement
from adadeep.core.noise_pool import ReferenceNoise, SessionCentres, Variance
from adadeep.core.noise_series import (
    Curve,
    deviation_at,
    latency_curve,
    ratio_curve,
    rounds_of,
    shares_of,
)
from adadeep.core.noise_sessions import AT_ONCE_S, spanned_s
from adadeep.core.session import MeasuredTogether

MOST_SESSIONS = 100
_NO_CURVE: Curve = ((1.0, 0.0),)
_REMEMBERED_DF = 60.0  # so many at most: a device changes


def noise_of(sessions: Sequence[MeasuredTogether]) -> list[ReferenceNoise]:
    """What sessions that followed at once tell of each of their models.

    Models with too few blocks for a curve are left out. Their ratios' scatter is told by the
    sessions one by one, and pooled.
    """
    found: dict[str, ReferenceNoise] = {}
    for session in sessions:
        for one in _shares_in(session):
            known = found.get(one.model_sha256)
            found[one.model_sha256] = one if known is None else merged(known, one)
    by_hash: dict[str, list[Measurement]] = {}
    for session in sessions:
        for measured in session.measurements:
            by_hash.setdefault(measured.model_sha256, []).append(measured)
    return [
        replace(one, curve=curve)
        for sha, one in found.items()
        if (curve := latency_curve(by_hash[sha]))
    ]


def _shares_in(session: MeasuredTogether) -> Iterator[ReferenceNoise]:
    shares = shares_of(rounds_of(session.measurements)[0])
    for index, one in enumerate(session.measurements):
        bare = ReferenceNoise(
            one.model_sha256, one.model_bytes, one.latency_ms, _NO_CURVE, 0.0, 0.0, 0.0
        )
        if shares is None:
            yield bare
            continue
        yield replace(
            bare,
            white_sd=_sd(shares.white[index]),
            placement_sd=_sd(shares.placement[index]),
            placement_df=shares.placement_df,
            launch_sd=_sd(shares.launch[index]),
            launch_df=shares.launch_df,
        )


def at_once(sessions: Iterable[MeasuredTogether]) -> list[list[MeasuredTogether]]:
    """Sessions in groups of those that followed one another at once."""
    groups: list[list[MeasuredTogether]] = []
    last = -math.inf
    for session in sessions:
        when = session.measurements[0].before.timestamp
        if not groups or abs(when - last) >= AT_ONCE_S:
            groups.append([])
        groups[-1].append(session)
        last = when
    return groups


def _sd(variance: float) -> float:
    return min(math.sqrt(variance), 10.0)


def merged(known: ReferenceNoise, new: ReferenceNoise) -> ReferenceNoise:
    """Of two accounts of the same model: what was known, moved by what is new."""
    placement = _remembered(known.placement_df)
    launch = _remembered(known.launch_df)
    variances = [
        Variance(getattr(known, name) ** 2, df).blended(Variance(getattr(new, name) ** 2, more))
        for name, df, more in (
            ("white_sd", placement, new.placement_df),
            ("placement_sd", placement, new.placement_df),
            ("launch_sd", launch, new.launch_df),
        )
    ]
    return replace(
        known,
        curve=_merged_curve(known.curve, new.curve, _share(placement, new.placement_df)),
        white_sd=math.sqrt(variances[0].value),
        placement_sd=math.sqrt(variances[1].value),
        placement_df=variances[1].df,
        launch_sd=math.sqrt(variances[2].value),
        launch_df=variances[2].df,
    )


def _remembered(df: float) -> float:
    return min(df, _REMEMBERED_DF)


def _share(known_df: float, new_df: float) -> float:
    """Of the new in both: a session of a second does not move what a minute told."""
    return (1 + new_df) / (2 + known_df + new_df)


def _merged_curve(known: Curve, new: Curve, share: float) -> Curve:
    """Mean squares where both tell; a session that is longer adds what it has beyond."""
    longest, other, weight = (known, new, share) if known[-1][0] >= new[-1][0] else (
        new, known, 1 - share,
    )  # fmt: skip
    points = []
    for tau, deviation in longest:
        if other[0][0] <= tau <= other[-1][0]:
            both = (1 - weight) * deviation**2 + weight * deviation_at(other, tau) ** 2
            deviation = math.sqrt(both)
        points.append((tau, deviation))
    return tuple(points)


def references_of(
    sessions: Iterable[MeasuredTogether],
    known: Sequence[ReferenceNoise],
    wanted: Collection[str],
) -> tuple[ReferenceNoise, ...]:
    """The references after sessions; shipped guesses go where something near them is known.

    Args:
        sessions: in their order.
        known: references so far.
        wanted: hashes of models that are references; others are passed over.
    """
    by_hash = {one.model_sha256: one for one in known if one.model_sha256}
    for group in at_once(sessions):
        for new in noise_of(group):
            sha = new.model_sha256
            if sha in by_hash:
                by_hash[sha] = merged(by_hash[sha], new)
            elif sha in wanted:
                by_hash[sha] = new
    return tuple(by_hash.values())


def centres_of(
    sessions: Iterable[MeasuredTogether],
    known: Sequence[SessionCentres],
    references: Collection[str],
) -> tuple[SessionCentres, ...]:
    """The sessions' medians of references after more sessions; at most 100 rows."""
    rows = list(known)
    for session in sessions:
        logs = {
            one.model_sha256: math.log(one.latency_ms)
            for one in session.measurements
            if one.model_sha256 in references
        }
        if not logs:
            continue
        first = session.measurements[0]
        seconds = float(np.mean([spanned_s(one) for one in session.measurements]))
        row = SessionCentres(
            first.before.timestamp, seconds, tuple(sorted(logs.items())), len(first.placements)
        )
        if rows and abs(row.unix_s - rows[-1].unix_s) < AT_ONCE_S:
            rows[-1] = _joined(rows[-1], row)
        else:
            rows.append(row)
    return _thinned(rows)


def _thinned(rows: list[SessionCentres]) -> tuple[SessionCentres, ...]:
    """At most 100: of more the nearest neighbours are joined, so that other days stay known."""
    while len(rows) > MOST_SESSIONS:
        gaps = [abs(b.unix_s - a.unix_s) for a, b in itertools.pairwise(rows)]
        at = int(np.argmin(gaps))
        rows[at : at + 2] = [_joined(rows[at], rows[at + 1])]
    return tuple(rows)


def _joined(first: SessionCentres, second: SessionCentres) -> SessionCentres:
    """One row of both; its time stays the first's, so that a long series is not one row."""
    logs = dict(first.logs)
    for sha, log in second.logs:
        before = logs.get(sha)
        share = second.sessions / (first.sessions + second.sessions)
        logs[sha] = log if before is None else before + (log - before) * share
    return replace(
        first,
        logs=tuple(sorted(logs.items())[:16]),
        placements=first.placements + second.placements,
        sessions=first.sessions + second.sessions,
    )


def ratio_curve_of(sessions: Iterable[MeasuredTogether]) -> Curve:
    """The Allan curve of ratios: at each time the median over pairs of neighbours in sessions."""
    curves = [
        curve
        for session in sessions
        for first, second in itertools.pairwise(session.measurements)
        if (curve := ratio_curve(first, second))
    ]
    if not curves:
        return ()
    start, end = max(c[0][0] for c in curves), max(c[-1][0] for c in curves)
    taus = [start * 2**n for n in range(40) if start * 2**n <= max(end, start)]
    points = []
    for tau in taus:
        told = [deviation_at(c, tau) for c in curves if c[0][0] <= tau <= c[-1][0] * 1.01]
        if told:
            points.append((tau, max(float(np.median(told)), LEAST_SD / 10)))
    return tuple(points)
