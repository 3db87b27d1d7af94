"""`adadeep search TASK`: the best compression of a network for a device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adadeep.cli.choice_options import choice_options
from adadeep.cli.demand_options import demand_options, demands_of
from adadeep.cli.length_options import length_options
from adadeep.cli.options import (
    PATH,
    ListingOption,
    agent_option,
    chosen_devices,
    cores_option,
    device_option,
    json_option,
    measure_settings,
    runtime_option,
    threads_option,
)
from adadeep.cli.own_options import own_options, subject_of
from adadeep.cli.plugin_warnings import naming_missing, warn_of_plugins
from adadeep.cli.ui import Progress, Ui
from adadeep.core import units
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, DemandUnmet, DeviceError

if TYPE_CHECKING:
    from adadeep.core.cost import Cost
    from adadeep.core.demand import UserDemand
    from adadeep.core.metric import Scale
    from adadeep.core.reward import Limits
    from adadeep.core.search import ScoredTrial
    from adadeep.core.transport import Transport
    from adadeep.storage.records import Unit
    from adadeep.study.config import StudyConfig
    from adadeep.study.observer import TrialEvent
    from adadeep.study.outcome import Outcome, TargetOutcome
    from adadeep.study.price import Price
    from adadeep.study.subject import Subject

_TOP = 5
_LONGEST_NAME = 80


def _samplers() -> Iterable[str]:
    from adadeep.search.registry import SAMPLERS

    return SAMPLERS.usable()


def _presets() -> Iterable[str]:
    from adadeep.search.registry import SAMPLERS

    return [f"{name}: {' '.join(kind.presets)}" for name, kind in SAMPLERS.usable().items()]


def _cost_sources() -> Iterable[str]:
    from adadeep.cost.registry import COST_SOURCES

    return [f"{name} ({source.title})" for name, source in COST_SOURCES.usable().items()]


def _executors() -> Iterable[str]:
    from adadeep.study.executors.registry import EXECUTORS

    return [f"{name} ({kind.title})" for name, kind in EXECUTORS.usable().items()]


class _SearchCommand(click.Command):
    """Its help ends with the tasks that there are."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        from adadeep.training.registry import TASKS

        formatter.write_paragraph()
        formatter.write_text(f"Tasks: {', '.join(TASKS)}.")


def _search_options(function: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        click.option(
            "--sampler", default="dqn", cls=ListingOption, listing=_samplers,
            help="Who chooses the plans. [default: dqn]",
        ),
        click.option(
            "--preset", cls=ListingOption, listing=_presets,
            help="Hyper-parameters of the sampler. [default: its first]",
        ),
        click.option(
            "--cost-source", "cost_sources", multiple=True, cls=ListingOption,
            listing=_cost_sources, metavar="NAME",
            help="Takes all that this one gives from it; may be given more than once, the first"
            " comes first. [default: what is measured, then what is fitted, then formulas]",
        ),
        click.option(
            "--overlap/--no-overlap", default=None,
            help="Train the next plans while the last one is measured. [default: not where a"
            " device is this very computer]",
        ),
        click.option(
            "--executor", cls=ListingOption, listing=_executors,
            help="Who carries the work out, instead of --overlap. [default: as --overlap says]",
        ),
        click.option(
            "--look-ahead", type=click.IntRange(1, 100),
            help="Plans to ask for before the first is known. [default: 3 with overlap, else 1]",
        ),
        click.option(
            "--seed", type=click.IntRange(max=2**32 - 1), default=0, show_default=True,
            help="Of all randomness.",
        ),
        click.option(
            "--fresh", is_flag=True,
            help="Train anew what other runs beside this one have trained.",
        ),
        click.option(
            "-o", "--out", "folder", type=PATH, metavar="RUN",
            help="The run's folder. [default: runs/TASK-DEVICE]",
        ),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


@click.command(name="search", cls=_SearchCommand)
@click.argument("task", required=False, metavar="TASK|MODEL")
@click.option(
    "--from", "ranked", type=PATH, metavar="RUN",
    help="Rank the plans of a finished run anew for the limits given, at once and without a"
    " device; takes no TASK. What no search has tested stays open.",
)  # fmt: skip
@own_options
@device_option
@demand_options
@choice_options
@length_options
@_search_options
@threads_option
@cores_option
@agent_option
@runtime_option
@json_option
def command(
    task: str | None,
    ranked: Path | None,
    devices: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> int:
    """Search the compression of a network that suits devices best.

    TASK is a registered task; MODEL a .keras or .h5 file of yours, with --data.

    Latency is measured on the devices for every plan; a limit that is not given is the initial
    network's own cost there. With several devices (-d A -d B) each plan is trained once and
    measured on each; the mean over them drives the search, and each gets the winner that suits it.
    Stopped at any time, the same command goes on where it was; a device that comes later measures
    what was tried without it. Leaves best.tflite and plan.json in the run's folder.

    Of each limit it says met (known to be kept), open (the measured interval holds the limit) or
    broken. Exit code 4: no plan that was tried is within every limit by what was measured on
    samples that the search has not seen; the nearest one is still reported.
    """
    ui = Ui(as_json)
    if ranked is not None:
        from adadeep.cli.commands.search_from import rank

        return rank(ranked, devices, ui, options)
    if task is None:
        raise click.UsageError(
            "Missing argument 'TASK|MODEL' (or --from RUN).", click.get_current_context()
        )
    return _search(ui, task, devices, options)


def _search(ui: Ui, task: str, devices: tuple[str, ...], options: dict[str, Any]) -> int:
    demand, named = demands_of(options)
    subject = subject_of(task, options)
    config = _config(subject, demand, options)
    from adadeep.training.registry import TASKS

    with naming_missing(config.folder):
        config.validate(TASKS)
    from adadeep.study.plugins import plugins

    plugins()  # of every kind some take part
    warn_of_plugins(ui)
    transports = chosen_devices(devices)
    config = replace(config, demands=_own_demands(named, transports))
    from adadeep.study.builder import search

    with ui.progress(f"search {subject.task}", config.episodes) as bar:
        outcome = search(config, transports, _Reporter(ui, bar))
    _show(ui, outcome)
    ui.now("adadeep deploy", outcome.folder, *(part for name in devices for part in ("-d", name)))
    if outcome.left:
        ui.warn(f"{', '.join(outcome.left)} left before the end; the same command catches up.")
        return DeviceError.exit_code
    if not outcome.is_acceptable:
        unmet = [target.title for target in outcome.targets if not target.conclusion.is_acceptable]
        where = f" on {' and '.join(unmet)}" if len(outcome.targets) > 1 else ""
        raise DemandUnmet(
            f"none of the {len(outcome.first.result.tried)} plans tried meets the demand{where};"
            " the nearest one is reported. Relax a limit, or give more --episodes."
        )
    return 0


def _config(subject: Subject, demand: UserDemand, options: dict[str, Any]) -> StudyConfig:
    from adadeep.core.measure_settings import MeasureSettings
    from adadeep.study.config import StudyConfig

    return StudyConfig(
        task=subject.task,
        own=subject.own,
        demand=demand,
        episodes=options["episodes"],
        sampler=options["sampler"],
        preset=options["preset"],
        seed=options["seed"],
        settings=measure_settings(MeasureSettings(), options["threads"], options["cores"]),
        folder=options["folder"],
        max_time_s=options["max_time"],
        executor=_executor(options),
        look_ahead=options["look_ahead"],
        cost_sources=options["cost_sources"],
        agent=options["agent"],
        runtime=options["runtime"],
        tries=options["tries"],
        keep=options["keep"],
        only=options["only"],
        fresh=options["fresh"],
    )


def _own_demands(
    named: dict[str, UserDemand], transports: Sequence[Transport]
) -> tuple[tuple[str, UserDemand], ...]:
    """By serial: the demands of devices that limits name, as `-d` does.

    Raises:
        ConfigError: one is none of the devices.
    """
    found = [
        (there.serial, own) for name, own in named.items() for there in chosen_devices([name])
    ]
    chosen = {transport.serial for transport in transports}
    others = [serial for serial, _ in found if serial not in chosen]
    if others:
        raise ConfigError(f"a limit is given for {', '.join(others)}; name it with -d, too.")
    return tuple(found)


def _executor(options: dict[str, Any]) -> str | None:
    overlap, executor = options["overlap"], options["executor"]
    if overlap is not None and executor is not None:
        raise ConfigError("--overlap and --executor exclude each other; give one of them.")
    return executor or {True: "overlapped", False: "serial", None: None}[overlap]


class _Reporter:
    """Shows a search as it goes: a line a trial on stderr."""

    def __init__(self, ui: Ui, bar: Progress) -> None:
        self._ui = ui
        self._bar = bar

    def stage(self, text: str) -> None:
        """Beside the bar."""
        self._bar.advance(0, text)

    def note(self, text: str) -> None:
        """A line of its own."""
        self._ui.note(text)

    def limits(self, title: str, limits: Limits, scale: Scale) -> None:
        """What the plans are held against on a device."""
        way = ">=" if scale.higher_is_better else "<="
        self._ui.note(
            f"demand on {title}: {scale.title} {way} {scale.shown(limits.min_accuracy)}, "
            f"T <= {units.format_ms(limits.max_latency_ms)}, "
            f"S_p <= {units.format_bytes(limits.max_storage_bytes)}, "
            f"E <= {units.format_mj(limits.max_energy_mj)}"
        )

    def unit(self, title: str, unit: Unit, drift: float) -> None:
        """What all latencies on a device are multiples of."""
        from adadeep.report.run_lines import unit_line

        self._ui.note(f"{title}: {unit_line(unit, drift)}")

    def price(self, price: Price) -> None:
        """A line of its own."""
        self._ui.note(price.text)

    def trial(self, event: TrialEvent) -> None:
        """The trial, the best so far, and what going on may gain."""
        gain = event.expected_gain
        outlook = "" if gain is None else f"may gain {gain:.3f}"
        self._bar.advance(1 if event.number else 0, outlook=outlook)
        self._ui.note(_trial_line(event))


def _trial_line(event: TrialEvent) -> str:
    scored, reward = event.scored, event.scored.reward
    of = "" if event.episodes is None else f"/{event.episodes}"
    head = f"[{event.number}{of}] "
    known = [(score.trial.cost, score.trial.accuracy) for score in scored.scores]
    costs = [cost for cost, _ in known if cost is not None]
    if not costs:
        return f"{head}{scored.state}: {scored.plan.label}: {scored.reason}"
    numbers = (
        event.scale.shown(scored.quality),
        " | ".join(_latency(cost) for cost in costs),
        units.format_bytes(costs[0].storage_bytes),
        f"reward {reward.total:+.3f}" + ("" if reward.is_feasible else " (demand not met)"),
    )
    told = ", known" if event.known else _origin(scored)
    is_best = event.best.plan == scored.plan
    best = "best so far" if is_best else f"best {event.best.reward.total:+.3f}"
    return f"{head}{scored.plan.label}: {', '.join(numbers)}{told}; {best}"


def _origin(scored: ScoredTrial) -> str:
    taken_from = next((one.trial.taken_from for one in scored.scores), None)
    return f", taken from run {one_line(taken_from, _LONGEST_NAME)}" if taken_from else ""


def _latency(cost: Cost) -> str:
    return units.format_ms(cost.latency_ms.value) + (
        " (suspect)" if cost.latency_ms.suspect else ""
    )


def _show(ui: Ui, outcome: Outcome) -> None:
    from adadeep.study.outcome import outcome_as_json, trials_as_json

    _say_end(ui, outcome)
    for target in outcome.targets:
        _show_target(ui, outcome, target)
    ui.say(f"winner: {_winners(outcome)}, plan.json")
    document = {
        "folder": str(outcome.folder),
        **outcome_as_json(outcome),
        "trials": trials_as_json(outcome),
        "front": {
            target.scorer.target.key: [scored.trial.plan.key for scored in target.result.front]
            for target in outcome.targets
        },
    }
    ui.emit("search", document, version=2)


def _say_end(ui: Ui, outcome: Outcome) -> None:
    """Why no other plan was asked for, where that is not as the user wanted."""
    if outcome.stop is not None:
        plans = "1 plan" if outcome.asked == 1 else f"{outcome.asked} plans"
        ui.note(f"stopped after {plans}: {outcome.stop}.")


def _winners(outcome: Outcome) -> str:
    if len(outcome.targets) == 1:
        return f"{outcome.folder}/{outcome.first.file}"
    return ", ".join(f"{outcome.folder}/{on.file} ({on.title})" for on in outcome.targets)


def _show_target(ui: Ui, outcome: Outcome, target: TargetOutcome) -> None:
    from adadeep.report.final_table import COLUMNS, legend, settings_lines, table_rows
    from adadeep.report.verdict_lines import verdict_lines
    from adadeep.study.looser import looser_lines
    from adadeep.study.table import plan_rows, winner_lines

    rows = plan_rows(outcome, target, _TOP)
    ui.table(COLUMNS, table_rows(rows), f"{outcome.task} on {target.title}")
    for line in [*settings_lines(rows), *legend(rows)]:
        ui.say(line)
    for line in verdict_lines(target.conclusion.of_winner, outcome.scale):
        ui.say(line)
    if target.conclusion.is_acceptable and not target.conclusion.meets_demand:
        ui.say("open: the estimate is within the limit, the interval is not; more data would tell")
    for line in (
        *winner_lines(target.result, target.conclusion),
        *looser_lines(target.looser, target.result, target.conclusion.winner),
    ):
        ui.say(line)
