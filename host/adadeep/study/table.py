"""From the trials on a device to the rows of the final table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from adadeep.core.metric import Scale
from adadeep.core.search import GoalScore
from adadeep.core.verdict import Verdicts, VerdictState
from adadeep.report.final_table import PlanRow
from adadeep.study.finalists import Conclusion
from adadeep.study.outcome import Outcome, TargetOutcome
from adadeep.study.results import StudyResult

INITIAL_LABEL = "initial network"


def plan_rows(outcome: Outcome, target: TargetOutcome, count: int) -> list[PlanRow]:
    """The initial network on a device, then the best plans, the winner first.

    A plan has the number that it has in `trials` of the JSON.
    """
    result, winner = target.result, target.conclusion.winner
    tests = {
        winner.trial.plan.key: target.test_accuracy,
        result.baseline.trial.plan.key: outcome.initial_test_accuracy,
    }
    return standing_rows(result, target.conclusion, tests, count)


def standing_rows(
    result: StudyResult, conclusion: Conclusion, tests: Mapping[str, float | None], count: int
) -> list[PlanRow]:
    """The same, of a search that may not have ended yet.

    Args:
        result: the trials on a device.
        conclusion: what they come to.
        tests: by plan key, accuracies on the test data.
        count: of plans beside the initial network.
    """
    winner, baseline = conclusion.winner, result.baseline
    others = [scored for scored in result.ranked(count) if scored is not winner]
    best = others if winner is baseline else [winner, *others]
    return _rows(result, (baseline, *best[:count]), conclusion, tests)


def front_rows(
    result: StudyResult, conclusion: Conclusion, tests: Mapping[str, float | None]
) -> list[PlanRow]:
    """The plans that no other beats in A, T, E and S_p at once; the best A first.

    Args:
        result: the trials on a device.
        conclusion: what they come to.
        tests: by plan key, accuracies on the test data.
    """
    scale = result.scale
    front = sorted(
        result.front, key=lambda one: scale.advantage(scale.best, one.trial.accuracy or 0.0)
    )
    return _rows(result, front, conclusion, tests)


def _rows(
    result: StudyResult,
    trials: Iterable[GoalScore],
    conclusion: Conclusion,
    tests: Mapping[str, float | None],
) -> list[PlanRow]:
    rows = []
    for scored in trials:
        row = _row(result, scored, conclusion)
        if row is not None:
            rows.append(replace(row, test_accuracy=tests.get(scored.trial.plan.key)))
    return rows


def _row(result: StudyResult, scored: GoalScore, conclusion: Conclusion) -> PlanRow | None:
    trial, winner = scored.trial, conclusion.winner
    verdicts = conclusion.verdicts.get(trial.plan.key)
    rivals = [result.trials.index(rival.scored) for rival in conclusion.rivals]
    if trial.cost is None or verdicts is None:
        return None
    label, settings = _labels(result, scored)
    if rivals and scored is winner:
        label = f"{label} (as good: {', '.join(f'#{number}' for number in rivals)})"
    return PlanRow(
        label=label,
        accuracy=trial.accuracy,
        test_accuracy=None,
        cost=trial.cost,
        reward=scored.reward.total,
        demand=demand_text(verdicts),
        settings=settings,
        scale=result.scale,
    )


def _labels(result: StudyResult, scored: GoalScore) -> tuple[str, str]:
    """Of a row: the plan with its number, and its settings if it has any."""
    if scored is result.baseline:
        return INITIAL_LABEL, ""
    plan, number = scored.trial.plan, result.trials.index(scored)
    has_settings = plan.label != plan.short_label
    return f"#{number} {plan.short_label}", f"#{number}: {plan.label}" if has_settings else ""


def winner_lines(result: StudyResult, conclusion: Conclusion) -> list[str]:
    """For people: how the winner was made, then a line for each plan that is as good as it."""
    return [*_remade_line(result.scale, conclusion.winner), *_rival_lines(result, conclusion)]


def _remade_line(scale: Scale, winner: GoalScore) -> list[str]:
    then, now = winner.trial.as_searched, winner.trial.accuracy
    if then is None or now is None:
        return []
    return [
        "the winner was made again by the full recipe, then measured and tested: "
        f"{scale.title} {scale.shown(now)}, {scale.shown(then.accuracy)} as the search made it"
    ]


def _rival_lines(result: StudyResult, conclusion: Conclusion) -> list[str]:
    return [
        f"as good as the winner: #{result.trials.index(rival.scored)}"
        f" {rival.scored.trial.plan.short_label}; the winner's T is {rival.ratio.low:.3g} to"
        f" {rival.ratio.high:.3g} times its T"
        for rival in conclusion.rivals
    ]


def demand_text(verdicts: Verdicts) -> str:
    """The verdict; of a plan that was no finalist, that nobody has tested it."""
    is_tested = verdicts.accuracy_loss.high is not None
    if verdicts.state is VerdictState.OPEN and not is_tested:
        return "open, untested"
    return verdicts.text
