"""From an outcome to the rows of the final table."""

from __future__ import annotations

from dataclasses import replace

from adadeep.core.verdict import Verdicts, VerdictState
from adadeep.report.final_table import PlanRow
from adadeep.study.outcome import Outcome
from adadeep.study.results import ScoredTrial


def plan_rows(outcome: Outcome, count: int) -> list[PlanRow]:
    """The initial network, then the best plans, the winner first.

    A plan has the number that it has in `trials` of the JSON.
    """
    result, winner = outcome.result, outcome.conclusion.winner
    rows = [_row(outcome, result.baseline, "initial network", outcome.test.initial)]
    others = [scored for scored in result.ranked(count) if scored is not winner]
    best = [winner, *others] if winner is not result.baseline else others
    for scored in best[:count]:
        plan, number = scored.trial.plan, result.trials.index(scored)
        tested = outcome.test.best if scored is winner else None
        row = _row(outcome, scored, f"#{number} {plan.short_label}", tested)
        if row is not None and plan.label != plan.short_label:
            row = replace(row, settings=f"#{number}: {plan.label}")
        rows.append(row)
    return [row for row in rows if row is not None]


def _row(
    outcome: Outcome, scored: ScoredTrial, label: str, test_accuracy: float | None
) -> PlanRow | None:
    trial = scored.trial
    verdicts = outcome.conclusion.verdicts.get(trial.plan.key)
    if trial.cost is None or verdicts is None:
        return None
    return PlanRow(
        label=label,
        accuracy=trial.accuracy,
        test_accuracy=test_accuracy,
        cost=trial.cost,
        reward=scored.reward.total,
        demand=_demand(verdicts),
        scale=outcome.identity.metric,
    )


def _demand(verdicts: Verdicts) -> str:
    """The verdict; of a plan that was no finalist, that nobody has tested it."""
    is_tested = verdicts.accuracy_loss.high is not None
    if verdicts.state is VerdictState.OPEN and not is_tested:
        return "open, untested"
    return verdicts.text
