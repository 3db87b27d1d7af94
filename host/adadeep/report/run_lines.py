"""A run's settings as text for people."""

from __future__ import annotations

import shlex
from pathlib import Path

from adadeep.core.cost import MEDIAN
from adadeep.core.cost_source import ENERGY, LATENCY
from adadeep.core.demand import UserDemand
from adadeep.core.display import one_line
from adadeep.core.metric import Scale
from adadeep.core.own_task import OwnTask
from adadeep.core.target import CPU
from adadeep.core.units import format_bytes, format_mj, format_ms, format_percent
from adadeep.storage.records import TargetRecord, Unit

_NAMES = {LATENCY: "T", ENERGY: "E"}
_LONGEST_NAME = 40
_LONGEST_LINE = 10_000


def demand_line(demand: UserDemand, scale: Scale) -> str:
    """What was wanted: "accuracy loss <= 2.0 %, T <= 4 ms; weights 0.6 0.4 0.5 0.5"."""
    limits = (
        (_latency_name(demand), demand.max_latency_ms, format_ms),
        ("E", demand.max_energy_mj, format_mj),
        ("S_p", demand.max_storage_bytes, format_bytes),
    )
    parts = [f"{scale.title} loss <= {format_percent(demand.max_accuracy_loss)}"]
    parts += [f"{name} <= {shown(limit)}" for name, limit, shown in limits if limit is not None]
    weights = (demand.accuracy_weight, demand.energy_weight, demand.latency_weight,
               demand.storage_weight)  # fmt: skip
    return f"{', '.join(parts)}; weights {' '.join(f'{weight:g}' for weight in weights)}"


def _latency_name(demand: UserDemand) -> str:
    return "T" if demand.latency_statistic == MEDIAN else f"T ({demand.latency_statistic})"


def going_on_line(folder: Path, own: OwnTask | None) -> str:
    """How a search that has not ended is gone on with; of a network of the user's own its names.

    Args:
        folder: of the run.
        own: what the user named for network and data; None of a task.
    """
    line = "the search has not ended: the command that began it goes on with it"
    if own is None:
        return line
    words = shlex.join(["adadeep", "search", *own.words, "-o", str(folder)])
    return one_line(f"{line}, with its devices and limits: {words}", _LONGEST_LINE)


def unit_line(unit: Unit, drift: float) -> str:
    """What latencies are multiples of: "the initial network takes 0.6 ms (0.5 ms to 0.7 ms)"."""
    whose = "the initial network takes"
    if unit.reason is not None:
        whose = f"the initial network can't run ({one_line(unit.reason, 120)}); a reference takes"
    latency = unit.latency
    ends = f"{format_ms(latency.low_ms)} to {format_ms(latency.high_ms)}"
    now = "" if drift == 1.0 else f"; {drift:.3g} times as long when measured last"
    basis = one_line(unit.basis, 120)
    return f"{whose} {format_ms(latency.latency_ms)} ({ends}, {basis}){now}"


def source_line(record: TargetRecord) -> str:
    """Where costs come from on a target: "T measured, E analytic (their-source)"."""
    return ", ".join(f"{_NAMES[name]} {_source(record, name)}" for name in (LATENCY, ENERGY))


def _source(record: TargetRecord, quantity: str) -> str:
    source = one_line(record.sources[quantity], _LONGEST_NAME)
    provenance = one_line(record.provenances.get(quantity, source), _LONGEST_NAME)
    return provenance if provenance == source else f"{provenance} ({source})"


def runtime_line(record: TargetRecord) -> str:
    """How models run on a target: "ai_edge_litert 2.3.0, 1 thread, cores f0"."""
    target = record.target
    threads, cores = target.settings.threads, target.settings.core_mask
    parts = [
        f"{target.runtime} {target.runtime_version}",
        f"{threads} {'thread' if threads == 1 else 'threads'}",
        *([f"cores {cores}"] if cores else []),
        *([target.accelerator] if target.accelerator != CPU else []),
        *([target.scheduling] if target.scheduling else []),
    ]
    return one_line(", ".join(parts), 2 * _LONGEST_NAME)
