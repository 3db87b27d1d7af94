"""The table at the end of a search: the initial network and the best plans, number by number.

Each number says how it was obtained by a mark that the legend explains. Numbers that were counted
(S_p, file size, MACs) or tested (accuracy) have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.units import (
    format_bytes,
    format_count,
    format_mj,
    format_ms,
    format_percent,
)

MARKS = {Provenance.MEASURED: "", Provenance.FITTED: " ~", Provenance.ANALYTIC: " *"}
_MEANINGS = {
    Provenance.MEASURED: "measured",
    Provenance.FITTED: "~ from the device's fitted profile",
    Provenance.ANALYTIC: "* from a formula, not measured",
}

COLUMNS = (
    "plan", ">A (val)", ">A (test)", ">S_p", ">.tflite", ">MACs", ">T", ">E", ">reward", "demand",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A network in the table.

    Attributes:
        label: the plan, or "initial network".
        accuracy: on the validation data.
        test_accuracy: on the test data; None if it was not tested.
        cost: of one inference.
        reward: R1 + R2.
        demand: what can be said of it against the demand: "met", "open, within", ...
    """

    label: str
    accuracy: float | None
    test_accuracy: float | None
    cost: Cost
    reward: float
    demand: str


def table_rows(rows: Sequence[PlanRow]) -> list[tuple[str, ...]]:
    """The cells under `COLUMNS`."""
    return [
        (
            row.label,
            format_percent(row.accuracy),
            format_percent(row.test_accuracy),
            format_bytes(row.cost.storage_bytes),
            format_bytes(row.cost.file_bytes),
            format_count(row.cost.macs),
            format_ms(row.cost.latency_ms.value) + _mark(row.cost.latency_ms),
            format_mj(row.cost.energy_mj.value) + _mark(row.cost.energy_mj),
            f"{row.reward:+.3f}",
            row.demand,
        )
        for row in rows
    ]


def legend(rows: Sequence[PlanRow]) -> list[str]:
    """How T and E were obtained, a line for each way and source that occurs."""
    lines: list[str] = []
    for name, field in (("T", "latency_ms"), ("E", "energy_mj")):
        quantities: list[Quantity] = [getattr(row.cost, field) for row in rows]
        ways = dict.fromkeys((q.provenance, q.source) for q in quantities if q.value is not None)
        lines += [f"{name}: {_MEANINGS[way]}: {source}" for way, source in ways]
        if any(quantity.suspect for quantity in quantities):
            lines.append(f"{name}: ! suspect: the samples stayed disturbed when measured again")
    return lines


def _mark(quantity: Quantity) -> str:
    return MARKS.get(quantity.provenance, "") + (" !" if quantity.suspect else "")
