"""From an outcome to the rows of the final table."""

from __future__ import annotations

from dataclasses import replace

from adadeep.core.search import GoalScore
from adadeep.core.verdict import Verdicts, VerdictState
from adadeep.report.final_table import PlanRow
from adadeep.study.outcome import Outcome, TargetOutcome


def plan_rows(outcome: Outcome, target: TargetOutcome, count: int) -> list[PlanRow]:
    """The initial network on a device, then the best plans, the winner first.

    A plan has the number that it has in `trials` of the JSON.
    """
    result, winner = target.result, target.conclusion.winner
    rows = [_row(target, result.baseline, "initial network", outcome.initial_test_accuracy)]
    others = [scored for scored in result.ranked(count) if scored is not winner]
    best = [winner, *others] if winner is not result.baseline else others
    for scored in best[:count]:
        plan, number = scored.trial.plan, result.trials.index(scored)
        tested = target.test_accuracy if scored is winner else None
        row = _row(target, scored, f"#{number} {plan.short_label}", tested)
        if row is not None and plan.label != plan.short_label:
            row = replace(row, settings=f"#{number}: {plan.label}")
        rows.append(row)
    return [row for row in rows if row is not None]


def _row(
    target: TargetOutcome, scored: GoalScore, label: str, test_accuracy: float | None
) -> PlanRow | None:
    trial = scored.trial
    verdicts = target.conclusion.verdicts.get(trial.plan.key)
    if trial.cost is None or verdicts is None:
        return None
    return PlanRow(
        label=label,
        accuracy=trial.accuracy,
        test_accuracy=test_accuracy,
        cost=trial.cost,
        reward=scored.reward.total,
        demand=_demand(verdicts),
        scale=target.result.scale,
    )


def _demand(verdicts: Verdicts) -> str:
    """The verdict; of a plan that was no finalist, that nobody has tested it."""
    is_tested = verdicts.accuracy_loss.high is not None
    if verdicts.state is VerdictState.OPEN and not is_tested:
        return "open, untested"
    return verdicts.text
