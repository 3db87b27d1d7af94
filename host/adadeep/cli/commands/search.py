"""`adadeep search TASK`: the best compression of a task's network for a device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from adadeep.cli.options import (
    PATH,
    chosen_devices,
    cores_option,
    device_option,
    json_option,
    measure_settings,
    threads_option,
)
from adadeep.cli.ui import Progress, Ui
from adadeep.core import units
from adadeep.core.demand import UserDemand
from adadeep.core.errors import ConfigError, DemandUnmet
from adadeep.core.metric import ACCURACY_SCALE

if TYPE_CHECKING:
    from adadeep.core.metric import Scale
    from adadeep.core.protocols import Transport
    from adadeep.search.reward import Limits
    from adadeep.study.config import StudyConfig
    from adadeep.study.outcome import Outcome
    from adadeep.study.study import TrialEvent

_TOP = 5

ValueT = TypeVar("ValueT")


def _unit(parse: Callable[[str], float]) -> Callable[..., float | None]:
    """A click callback that parses an option with a unit; None if it was not given."""

    def parsed(
        _context: click.Context, _option: click.Parameter, text: str | None
    ) -> float | None:
        return None if text is None else parse(text)

    return parsed


def _demand_options(function: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option(
            "--max-latency", callback=_unit(units.parse_latency_ms), metavar="TIME",
            help="T_bgt of one inference: 4ms, 250us.",
        ),
        click.option(
            "--max-storage", callback=_unit(units.parse_storage_bytes), metavar="SIZE",
            help="S_bgt, weights only: 500kB, 2MB.",
        ),
        click.option(
            "--max-energy", callback=_unit(units.parse_energy_mj), metavar="ENERGY",
            help="E_max of one inference: 2mJ, 300uJ.",
        ),
        click.option(
            "--max-accuracy-loss", callback=_unit(units.parse_fraction), metavar="FRACTION",
            default="2%", show_default=True,
            help="Accuracy on the validation data that may be lost.",
        ),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def _search_options(function: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option(
            "--episodes", type=click.IntRange(max=1_000_000), default=30, show_default=True,
            help="Plans to ask for. More than before goes on with a finished search.",
        ),
        click.option(
            "--max-time", callback=_unit(units.parse_duration_s), metavar="TIME",
            help="Ask for no other plan after so long: 20min, 2h.",
        ),
        click.option(
            "--sampler", default="dqn", show_default=True,
            help="Who chooses the plans: dqn, random.",
        ),
        click.option(
            "--preset", default="default", show_default=True,
            help="Hyper-parameters of dqn: default, paper.",
        ),
        click.option(
            "--seed", type=click.IntRange(max=2**32 - 1), default=0, show_default=True,
            help="Of all randomness.",
        ),
        click.option(
            "-o", "--out", "folder", type=PATH, metavar="RUN",
            help="The run's folder. [default: runs/TASK-DEVICE]",
        ),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


@click.command(name="search")
@click.argument("task")
@device_option
@_demand_options
@_search_options
@threads_option
@cores_option
@json_option
def command(task: str, devices: tuple[str, ...], as_json: bool, **options: object) -> None:
    """Search the compression of TASK's network that suits a device best.

    TASK is digits or mnist. Latency is measured on the device for every plan; a limit that is not
    given is the initial network's own cost. Stopped at any time, the same command goes on where
    it was. Leaves best.tflite and plan.json in the run's folder.

    Of each limit it says met (known to be kept), open (the measured interval holds the limit) or
    broken. Exit code 4: no plan that was tried is within every limit by what was measured on
    samples that the search has not seen; the nearest one is still reported.
    """
    ui = Ui(as_json)
    config = _config(task, options)
    transport = _only_device(devices, config)
    from adadeep.study.builder import search

    with ui.progress(f"search {task}", config.episodes) as bar:
        outcome = search(config, transport, _Reporter(ui, bar))
    _show(ui, outcome)
    ui.now("adadeep deploy", outcome.folder, *(part for name in devices for part in ("-d", name)))
    if not outcome.is_acceptable:
        raise DemandUnmet(
            f"none of the {len(outcome.result.trials)} plans tried meets the demand; the nearest "
            "one is reported. Relax a limit, or give more --episodes."
        )


def _config(task: str, options: dict[str, object]) -> StudyConfig:
    from adadeep.core.measurement import MeasureSettings
    from adadeep.study.config import StudyConfig

    def of(name: str, type_: type[ValueT]) -> ValueT:
        value = options[name]
        assert isinstance(value, type_)
        return value

    def limit(name: str) -> float | None:
        return None if options[name] is None else of(name, float)

    cores = None if options["cores"] is None else of("cores", str)
    folder = options["folder"]
    return StudyConfig(
        task=task,
        demand=UserDemand(
            max_accuracy_loss=of("max_accuracy_loss", float),
            max_energy_mj=limit("max_energy"),
            max_latency_ms=limit("max_latency"),
            max_storage_bytes=limit("max_storage"),
        ),
        episodes=of("episodes", int),
        sampler=of("sampler", str),
        preset=of("preset", str),
        seed=of("seed", int),
        settings=measure_settings(MeasureSettings(), of("threads", int), cores),
        folder=folder if isinstance(folder, Path) else None,
        max_time_s=limit("max_time"),
    )


def _only_device(selectors: tuple[str, ...], config: StudyConfig) -> Transport:
    from adadeep.training.registry import TASKS

    config.check(TASKS)
    transports = chosen_devices(selectors)
    if len(transports) != 1:
        serials = ", ".join(transport.serial for transport in transports)
        raise ConfigError(f"a search is for one device; name one of {serials} with -d.")
    return transports[0]


class _Reporter:
    """Shows a search as it goes: a line a trial on stderr."""

    def __init__(self, ui: Ui, bar: Progress) -> None:
        self._ui = ui
        self._bar = bar
        self._scale = ACCURACY_SCALE

    def stage(self, text: str) -> None:
        """Beside the bar."""
        self._bar.advance(0, text)

    def note(self, text: str) -> None:
        """A line of its own."""
        self._ui.note(text)

    def limits(self, limits: Limits, scale: Scale) -> None:
        """What the plans are held against."""
        self._scale = scale
        way = ">=" if scale.higher_is_better else "<="
        self._ui.note(
            f"demand: {scale.title} {way} {scale.shown(limits.min_accuracy)}, "
            f"T <= {units.format_ms(limits.max_latency_ms)}, "
            f"S_p <= {units.format_bytes(limits.max_storage_bytes)}, "
            f"E <= {units.format_mj(limits.max_energy_mj)}"
        )

    def trial(self, event: TrialEvent) -> None:
        """The trial, and the best so far."""
        self._bar.advance(1 if event.number else 0)
        self._ui.note(_trial_line(event, self._scale))


def _trial_line(event: TrialEvent, scale: Scale) -> str:
    trial, reward = event.scored.trial, event.scored.reward
    head = f"[{event.number}/{event.episodes}]"
    if trial.cost is None:
        return f"{head} failed: {trial.plan.label}: {trial.reason}"
    numbers = (
        scale.shown(trial.accuracy),
        units.format_ms(trial.cost.latency_ms.value)
        + (" (suspect)" if trial.cost.latency_ms.suspect else ""),
        units.format_bytes(trial.cost.storage_bytes),
        f"reward {reward.total:+.3f}" + ("" if reward.is_feasible else " (demand not met)"),
    )
    known = ", known" if event.known else ""
    is_best = event.best.trial.plan == trial.plan
    best = "best so far" if is_best else f"best {event.best.reward.total:+.3f}"
    return f"{head} {trial.plan.label}: {', '.join(numbers)}{known}; {best}"


def _show(ui: Ui, outcome: Outcome) -> None:
    from adadeep.report.final_table import COLUMNS, legend, settings_lines, table_rows
    from adadeep.report.verdict_lines import verdict_lines
    from adadeep.study.outcome import outcome_as_json, scored_as_json
    from adadeep.study.table import plan_rows

    result, rows = outcome.result, plan_rows(outcome, _TOP)
    title = f"{outcome.identity.task} on {outcome.identity.device_title}"
    ui.table(COLUMNS, table_rows(rows), title)
    for line in [*settings_lines(rows), *legend(rows)]:
        ui.say(line)
    for line in verdict_lines(outcome.conclusion.of_winner, outcome.identity.metric):
        ui.say(line)
    if outcome.is_acceptable and not outcome.meets_demand:
        ui.say("open: the estimate is within the limit, the interval is not; more data would tell")
    ui.say(f"winner: {outcome.folder}/best.tflite, plan.json")
    document = {
        "folder": str(outcome.folder),
        **outcome_as_json(outcome),
        "trials": [
            scored_as_json(scored, outcome.conclusion.verdicts.get(scored.trial.plan.key))
            for scored in result.trials
        ],
        "front": [scored.trial.plan.key for scored in result.front],
    }
    ui.emit("search", document)
