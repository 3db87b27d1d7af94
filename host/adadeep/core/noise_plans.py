"""How to measure on a device with this noise: how long, in what turns, beside what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adadeep.core.estimates import LEAST_SD, summed
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.noise_pool import Like, Variance
from adadeep.core.statistics import t_quantile

if TYPE_CHECKING:
    from adadeep.core.noise import NoiseModel

_PLACEMENT_MS = (40.0, 80.0, 120.0, 160.0, 320.0, 640.0)
_SHORTEST_MS, _USUAL_MS = 200.0, 1000.0
_MOST_PLACEMENTS = 200
_WORTH = 0.8  # of the variance: what twice the time must leave of it; of white noise it is a half
_WORDS_S = 1.0  # of a session that words are about
_AS_GOOD = 0.9
_LOAD_SHARE = 0.2  # of the time, for making interpreters, at most: agents see to it
# To make one anew, with a first run: on a computer of today; slower devices see to their share.
_REMADE_MS, _REMADE_MS_A_MB = 1.5, 0.5
_FILLED = 0.95  # of a session's time: its last round is not to be cut off


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """A plan, and what to expect of it.

    Attributes:
        plan: that follows from the noise.
        half_width: of the 95 % interval of what is asked for, relative, that is expected.
        reason: why it is no longer, or does not reach what was aimed at.
    """

    plan: MeasuringPlan
    half_width: float
    reason: str


@dataclass(frozen=True, slots=True)
class Offered:
    """A model beside which a candidate might be measured.

    Attributes:
        like: its size and time.
        known_sd: of the log of its own ratio to the unit; 0 of the unit.
    """

    like: Like
    known_sd: float = 0.0


def plan_for(
    noise: NoiseModel, models: Sequence[Like], budget_ms: float, aim: float = 0.01
) -> PlanChoice:
    """The plan of a session of one model (its latency) or several (their ratios).

    Args:
        noise: of the device.
        models: 1 or more, what is known of them.
        budget_ms: the longest time.
        aim: half-width that is enough, relative: 0.01.
    """
    if len(models) == 1:
        return _latency_plan(noise, models[0], budget_ms, aim)
    return _ratio_plan(noise, models, budget_ms, aim)


def _latency_plan(noise: NoiseModel, model: Like, budget_ms: float, aim: float) -> PlanChoice:
    most = budget_ms * (1 - _LOAD_SHARE)
    ms = min(max(_SHORTEST_MS, 8 * model.latency_ms), most)
    variance = noise.own(model, ms / 1000)
    while 2 * ms <= most and _margin(variance) > aim:
        longer = noise.own(model, 2 * ms / 1000)
        if longer.value > _WORTH * variance.value:
            break
        ms, variance = 2 * ms, longer
    placement = noise.placement(model, 4.0).value
    count = math.ceil(4 * placement / max(variance.value, LEAST_SD**2))
    count = min(max(count, 4), max(int(ms / 20), 4), _MOST_PLACEMENTS)
    margin = _margin(variance)
    plan = MeasuringPlan(
        placements=count,
        placement_ms=ms / count,
        max_ms=min(2 * ms, budget_ms),
        half_width=min(margin / 4, 1.0),
    )
    return PlanChoice(plan, margin, _latency_reason(ms, margin, aim, is_longest=2 * ms > most))


def _latency_reason(ms: float, margin: float, aim: float, *, is_longest: bool) -> str:
    expected = f"{percent(margin)} either way"
    if margin <= aim:
        return f"{expected} is enough"
    if is_longest:
        return f"{expected}; a longer time would help"
    return f"{expected}; longer than {seconds(ms / 1000)} can't get narrower: the device flickers"


def _ratio_plan(
    noise: NoiseModel, models: Sequence[Like], budget_ms: float, aim: float
) -> PlanChoice:
    usual = MeasuringPlan()
    best: PlanChoice | None = None
    most_ms = _FILLED * budget_ms
    for placement_ms in reversed(_PLACEMENT_MS):  # the fewest loads among those as good
        plan = replace(usual, placement_ms=placement_ms, max_ms=most_ms, half_width=aim)
        count = min(int(most_ms / _spent(models, plan).placement_ms), _MOST_PLACEMENTS)
        if count < usual.least_placements and placement_ms > _PLACEMENT_MS[0]:
            continue
        plan = replace(plan, placements=max(count, 1))
        margin = max(
            _margin(ratio_variance(noise, models[0], other, plan, len(models)))
            for other in models[1:]
        )
        if best is None or margin < _AS_GOOD * best.half_width:
            best = PlanChoice(plan, margin, "")
    assert best
    enough = "is enough" if best.half_width <= aim else "is what the time allows"
    return replace(best, reason=f"{percent(best.half_width)} either way {enough}")


@dataclass(frozen=True, slots=True)
class _Spent:
    """What a placement takes, about.

    Attributes:
        rounds: that it has.
        placement_ms: with making the models anew.
    """

    rounds: int
    placement_ms: float


def _spent(models: Sequence[Like], plan: MeasuringPlan) -> _Spent:
    timed_ms = sum(max(plan.block_ms, one.latency_ms) for one in models)
    remade_ms = sum(
        _REMADE_MS + _REMADE_MS_A_MB * one.model_bytes / 1e6 + one.latency_ms for one in models
    )
    least_ms = max(plan.placement_ms, remade_ms * (1 - _LOAD_SHARE) / _LOAD_SHARE)
    rounds = math.ceil(least_ms / timed_ms)
    return _Spent(rounds, rounds * sum(_turn_ms(one, plan) for one in models) + remade_ms)


def ratio_variance(
    noise: NoiseModel, first: Like, second: Like, plan: MeasuringPlan, models: int = 2
) -> Variance:
    """Of the log ratio of two models, foretold for a session of `models` models in turn."""
    spent = _spent([first, *[second] * (models - 1)], plan)
    count = min(max(int(plan.max_ms / spent.placement_ms), 1), plan.placements)
    parts = [noise.placement(one, spent.rounds) for one in (first, second)]
    value, df = summed(*((one.value / count, one.df) for one in parts))
    return Variance(value, max(df, 1.0) + count - 1)


def best_reference(
    noise: NoiseModel,
    candidate: Like,
    offered: Sequence[Offered],
    plan: MeasuringPlan | None = None,
) -> list[int]:
    """Numbers of the models beside which a candidate's ratio to the unit is sharpest, best first.

    Those that would take more of a session than the candidate itself are left out; if all would,
    the shortest one stays.

    Args:
        noise: of the device.
        candidate: its size, and its time as far as it is known.
        offered: 1 or more.
        plan: of the session; None for the usual one.
    """
    used = plan or MeasuringPlan()
    most = _turn_ms(candidate, used)
    turns = [_turn_ms(one.like, used) for one in offered]
    cheap = [n for n, turn in enumerate(turns) if turn <= most * 1.001]
    if not cheap:
        return [min(range(len(offered)), key=turns.__getitem__)]

    def variance(number: int) -> float:
        one = offered[number]
        return ratio_variance(noise, candidate, one.like, used).value + one.known_sd**2

    return sorted(cheap, key=variance)


def _turn_ms(model: Like, plan: MeasuringPlan) -> float:
    """Of a block with its dropped runs."""
    dropped = max(plan.drop_runs * model.latency_ms, plan.drop_ms)
    if model.latency_ms > 10 * plan.block_ms:
        dropped = 0.0
    return max(plan.block_ms, model.latency_ms) + dropped


def words_of(noise: NoiseModel) -> str:
    """How far to trust a device, in a line."""
    likes = [Like(r.model_bytes, r.latency_ms, noise.cache_bytes) for r in noise.references]
    absolute = [_margin(noise.foretold(like, _WORDS_S)) for like in likes]
    plan = MeasuringPlan()
    compared = [_margin(ratio_variance(noise, like, like, plan)) for like in likes]
    knees = sorted(one.knee_s for one in noise.references)
    told = f"absolute {_range(absolute)}, compared {_range(compared)}"
    if noise.is_prior:
        return f"not measured, a wide guess: {told}"
    knee = knees[len(knees) // 2]
    longest = max(one.curve[-1][0] for one in noise.references)
    if knee >= longest / 2:
        return f"{told}; the longer the truer"
    return f"{told}; longer than {seconds(knee)} is wasted"


def _range(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    if high < 1.5 * low or percent(low) == percent(high):
        return percent(sorted(values)[len(values) // 2])
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def percent(share: float) -> str:
    """0.113: "11 %"."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.5 else f"{value:.2g} %"


def seconds(value: float) -> str:
    """0.32: "0.3 s"."""
    return f"{value:.0f} s" if value >= 9.5 else f"{value:.1g} s"


def _margin(variance: Variance) -> float:
    margin = t_quantile(0.975, variance.df) * math.sqrt(variance.value)
    return math.expm1(min(margin, 5.0))
