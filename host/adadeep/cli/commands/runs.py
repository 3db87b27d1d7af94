"""`adadeep runs`: list, show and prune the folders of searches."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adadeep.cli.options import PATH, json_option
from adadeep.cli.ui import Ui
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.units import format_bytes, format_percent
from adadeep.report.table_text import Column

if TYPE_CHECKING:
    from adadeep.core.metric import Scale
    from adadeep.storage.records import SessionAsks
    from adadeep.storage.run_folder import PlanFile
    from adadeep.study.prune import Pruning
    from adadeep.study.run_view import FinalistView, RunView, TargetView
    from adadeep.study.runs import KnownRun

_LIST_COLUMNS = (
    Column("run", wraps=True), Column("task", rank=5), Column("devices", wraps=True, rank=3),
    Column("plans", right=True, rank=4), Column("state"), Column("winner", wraps=True, rank=1),
    Column("size", right=True, rank=2), Column("changed", rank=6),
)  # fmt: skip
_SESSION_COLUMNS = (
    Column("session", right=True), Column("sampler"), Column("seed", right=True, rank=1),
    Column("plans asked", right=True), Column("ahead", right=True, rank=3),
    Column("adadeep", rank=2),
)  # fmt: skip
_TARGET_COLUMNS = (
    Column("device", wraps=True), Column("kind", rank=4), Column("processor", wraps=True, rank=3),
    Column("RAM", right=True, rank=5), Column("runtime", wraps=True, rank=2),
    Column("costs", wraps=True, rank=1), Column("target", rank=6),
)  # fmt: skip
_FINALIST_COLUMNS = (
    Column("finalist", right=True), Column("plan", wraps=True),
    Column("samples", right=True, rank=2), Column("A (held back)", right=True, rank=1),
    Column("loss", right=True), Column("interval", right=True, rank=3),
)  # fmt: skip
_PRUNE_COLUMNS = (
    Column("run", wraps=True), Column("removes", right=True), Column("frees", right=True),
    Column("keeps", wraps=True, rank=1),
)  # fmt: skip
_TOP = 5
_LONGEST_LINE, _LONGEST_CELL = 1000, 80


@click.group()
def command() -> None:
    """List, show and prune runs: the folders that searches leave.

    RUN is such a folder: runs/digits-local.
    """


@command.command("list")
@click.argument("folder", type=PATH, required=False)
@json_option
def list_command(folder: Path | None, as_json: bool) -> None:
    """List the runs in FOLDER and below it; without it those below ./runs."""
    from adadeep.study.run_json import run_as_json
    from adadeep.study.runs import find_runs

    ui, where = Ui(as_json), folder or Path("runs")
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"{one_line(str(folder))} is no folder; name one that holds runs.")
    runs, problems = find_runs(where) if where.is_dir() else ([], [])
    if runs:
        ui.table(_LIST_COLUMNS, [_list_row(where, known) for known in runs])
    else:
        ui.say(f"No run in {one_line(str(where))}.")
        ui.now("adadeep search digits")
    damaged = [f"{_name(where, known)}: {known.problem}" for known in runs if known.problem]
    for problem in (*damaged, *problems):
        ui.warn(problem)
    if runs:
        ui.now("adadeep runs show", max(runs, key=_merit).folder.path)
    ui.emit("runs", {"runs": [run_as_json(known) for known in runs], "problems": problems})


def _merit(known: KnownRun) -> tuple[bool, float]:
    """Puts the newest last that can be read."""
    return known.problem is None, known.changed.timestamp() if known.changed else 0.0


def _name(where: Path, known: KnownRun) -> str:
    """The run's path below the folder that was asked for; of that folder itself its own."""
    path = known.folder.path
    return one_line(str(path if path == where else path.relative_to(where)))


def _list_row(where: Path, known: KnownRun) -> tuple[str, ...]:
    from adadeep.study.runs import winner_text

    winners = [
        f"{target.best.plan.short_label}: {winner_text(target)}" for target in known.concluded
    ]
    return (
        _name(where, known),
        known.task or "-",
        one_line(", ".join(known.titles), _LONGEST_CELL) or "-",
        "-" if known.plans_tried is None else str(known.plans_tried),
        str(known.state),
        one_line("; ".join(dict.fromkeys(winners)), _LONGEST_CELL) or "-",
        format_bytes(known.size_bytes),
        known.changed.astimezone().strftime("%Y-%m-%d %H:%M") if known.changed else "-",
    )


@command.command()
@click.argument("run", type=PATH)
@click.option(
    "--top", type=click.IntRange(1, 10_000), default=_TOP, show_default=True,
    help="Plans to show for each device, beside the initial network.",
)  # fmt: skip
@click.option(
    "--pareto", is_flag=True,
    help="Show also the plans that no other beats in accuracy, latency, energy and storage.",
)  # fmt: skip
@json_option
def show(run: Path, top: int, pareto: bool, as_json: bool) -> None:
    """Show a run: how it was searched, its devices, what each plan costs there, the finalists.

    Costs are made of the run's own measurements. A search may be running there meanwhile.
    """
    from adadeep.report.run_lines import going_on_line
    from adadeep.study.run_json import view_as_json
    from adadeep.study.run_view import RunView
    from adadeep.study.runs import KnownRun, RunState

    ui, known = Ui(as_json), KnownRun.at(run)
    view = RunView.of(known)
    ui.say(f"{one_line(str(run))}  ({known.state})")
    for label, value in _header_rows(view):
        ui.say(f"  {one_line(label, 20):<10} {one_line(value, _LONGEST_LINE)}")
    if known.problem:
        ui.warn(known.problem)
    _show_sessions(ui, view)
    _show_devices(ui, view)
    for target in view.targets:
        _show_trials(ui, known, target, top)
        if pareto:
            _show_front(ui, target)
    _show_finalists(ui, view)
    if known.state is RunState.UNFINISHED:
        ui.note(going_on_line(run, known.journal.own if known.journal else None))
    if known.plan is not None:
        ui.now("adadeep deploy", run)
    ui.emit("run", view_as_json(view))


def _header_rows(view: RunView) -> list[tuple[str, str]]:
    known, journal, plan = view.known, view.known.journal, view.known.plan
    study = {name: str(value) for name, value in journal.study.items()} if journal else {}
    if journal and "metric" in study:
        study["metric"] = journal.scale.about
    sessions = [asks.session for asks in journal.sessions] if journal else []
    versions = [session.adadeep_version for session in sessions]
    versions += [plan.adadeep_version] if plan else []
    own = journal.own if journal else None
    plugins = {f"{name} of {origin}" for one in sessions for name, origin in one.plugins.items()}
    tried = "" if known.plans_tried is None else f"{known.plans_tried} tried"
    pairs = [
        ("task", known.task),
        ("named", shlex.join(own.words) if own else ""),
        *((name, value) for name, value in study.items() if name != "task"),
        ("study", journal.id if journal else ""),
        ("adadeep", ", ".join(dict.fromkeys(version for version in versions if version))),
        ("plug-ins", ", ".join(sorted(plugins))),
        ("searched", _searched_by(plan) if plan and not sessions else ""),
        ("plans", f"{tried}, {journal.asked} asked for" if journal else tried),
        ("networks", _networks_text(view) if journal else ""),
        ("size", format_bytes(known.size_bytes)),
    ]
    return [(label, value) for label, value in pairs if value]


def _searched_by(plan: PlanFile) -> str:
    seed = "" if plan.seed is None else f", seed {plan.seed}"
    return f"by {plan.sampler} {plan.preset}{seed}" if plan.sampler else ""


def _networks_text(view: RunView) -> str:
    kept, made = view.networks_kept, len(view.networks)
    taken = "".join(
        f"; {count} taken from {one_line(name, _LONGEST_CELL)}"
        for name, count in view.taken.items()
    )
    return (f"{kept} of {made} are kept" if kept < made else f"{made}, all kept") + taken


def _show_sessions(ui: Ui, view: RunView) -> None:
    from adadeep.report.run_lines import demand_line

    journal = view.known.journal
    if journal is None or not journal.sessions:
        return
    titles = {target.record.key: target.title for target in view.targets if target.record}
    below = {}
    for number, asks in enumerate(journal.sessions):
        wanted = [
            f"on {titles.get(key, one_line(key))}: {demand_line(demand, journal.scale)}"
            for key, demand in asks.session.demands.items()
        ]
        below[number] = one_line("; ".join(wanted), _LONGEST_LINE)
    rows = [_session_row(number, asks) for number, asks in enumerate(journal.sessions, start=1)]
    ui.table(_SESSION_COLUMNS, rows, "sessions", below)


def _session_row(number: int, asks: SessionAsks) -> tuple[str, ...]:
    session = asks.session
    return (
        str(number),
        one_line(f"{session.sampler} {session.preset}", _LONGEST_CELL),
        str(session.seed),
        str(len(asks.asks)),
        str(session.look_ahead),
        one_line(session.adadeep_version, _LONGEST_CELL) or "-",
    )


def _show_devices(ui: Ui, view: RunView) -> None:
    if view.targets:
        ui.table(_TARGET_COLUMNS, [_device_row(target) for target in view.targets], "devices")


def _device_row(target: TargetView) -> tuple[str, ...]:
    from adadeep.report.run_lines import runtime_line, source_line

    record, concluded = target.record, target.concluded
    if record is None:
        cost = concluded.best.cost if concluded else None
        costs = f"T {cost.latency_ms.provenance}, E {cost.energy_mj.provenance}" if cost else "-"
        return target.title, "-", "-", "-", "-", costs, (concluded and concluded.key) or "-"
    facts = record.facts
    return (
        target.title,
        one_line(facts.kind or "-", _LONGEST_CELL),
        one_line(facts.soc or "-", _LONGEST_CELL),
        f"{facts.ram_bytes / 1024**3:.3g} GiB" if facts.ram_bytes else "-",
        runtime_line(record),
        source_line(record),
        record.key,
    )


def _show_trials(ui: Ui, known: KnownRun, target: TargetView, top: int) -> None:
    from adadeep.report.final_table import COLUMNS, legend, settings_lines, table_rows
    from adadeep.report.verdict_lines import verdict_lines

    if target.problem:
        ui.warn(f"{target.title}: {target.problem}")
    rows = target.rows(top)
    if not rows:
        return
    ui.table(COLUMNS, table_rows(rows), f"{known.task} on {target.title}")
    verdicts = verdict_lines(target.verdicts, target.scale) if target.verdicts else []
    lines = (*_unit(known, target), *settings_lines(rows), *legend(rows), *verdicts)
    for line in (*lines, *_rivals(target), *_counts(target)):
        ui.say(one_line(line, _LONGEST_LINE))


def _unit(known: KnownRun, target: TargetView) -> list[str]:
    from adadeep.report.run_lines import unit_line
    from adadeep.study.measuring import drift_of

    journal, record = known.journal, target.record
    unit = journal.units.get(record.key) if journal and record else None
    if unit is None or journal is None:
        return []
    return [unit_line(unit, drift_of(journal, unit.target))]


def _rivals(target: TargetView) -> list[str]:
    from adadeep.study.table import winner_lines

    standing = target.standing
    return winner_lines(standing.contest.result, standing.conclusion) if standing else []


def _show_front(ui: Ui, target: TargetView) -> None:
    from adadeep.report.final_table import COLUMNS, settings_lines, table_rows

    rows = target.front
    if not rows:
        ui.say(f"no Pareto front on {target.title}: costs can't be told")
        return
    ui.table(COLUMNS, table_rows(rows), f"Pareto front on {target.title}")
    for line in settings_lines(rows):
        ui.say(one_line(line, _LONGEST_LINE))


def _counts(target: TargetView) -> list[str]:
    counts = [f"{count} {state}" for state, count in target.states.items()]
    return [f"plans: {', '.join(counts)}"] if counts else []


def _show_finalists(ui: Ui, view: RunView) -> None:
    journal = view.known.journal
    if journal is not None and view.finalists:
        rows = [_finalist_row(finalist, journal.scale) for finalist in view.finalists]
        ui.table(_FINALIST_COLUMNS, rows, "finalists, tested on held-back samples")


def _finalist_row(finalist: FinalistView, scale: Scale) -> tuple[str, ...]:
    test, loss = finalist.test, finalist.loss
    shown = ["-", "-"]
    if loss is not None and loss.low is not None and loss.high is not None:
        ends = f"{format_percent(loss.low)} to {format_percent(loss.high)}"
        shown = [format_percent(loss.estimate), ends]
    samples, accuracy = str(test.scores.count), scale.shown(test.scores.quality)
    return str(test.number), finalist.label, samples, accuracy, *shown


@command.command()
@click.argument("runs", type=PATH, nargs=-1, required=True, metavar="RUN...")
@click.option("--yes", is_flag=True, help="Remove without asking.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@json_option
def prune(runs: tuple[Path, ...], yes: bool, dry_run: bool, as_json: bool) -> None:
    """Remove the networks of RUN that lost, often nearly all of its size.

    The initial network, the winners and the finalists that were tested stay, and where the search
    has not ended also those that may be tested. Trials stay and are ranked as before, `deploy`
    works, and `search` goes on; only a device that comes later can't measure what was removed.
    """
    from adadeep.study.prune import held, pruning_of
    from adadeep.study.runs import KnownRun

    if not (yes or dry_run or sys.stdin.isatty()):
        raise ConfigError(
            "there is no terminal to ask at; add --yes, or --dry-run to see what would be removed."
        )
    ui = Ui(as_json)
    with contextlib.nullcontext() if dry_run else held(runs):
        found = [pruning_of(KnownRun.at(run)) for run in dict.fromkeys(runs)]
        _show_prunings(ui, found)
        has_files = any(pruning.files for pruning in found)
        is_removed = has_files and not dry_run and (yes or _is_wanted(found))
        for pruning in found if is_removed else ():
            pruning.carry_out()
    if is_removed:
        ui.now("adadeep runs show", runs[0])
    elif dry_run and has_files:
        ui.now("adadeep runs prune", *runs)
    document = {"dry_run": dry_run, "removed": is_removed}
    ui.emit("runs-prune", {**document, "runs": [_pruning_json(one) for one in found]})


def _show_prunings(ui: Ui, found: Sequence[Pruning]) -> None:
    ui.table(_PRUNE_COLUMNS, [_pruning_row(pruning) for pruning in found])
    for pruning in found:
        if pruning.unmeasured:
            ui.warn(
                f"{one_line(str(pruning.folder))}: {pruning.unmeasured} of them are not measured"
                " on every device yet, and can't be any more then."
            )


def _pruning_row(pruning: Pruning) -> tuple[str, ...]:
    reasons = Counter(kept.why for kept in pruning.kept)
    keeps = [f"{why} ({count})" if count > 1 else why for why, count in reasons.items()]
    networks = "1 network" if pruning.networks == 1 else f"{pruning.networks} networks"
    size = format_bytes(pruning.size_bytes)
    return one_line(str(pruning.folder)), networks, size, ", ".join(keeps) or "-"


def _is_wanted(found: Sequence[Pruning]) -> bool:
    size = format_bytes(sum(pruning.size_bytes for pruning in found))
    return click.confirm(f"Remove these networks ({size})?", default=False, err=True)


def _pruning_json(pruning: Pruning) -> dict[str, Any]:
    return {
        "folder": str(pruning.folder),
        "networks": pruning.networks,
        "size_bytes": pruning.size_bytes,
        "files": [path.name for path in pruning.files],
        "kept": [asdict(kept) for kept in pruning.kept],
        "unmeasured": pruning.unmeasured,
    }
