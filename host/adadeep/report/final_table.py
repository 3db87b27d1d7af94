"""The table at the end of a search: the initial network and the best plans, number by number.

Each number says how it was obtained by a mark that the legend explains. Numbers that were counted
(S_p, file size, MACs) or tested (accuracy) have none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adadeep.core.cost import COLD, MEDIAN, P95, P99, Cost, Provenance, Quantity
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.units import (
    format_bytes,
    format_count,
    format_mj,
    format_ms,
)
from adadeep.report.table_text import Column

MARKS = {Provenance.MEASURED: "", Provenance.FITTED: " ~", Provenance.ANALYTIC: " *"}
_MEANINGS = {
    Provenance.MEASURED: "measured",
    Provenance.FITTED: "~ from the device's fitted profile",
    Provenance.ANALYTIC: "* from a formula, not measured",
}
_STATISTICS = {
    P95: "what 95 % of all inferences keep (p95), as the demand names it",
    P99: "what 99 % of all inferences keep (p99), as the demand names it",
    COLD: "that of an inference with cold caches, as the demand names it",
}


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A network in the table.

    Attributes:
        label: short, see `settings`.
        accuracy: on the validation data.
        test_accuracy: on the test data; None if it was not tested.
        cost: of one inference.
        reward: R1 + R2; None where it is not known.
        demand: what can be said of it against the demand: "met", "open, within", ...
        settings: of the plan's techniques, a line below the table; "" if there are none.
        scale: what accuracies mean.
    """

    label: str
    accuracy: float | None
    test_accuracy: float | None
    cost: Cost
    reward: float | None
    demand: str
    settings: str = ""
    scale: Scale = ACCURACY_SCALE


@dataclass(frozen=True, slots=True)
class PlanColumn:
    """A column, and how a row's cell is made."""

    column: Column
    cell: Callable[[PlanRow], str]


# Those of a high rank go first where the terminal is narrow.
PLAN_COLUMNS = (
    PlanColumn(Column("plan", wraps=True), lambda row: row.label),
    PlanColumn(Column("A (val)", right=True), lambda row: row.scale.shown(row.accuracy)),
    PlanColumn(
        Column("A (test)", right=True, rank=1), lambda row: row.scale.shown(row.test_accuracy)
    ),
    PlanColumn(Column("S_p", right=True), lambda row: format_bytes(row.cost.storage_bytes)),
    PlanColumn(
        Column(".tflite", right=True, rank=4), lambda row: format_bytes(row.cost.file_bytes)
    ),
    PlanColumn(Column("MACs", right=True, rank=5), lambda row: format_count(row.cost.macs)),
    PlanColumn(
        Column("T", right=True),
        lambda row: format_ms(row.cost.latency_ms.value) + _mark(row.cost.latency_ms),
    ),
    PlanColumn(Column("speed-up", right=True, rank=3), lambda row: _speed_up(row.cost.latency_ms)),
    PlanColumn(
        Column("E", right=True, rank=2),
        lambda row: format_mj(row.cost.energy_mj.value) + _mark(row.cost.energy_mj),
    ),
    PlanColumn(
        Column("reward", right=True, rank=3),
        lambda row: "-" if row.reward is None else f"{row.reward:+.3f}",
    ),
    PlanColumn(Column("demand"), lambda row: row.demand),
)
COLUMNS = tuple(spec.column for spec in PLAN_COLUMNS)


def table_rows(rows: Sequence[PlanRow]) -> list[tuple[str, ...]]:
    """The cells under `COLUMNS`."""
    return [tuple(spec.cell(row) for spec in PLAN_COLUMNS) for row in rows]


def settings_lines(rows: Sequence[PlanRow]) -> list[str]:
    """What the short labels leave out."""
    return [row.settings for row in rows if row.settings]


def legend(rows: Sequence[PlanRow]) -> list[str]:
    """What A is, if no accuracy; how T and E were obtained, a line for each way and source."""
    scales = dict.fromkeys(row.scale for row in rows if row.scale != ACCURACY_SCALE)
    lines = [f"A: {scale.about}" for scale in scales]
    for name, field in (("T", "latency_ms"), ("E", "energy_mj")):
        quantities: list[Quantity] = [getattr(row.cost, field) for row in rows]
        ways = dict.fromkeys((q.provenance, q.source) for q in quantities if q.value is not None)
        lines += [f"{name}: {_MEANINGS[way]}: {source}" for way, source in ways]
        other = dict.fromkeys(q.statistic for q in quantities if q.statistic != MEDIAN)
        lines += [f"{name} is {_STATISTICS[statistic]}" for statistic in other]
        if any(quantity.suspect for quantity in quantities):
            lines.append(f"{name}: ! suspect: something disturbed the device meanwhile")
    return lines


def _speed_up(latency: Quantity) -> str:
    """How many times faster than the initial network, with the ends of the interval."""
    ratio = latency.ratio
    if ratio is None or not ratio.low > 0:
        return "-"
    value, low, high = (f"{1 / one:.3g}" for one in (ratio.value, ratio.high, ratio.low))
    return f"{value}x" if low == high else f"{value}x ({low} to {high})"


def _mark(quantity: Quantity) -> str:
    return MARKS.get(quantity.provenance, "") + (" !" if quantity.suspect else "")
