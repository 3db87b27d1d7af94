"""What `adadeep measure` asks of a device, and how it judges what came of it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.estimates import RatioEstimate
from adadeep.core.measurement import Measurement
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.noise import NoiseModel
from adadeep.core.noise_plans import PlanChoice, plan_for
from adadeep.core.noise_pool import Like
from adadeep.core.ratio_graph import RatioGraph, edges_of
from adadeep.core.reader import convert, read_bytes, read_json
from adadeep.core.session import MeasuredTogether
from adadeep.core.target import Target

RESULT_KIND, RESULT_VERSION = "adadeep.measure", 2
REFERENCE_BLOCK_MS = 4.0  # of the built-in reference, which is measured along
_PROBE = MeasuringPlan(
    placements=1, least_placements=1, placement_ms=5.0, block_ms=2.0, warmup_ms=5.0, max_ms=1000.0
)
_PERCENTILES_MS = 1000.0  # of runs, for a p99 that is more than the worst of a few
_STRETCH_MS = 5000.0  # of a sustained run in one place in memory
_SUSTAINED_BLOCK_MS = 100.0
_SUSTAINED_S = (20.0, 3000.0)
_THRESHOLD = re.compile(r"(maybe\s+)?(slower|faster)\s+([0-9]*\.?[0-9]+)\s*%")


class Judgement(StrEnum):
    """Whether a model is slower than another by more than a threshold."""

    FAILED = "failed"
    PASSED = "passed"
    OPEN = "open"  # the threshold lies in the interval


@dataclass(frozen=True, slots=True)
class FailIf:
    """ "slower 3%": from where on a change is a failure.

    Attributes:
        text: as the user wrote it.
        slower: whether a slower model fails; else a faster one.
        log_threshold: of the ratio, towards the failure.
        strict: "maybe slower": what can't be told fails, too.
    """

    text: str
    slower: bool
    log_threshold: float
    strict: bool

    @classmethod
    def read(cls, text: str) -> FailIf:
        """Out of "slower 3%", "maybe slower 3%" or "faster 1%".

        Raises:
            ConfigError: it is none of these.
        """
        match = _THRESHOLD.fullmatch(text.strip().lower())
        if not match or not float(match[3]) < 100:
            raise ConfigError(
                f"--fail-if {one_line(text, 40)!r}: write 'slower 3%', or 'maybe slower 3%' where"
                " what can't be told is to fail, too."
            )
        share, slower = float(match[3]) / 100, match[2] == "slower"
        threshold = math.log1p(share) if slower else -math.log1p(-share)
        return cls(text.strip(), slower, threshold, match[1] is not None)

    def judge(self, found: RatioEstimate) -> Judgement:
        """Of a model's latency over that of what it is compared with."""
        towards = found if self.slower else found.inverse
        if towards.log_ratio - towards.margin > self.log_threshold:
            return Judgement.FAILED
        if towards.log_ratio + towards.margin <= self.log_threshold:
            return Judgement.PASSED
        return Judgement.OPEN

    def fails(self, judgement: Judgement) -> bool:
        """Whether a command ends with an error by it."""
        return judgement is Judgement.FAILED or (self.strict and judgement is Judgement.OPEN)


@dataclass(frozen=True, slots=True)
class Compared:
    """A model against another.

    Attributes:
        name: of the model.
        to: name of the one that it is compared with.
        found: its latency over the other's.
        judgement: by `--fail-if`; None without.
    """

    name: str
    to: str
    found: RatioEstimate
    judgement: Judgement | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """What `adadeep measure --json` has measured some time ago.

    Attributes:
        path: of the file.
        sessions: of all devices in it.
    """

    path: Path
    sessions: tuple[MeasuredTogether, ...]

    @classmethod
    def read(cls, path: Path) -> Earlier:
        """Reads the file; nothing in it is trusted.

        Raises:
            ConfigError: it can't be read.
            FormatError: it is no result of `adadeep measure --json` of this version.
        """
        shown = one_line(str(path))
        document = read_json(read_bytes(path), dict[str, Any], shown)
        wanted = f"{RESULT_KIND}/{RESULT_VERSION}"
        if document.get("schema") != wanted:
            raise FormatError(
                f"{shown} is no result of `adadeep measure --json` of this version ({wanted});"
                " make one, or name a .tflite."
            )
        rows = document.get("measurements")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise FormatError(f"{shown}: 'measurements' is no list of results; make it anew.")
        sessions = [convert(row.get("session"), MeasuredTogether, shown) for row in rows]
        return cls(path, tuple(sessions))

    def on(self, target: Target) -> MeasuredTogether:
        """What was measured on a device in the same way.

        Raises:
            ConfigError: nothing was.
        """
        for session in self.sessions:
            if session.measurements[0].target.key == target.key:
                return session
        titles = sorted({one_line(s.measurements[0].device_title, 40) for s in self.sessions})
        raise ConfigError(
            f"{one_line(str(self.path))} has nothing of {one_line(target.device_title, 40)} with"
            f" this runtime and these settings, only of {', '.join(titles) or 'nothing'};"
            " name a .tflite to measure both now."
        )


def against_earlier(
    noise: NoiseModel, now: MeasuredTogether, earlier: MeasuredTogether, number: int = 0
) -> RatioEstimate:
    """A model's latency over that of the first model of an earlier session.

    By what both sessions have in common (the built-in reference): ratios to it are sharp in each.
    Where they share nothing the absolute latencies are compared, which is as wide as the device
    strays.

    Args:
        noise: of the device.
        now: the session of the model.
        earlier: the other one.
        number: of the model in its session.
    """
    shared = {one.model_sha256 for one in now.measurements} & {
        one.model_sha256 for one in earlier.measurements[1:]
    }
    here, there = _names(now, "now", shared), _names(earlier, "then", shared)
    edges = (*edges_of(now, noise, here), *edges_of(earlier, noise, there))
    found = RatioGraph.of(edges).ratio(here[number], there[0])
    if found is not None:
        return found
    return _absolute(noise, now.measurements[number], earlier.measurements[0])


def _names(session: MeasuredTogether, when: str, shared: set[str]) -> list[str]:
    """A reference is the same node then and now; other models are not, even if they are equal."""
    return [
        one.model_sha256 if number and one.model_sha256 in shared else f"{when} {number}"
        for number, one in enumerate(session.measurements)
    ]


def _absolute(noise: NoiseModel, mine: Measurement, other: Measurement) -> RatioEstimate:
    variances = [noise.between([one]) for one in (mine, other)]
    value = sum(one.value for one in variances)
    log = math.log(mine.latency_ms / other.latency_ms)
    return RatioEstimate(log, math.sqrt(value), max(min(one.df for one in variances), 1.0))


def probe_plan() -> MeasuringPlan:
    """A few runs, which tell about how long a model takes."""
    return _PROBE


def plan_of(
    noise: NoiseModel, probed: Sequence[Measurement], seconds: float, cold_bytes: int
) -> PlanChoice:
    """How to measure models of which a few runs are known.

    Args:
        noise: of the device.
        probed: of each model; what it is compared with first.
        seconds: the longest time of it all.
        cold_bytes: to be read before a run with cold caches; 0: no such runs.
    """
    likes = [Like(one.model_bytes, one.latency_ms, noise.cache_bytes) for one in probed]
    choice = plan_for(noise, likes, 1000 * seconds)
    plan = choice.plan
    if len(likes) == 1:  # what an interval does not need percentiles do
        least_ms = min(_PERCENTILES_MS, 1000 * seconds)
        longer = max(1.0, least_ms / (plan.placements * plan.placement_ms))
        plan = replace(plan, placement_ms=plan.placement_ms * longer, max_ms=plan.max_ms * longer,
                       half_width=0.0)  # fmt: skip
    if cold_bytes:
        plan = replace(plan, cold_runs=2, cold_bytes=cold_bytes)
    return replace(choice, plan=plan)


def sustained_plan(seconds: float) -> MeasuringPlan:
    """One model for minutes: without a pause but for a new place in memory now and then.

    Raises:
        ConfigError: less than 20 s, or more than 50 min.
    """
    if not _SUSTAINED_S[0] <= seconds <= _SUSTAINED_S[1]:
        raise ConfigError("--sustained takes 20s to 50min; write for example 10min.")
    stretches = max(4, math.ceil(1000 * seconds / _STRETCH_MS))
    stretch_ms = 1000 * seconds / stretches
    return MeasuringPlan(
        placements=stretches, least_placements=stretches, placement_ms=stretch_ms,
        block_ms=_SUSTAINED_BLOCK_MS, block_timings=20, max_ms=1000 * seconds * 1.2,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sustained:
    """How a model's latency went over minutes.

    Attributes:
        curve: (s since the start, median ms) of stretches of equal length, in order.
        first_ms: median of the first minute, or of the first quarter of a shorter time.
        last_ms: likewise of the last.
    """

    curve: tuple[tuple[float, float], ...]
    first_ms: float
    last_ms: float

    @classmethod
    def of(cls, measured: Measurement, points: int = 12) -> Sustained:
        """Of one long session."""
        blocks = measured.blocks
        start, end = blocks[0].start_ns, blocks[-1].start_ns
        length_s = max((end - start) / 1e9, 1e-9)
        minute = min(60.0, length_s / 4)
        at = [((block.start_ns - start) / 1e9, block.median_ms) for block in blocks]
        parts: dict[int, list[float]] = {}
        for second, median in at:
            parts.setdefault(min(int(second / length_s * points), points - 1), []).append(median)
        curve = tuple((n * length_s / points, _median(parts[n])) for n in sorted(parts))
        first = _median([ms for second, ms in at if second <= minute])
        last = _median([ms for second, ms in at if second >= length_s - minute])
        return cls(curve, first, last)

    @property
    def slowdown(self) -> float:
        """The last minute's median over the first one's."""
        return self.last_ms / self.first_ms


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def result_json(path: Path) -> bool:
    """Whether a file is to be read as an earlier result rather than as a model."""
    return path.suffix.lower() == ".json"


def as_json(estimate: RatioEstimate) -> dict[str, Any]:
    """A ratio for `--json`."""
    return {
        "ratio": estimate.ratio, "low": estimate.low, "high": estimate.high,
        "different": estimate.is_different, "rounds_left_out": estimate.left_out,
    }  # fmt: skip
