"""What recorded sessions say of the noise model: how often its intervals held, and how wide."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adadeep.core.estimates import RatioEstimate
from adadeep.core.noise import NoiseModel
from adadeep.core.noise_plans import ratio_variance
from adadeep.core.noise_pool import Like
from adadeep.core.noise_series import trimmed_mean
from adadeep.core.ratio_graph import RatioGraph, edges_of
from noise.stored import Recorded

ALPHA = 0.05
RESAMPLES = 2000


@dataclass(frozen=True)
class Held:
    """An interval of logs, and what it should hold."""

    low: float
    high: float
    truth: float

    @property
    def is_held(self) -> bool:
        return self.low <= self.truth <= self.high

    @property
    def score(self) -> float:
        """Of an interval of 95 % (Gneiting and Raftery 2007): its width, and 40 times a miss."""
        miss = max(self.low - self.truth, self.truth - self.high, 0.0)
        return self.high - self.low + 2 / ALPHA * miss

    @property
    def half(self) -> float:
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Share:
    """A share of sessions with the 95 % of a bootstrap that draws sessions."""

    value: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, clusters: Sequence[Sequence[bool]]) -> Share:
        """Of what each session (a cluster) has to say."""
        sums = np.array([(sum(c), len(c)) for c in clusters], dtype=float)
        random = np.random.default_rng(0)
        drawn = sums[random.integers(0, len(sums), (RESAMPLES, len(sums)))].sum(axis=1)
        low, high = np.quantile(drawn[:, 0] / drawn[:, 1], (0.025, 0.975))
        total = sums.sum(axis=0)
        return cls(total[0] / total[1], float(low), float(high), len(clusters))


Teach = Callable[[NoiseModel, Recorded], NoiseModel]


def absolute(
    recorded: Iterable[Recorded],
    noise: NoiseModel,
    update: bool,
    drift: bool = False,
    since: int = 0,
) -> tuple[dict[str, list[Held]], dict[str, list[list[Held]]], dict[str, float]]:
    """Stated intervals against the centres of the other groups, and the medians of their sessions.

    Args:
        recorded: sessions of all kinds.
        noise: learned before.
        update: by each session, after it was judged.
        drift: whether references in a session tell how far the device was off.
        since: of the groups from this one on is judged what they state.

    Returns:
        By model the intervals of the centre; those of the next session, a list a session; and
        the mean score of the interval of all sessions' own quantiles.
    """
    sessions = [one for one in recorded if one.kind == "absolute"]
    logs: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for one in sessions:
        logs[one.name].append((one.group, math.log(one.session.measurements[0].latency_ms)))
    centres: dict[str, list[Held]] = defaultdict(list)
    following: dict[str, list[list[Held]]] = defaultdict(list)
    own: dict[str, list[float]] = defaultdict(list)
    for one in sorted(sessions, key=_when):
        said = noise.latency([one.session.measurements[0]], one.session if drift else None)
        others = [log for group, log in logs[one.name] if group != one.group]
        if not others or one.group < since:  # a recording of one group; before it was learned
            continue
        truth = float(np.mean(others))
        centres[one.name].append(Held(math.log(said.low_ms), math.log(said.high_ms), truth))
        ends = math.log(said.next_low_ms), math.log(said.next_high_ms)
        following[one.name].append([Held(*ends, log) for log in others])
        low, high = np.quantile([log for _, log in logs[one.name]], (ALPHA / 2, 1 - ALPHA / 2))
        own[one.name].append(Held(float(low), float(high), truth).score)
        if update:
            noise = noise.updated([one.session])
    return centres, following, {name: float(np.mean(scores)) for name, scores in own.items()}


def best_constant(recorded: Iterable[Recorded], since: int = 0) -> tuple[float, float]:
    """What intervals about a session's own median can do, were their width known in hindsight.

    Of each model the one relative width that has the least score for the centres of other groups.

    Returns:
        Share that holds, and mean score, relative as that of `absolute`.
    """
    logs: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for one in recorded:
        if one.kind == "absolute":
            logs[one.name].append((one.group, math.log(one.session.measurements[0].latency_ms)))
    held, scores = [], []
    for of_model in logs.values():
        every = [log for _, log in of_model]
        low, high = np.quantile(every, (ALPHA / 2, 1 - ALPHA / 2))
        pairs = [
            (log, float(np.mean([other for g, other in of_model if g != group])))
            for group, log in of_model
            if group >= since and any(g != group for g, _ in of_model)
        ]
        if not pairs:
            continue
        own = np.mean([Held(float(low), float(high), truth).score for _, truth in pairs])
        tried = [
            [Held(log - half, log + half, truth) for log, truth in pairs]
            for half in sorted(abs(log - truth) for log, truth in pairs)
        ]
        best = min(tried, key=lambda some: sum(one.score for one in some))
        held += [one.is_held for one in best]
        scores.append(np.mean([one.score for one in best]) / own)
    return (float(np.mean(held)), float(np.mean(scores))) if held else (0.0, 0.0)


def _when(one: Recorded) -> float:
    return one.session.measurements[0].before.timestamp


def ratios(recorded: Iterable[Recorded], noise: NoiseModel) -> dict[str, list[Held]]:
    """Stated intervals of pairs against the centre of all other sessions of the pair.

    That is their trimmed mean: one in which somebody else had the memory does not move it.
    """
    said: dict[str, list[RatioEstimate]] = defaultdict(list)
    for one in recorded:
        if one.kind == "pair":
            said[one.name].append(noise.ratio(one.session, 0, 1))
    found: dict[str, list[Held]] = {}
    for name, estimates in said.items():
        if len(estimates) < 2:
            continue
        logs = np.array([estimate.log_ratio for estimate in estimates])
        found[name] = [
            Held(e.log_ratio - e.margin, e.log_ratio + e.margin,
                 trimmed_mean(np.delete(logs, n))[0]) for n, e in enumerate(estimates)
        ]  # fmt: skip
    return found


def allowed(
    recorded: Iterable[Recorded], noise: NoiseModel, name: str, held: Sequence[Held]
) -> float:
    """1.96 standard deviations of a ratio: as the noise of blocks and placements foretells it.

    Or, where that is more, of the sessions' own estimates.
    """
    first = next(one for one in recorded if (one.kind, one.name) == ("pair", name))
    likes = [
        Like(one.model_bytes, one.latency_ms, noise.cache_bytes)
        for one in first.session.measurements
    ]
    foretold = math.sqrt(ratio_variance(noise, likes[0], likes[1], first.session.plan).value)
    own = float(np.std([(one.low + one.high) / 2 for one in held], ddof=1))
    return 1.96 * max(foretold, own)


def against_itself(
    recorded: Iterable[Recorded], noise: NoiseModel, faster: dict[str, float]
) -> dict[str, tuple[list[bool], list[bool]]]:
    """By model: whether it was called different from itself; and found, had it been so faster."""
    found: dict[str, tuple[list[bool], list[bool]]] = {}
    for one in recorded:
        if one.kind != "self":
            continue
        said = noise.ratio(one.session, 0, 1)
        different, seen = found.setdefault(one.name, ([], []))
        different.append(said.is_different)
        seen.append(said.log_ratio - math.log1p(faster[one.name]) < -said.margin)
    return found


def order(recorded: Iterable[Recorded], noise: NoiseModel) -> tuple[int, int]:
    """Pairs of plans that differ by more than 5 %, and those in the same order in both runs.

    Every run is a study: a graph of its sessions. Pairs of different sizes are compared through
    what they were measured beside.
    """
    runs: dict[int, list[Recorded]] = defaultdict(list)
    for one in recorded:
        if one.kind == "order":
            runs[one.group].append(one)
    if len(runs) < 2:
        return 0, 0
    graphs = [_times(runs[group], noise) for group in sorted(runs)]
    first, last = graphs[0], graphs[-1]
    shared = sorted(set(first) & set(last))
    differ = same = 0
    for a, b in itertools.combinations(shared, 2):
        mean = (first[a] - first[b] + last[a] - last[b]) / 2
        if abs(mean) > math.log(1.05):
            differ += 1
            same += (first[a] > first[b]) == (last[a] > last[b])
    return differ, same


def _times(recorded: Sequence[Recorded], noise: NoiseModel) -> dict[str, float]:
    """Of each plan the log latency, in units of the sharp reference."""
    edges = [edge for one in recorded for edge in edges_of(one.session, noise)]
    graph = RatioGraph.of(edges)
    found: dict[str, float] = {}
    for one in recorded:
        hashes = [measured.model_sha256 for measured in one.session.measurements]
        ratio = graph.ratio(hashes[0], hashes[-1])
        if ratio:
            found[one.name] = ratio.log_ratio
    return found


def facts(noise: NoiseModel) -> list[dict[str, Any]]:
    """The curves and deviations of the references."""
    return [
        {
            "bytes": one.model_bytes,
            "ms": round(one.latency_ms, 5),
            "curve": [[round(tau, 3), round(deviation, 4)] for tau, deviation in one.curve],
            "white": round(one.white_sd, 4),
            "placement": round(one.placement_sd, 4),
            "launch": round(one.launch_sd, 4),
        }
        for one in noise.references
    ]
