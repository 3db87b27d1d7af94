"""From an outcome to the rows of the final table."""

from __future__ import annotations

from adadeep.report.final_table import PlanRow
from adadeep.study.outcome import Outcome
from adadeep.study.results import ScoredTrial


def plan_rows(outcome: Outcome, count: int) -> list[PlanRow]:
    """The initial network, then the best plans, the winner first.

    A plan has the number that it has in `trials` of the JSON.
    """
    result = outcome.result
    rows = [_row(result.baseline, "initial network", outcome.test.initial)]
    for scored in result.ranked(count):
        plan, number = scored.trial.plan, result.trials.index(scored)
        tested = outcome.test.best if scored is result.best else None
        settings = f"#{number}: {plan.label}" if plan.label != plan.short_label else ""
        rows.append(_row(scored, f"#{number} {plan.short_label}", tested, settings))
    return [row for row in rows if row is not None]


def _row(
    scored: ScoredTrial, label: str, test_accuracy: float | None, settings: str = ""
) -> PlanRow | None:
    trial = scored.trial
    if trial.cost is None:
        return None
    return PlanRow(
        label=label,
        accuracy=trial.accuracy,
        test_accuracy=test_accuracy,
        cost=trial.cost,
        reward=scored.reward.total,
        meets_demand=scored.reward.is_feasible,
        settings=settings,
    )
