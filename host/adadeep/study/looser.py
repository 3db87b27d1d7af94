"""What a looser limit would give, from what was tried. Pure.

By the search's own samples and medians: a hint where to look, not a claim. Plans that
are known to lose too much on held-back samples are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from adadeep.core import units
from adadeep.core.demand import UserDemand
from adadeep.core.reward import Limits, margins, reward
from adadeep.core.search import GoalScore
from adadeep.core.trial import Trial
from adadeep.study.results import StudyResult

MOST = 2
_LEAST_GAIN = 0.001  # of the metric's range: below, "better" is rounding
_LEAST_REWARD = 0.01
_TOLERANCE = 1e-9  # as of the reward's margins

Values = Callable[[float | None], str]
# limit as verdicts name it -> as margins do, its symbol, how it is shown
_LIMITS: dict[str, tuple[str, str, Values]] = {
    "latency_ms": ("latency", "T", units.format_ms),
    "energy_mj": ("energy", "E", units.format_mj),
    "storage_bytes": ("storage", "S_p", units.format_bytes),
    "accuracy_loss": ("accuracy", "loss", units.format_percent),
}


@dataclass(frozen=True, slots=True)
class Looser:
    """One limit that would have to be looser, and the plan that it would let in.

    Attributes:
        limit: as verdicts name it: "latency_ms".
        allowed: the limit as it is: ms, mJ, bytes; of accuracy a fraction of the metric's range.
        needed: what it would have to be.
        scored: the plan; it keeps all other limits.
        accuracy_gain: by how much its quality is better than the winner's; a fraction of the
            metric's range, negative where it is worse.
        reward_gain: by how much its reward is better, under the looser limit.
    """

    limit: str
    allowed: float
    needed: float
    scored: GoalScore
    accuracy_gain: float
    reward_gain: float

    @property
    def more(self) -> float:
        """By how much the limit would have to be looser."""
        return self.needed - self.allowed


def looser_limits(
    result: StudyResult,
    demand: UserDemand,
    winner: GoalScore,
    refuted: Collection[str] = (),
) -> tuple[Looser, ...]:
    """For each limit that binds the nearest plan beyond it alone that is better than all within.

    Better is a higher accuracy than any plan within the limits has, or a higher reward under the
    looser limit; where the winner breaks limits itself every plan that breaks one alone is.

    Args:
        result: of a target.
        demand: whose weights make the reward.
        winner: complete; the plan that gains are told against.
        refuted: keys of plans that lose too much on held-back samples.

    Returns:
        `MOST` at the most, of the least looseness (a share of the largest margin) first.
    """
    tried = (scored for scored in result.trials if scored.trial.plan.key not in refuted)
    broken = [(scored, _broken(result, scored.trial)) for scored in tried]
    within = [scored for scored, found in broken if found == {}]
    if _broken(result, winner.trial):
        within = []
    nearest: dict[str, tuple[float, Looser]] = {}
    for scored, found in broken:
        if found is None or len(found) != 1:
            continue
        ((name, share),) = found.items()
        one = _looser(result, demand, name, (winner, scored))
        is_nearer = name not in nearest or share < nearest[name][0]
        if is_nearer and (not within or _is_better(result, demand, one, within)):
            nearest[name] = share, one
    ranked = sorted(nearest.values(), key=lambda pair: pair[0])
    return tuple(one for _, one in ranked[:MOST])


def _looser(
    result: StudyResult, demand: UserDemand, name: str, pair: tuple[GoalScore, GoalScore]
) -> Looser:
    winner, scored = pair
    needed = _value(result, name, scored.trial)
    limits = _loosened(result, name, scored.trial)
    totals = [_total(result, demand, limits, one) for one in pair]
    gain = _accuracy_gain(result, winner.trial, scored.trial)
    return Looser(name, _allowed(result, name), needed, scored, gain, totals[1] - totals[0])


def _is_better(
    result: StudyResult, demand: UserDemand, one: Looser, within: list[GoalScore]
) -> bool:
    """Whether no plan within the limits has what the looser limit gives."""
    mine = one.scored
    gains = [_accuracy_gain(result, other.trial, mine.trial) for other in within]
    if one.limit != "accuracy_loss" and min(gains) >= _LEAST_GAIN:
        return True
    limits = _loosened(result, one.limit, mine.trial)
    best = max(_total(result, demand, limits, other) for other in within)
    return _total(result, demand, limits, mine) - best >= _LEAST_REWARD


def _broken(result: StudyResult, trial: Trial) -> dict[str, float] | None:
    """The limits that a plan breaks: names and shares; None where its costs are not known."""
    cost = trial.cost
    if trial.accuracy is None or cost is None:
        return None
    if cost.latency_ms.value is None or cost.energy_mj.value is None:
        return None
    kept = margins(result.limits, trial.accuracy, cost, result.scale)
    shares = {name: -getattr(kept, field) for name, (field, _, _) in _LIMITS.items()}
    return {name: share for name, share in shares.items() if share > _TOLERANCE}


def _accuracy_gain(result: StudyResult, before: Trial, after: Trial) -> float:
    assert before.accuracy is not None
    assert after.accuracy is not None
    return result.scale.loss(after.accuracy, before.accuracy)


def _allowed(result: StudyResult, name: str) -> float:
    limits, initial = result.limits, result.baseline.trial.accuracy or 0.0
    if name == "accuracy_loss":
        return result.scale.loss(initial, limits.min_accuracy)
    return float(getattr(limits, f"max_{name}"))


def _value(result: StudyResult, name: str, trial: Trial) -> float:
    """What a plan has where a limit is: both are known."""
    assert trial.cost is not None
    assert trial.accuracy is not None
    if name == "accuracy_loss":
        return result.scale.loss(result.baseline.trial.accuracy or 0.0, trial.accuracy)
    if name == "storage_bytes":
        return trial.cost.storage_bytes
    value = getattr(trial.cost, name).value
    assert value is not None
    return float(value)


def _loosened(result: StudyResult, name: str, trial: Trial) -> Limits:
    if name == "accuracy_loss":
        assert trial.accuracy is not None
        return replace(result.limits, min_accuracy=trial.accuracy)
    return replace(result.limits, **{f"max_{name}": _value(result, name, trial)})


def _total(result: StudyResult, demand: UserDemand, limits: Limits, scored: GoalScore) -> float:
    trial = scored.trial
    assert trial.accuracy is not None
    assert trial.cost is not None
    return reward(demand, limits, trial.accuracy, trial.cost, result.scale).total


def looser_lines(found: tuple[Looser, ...], result: StudyResult, winner: GoalScore) -> list[str]:
    """For people: "looser: T <= 2.3 ms (0.3 ms more): accuracy +0.8 % by #7 conv2:C2"."""
    is_within = _broken(result, winner.trial) == {}
    return [_line(one, result, is_within) for one in found]


def _line(one: Looser, result: StudyResult, is_within: bool) -> str:
    _, symbol, show = _LIMITS[one.limit]
    title = f"{result.scale.title} {symbol}" if one.limit == "accuracy_loss" else symbol
    number = result.trials.index(one.scored)
    plan = f"#{number} {one.scored.trial.plan.short_label}" if number else "the initial network"
    head = f"looser: {title} <= {show(one.needed)} ({show(one.more)} more)"
    if not is_within:
        return f"{head}: {plan} would be within"
    if one.limit == "accuracy_loss" or one.accuracy_gain < _LEAST_GAIN:
        return f"{head}: reward {one.reward_gain:+.3f} by {plan}"
    sign = "+" if result.scale.higher_is_better else "-"
    gain = units.format_percent(one.accuracy_gain)
    return f"{head}: {result.scale.title} {sign}{gain} by {plan}"


def looser_as_json(found: tuple[Looser, ...]) -> list[dict[str, Any]]:
    """For JSON."""
    return [
        {
            "limit": one.limit,
            "allowed": one.allowed,
            "needed": one.needed,
            "key": one.scored.trial.plan.key,
            "label": one.scored.trial.plan.label,
            "accuracy_gain": one.accuracy_gain,
            "reward_gain": one.reward_gain,
        }
        for one in found
    ]
