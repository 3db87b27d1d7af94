"""What a user asks of `adadeep measure`, checked before any device is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adadeep.cli.options import PATH, SECONDS, read_model
from adadeep.core.errors import ConfigError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.units import parse_duration_s

if TYPE_CHECKING:
    from adadeep.measure.comparing import Earlier, FailIf

_MOST_MODELS = 14  # of a session, beside what they are compared with and the reference


def how_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds what says how long to measure, and what to compare with."""
    options = (
        click.option(
            "--max-seconds", type=SECONDS, default=4.0, show_default=True,
            help="Longest time of the runs; less where more would tell nothing.",
        ),
        click.option(
            "--launches", type=click.IntRange(1, 100), default=3, show_default=True,
            help="Processes that measure, one after the other.",
        ),
        click.option(
            "--against", type=PATH, metavar="OLD.tflite|RESULT.json",
            help="Compare with this model, measured now in turn with the others, or with what"
            " --json wrote earlier.",
        ),
        click.option(
            "--fail-if", metavar="'slower 3%'",
            help="Exit with 4 where a model is known to be slower than what it is compared with by"
            " more than that; 'maybe slower 3%': also where it can't be told.",
        ),
        click.option(
            "--cold", is_flag=True, help="Also runs with the caches full of other data."
        ),
        click.option(
            "--sustained", metavar="10min",
            help="Run one model so long without a pause: its first and last minute, and how it"
            " went.",
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class MeasureWish:
    """What was asked for.

    Attributes:
        paths: of the models, the one that others are compared with first.
        models: their contents.
        settings: how they run.
        sample: an array for each input; empty: none is given.
        agent: kind of agent that measures.
        earlier: to be compared with; None if nothing is.
        fail_if: None if nothing is.
        sustained_s: None for a usual session.
        max_seconds: of the runs.
        launches: of the agent.
        cold: whether runs with cold caches are wanted.
        runtime: an archive whose runtime is to be taken; None for the agent's own.
    """

    paths: tuple[Path, ...]
    models: tuple[bytes, ...]
    settings: MeasureSettings
    sample: list[Any]
    agent: str | None
    earlier: Earlier | None
    fail_if: FailIf | None
    sustained_s: float | None
    max_seconds: float
    launches: int
    cold: bool
    runtime: Path | None = None

    @property
    def reference(self) -> str | None:
        """The model's hash; None with several, or with inputs that may take another time."""
        settings = self.settings
        if settings.input_ranges or settings.input_shapes or settings.input_file:
            return None
        return hashlib.sha256(self.models[0]).hexdigest() if len(self.models) == 1 else None

    @property
    def names(self) -> list[str]:
        """Of the models: their files' names, with the folder where two have the same."""
        names = [path.name for path in self.paths]
        return [
            name if names.count(name) == 1 else str(path)
            for name, path in zip(names, self.paths, strict=True)
        ]


def measure_wish(
    paths: tuple[Path, ...],
    settings: MeasureSettings,
    input_file: Path | None,
    agent: str | None,
    wishes: dict[str, Any],
) -> MeasureWish:
    """What was asked for, checked before a device is.

    Raises:
        ConfigError: options that don't go together, or a file that can't be used.
    """
    from adadeep.measure.comparing import Earlier, FailIf, result_json, sustained_plan

    against, sustained = wishes["against"], wishes["sustained"]
    earlier = Earlier.read(against) if against and result_json(against) else None
    if against and earlier is None:
        paths = (against, *paths)
    if len(paths) > _MOST_MODELS:
        raise ConfigError(f"{len(paths)} models are too many for one session; name fewer.")
    fail_if = FailIf.read(wishes["fail_if"]) if wishes["fail_if"] else None
    if fail_if and earlier is None and len(paths) < 2:
        raise ConfigError("--fail-if compares: name a second model, or --against.")
    seconds = parse_duration_s(sustained) if sustained else None
    if seconds is not None:
        if len(paths) > 1 or earlier:
            raise ConfigError(
                "--sustained takes one model; name one, and measure the others by themselves."
            )
        sustained_plan(seconds)
    models = tuple(read_model(path) for path in paths)
    if len({hashlib.sha256(model).digest() for model in models}) < len(models):
        raise ConfigError("a model is named twice; name another, or leave it out.")
    if input_file is not None and len(models) > 1:
        raise ConfigError(
            "--inputs are those of one model; name one, and measure the others by themselves."
        )
    settings, sample = _sample(settings, models[0], input_file)
    return MeasureWish(
        paths, models, settings, sample, agent, earlier, fail_if, seconds,
        wishes["max_seconds"], wishes["launches"], wishes["cold"], wishes.get("runtime"),
    )  # fmt: skip


def _sample(
    settings: MeasureSettings, model: bytes, path: Path | None
) -> tuple[MeasureSettings, list[Any]]:
    from adadeep.measure.samples import with_samples

    return with_samples(settings, model, path) if path else (settings, [])
