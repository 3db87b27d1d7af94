"""What a network of the user's own is trained and judged by, as options; for several commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from adadeep.cli.options import ListingOption
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError

if TYPE_CHECKING:
    from adadeep.study.subject import Subject


def _metrics() -> Iterable[str]:
    from adadeep.training.registry import METRICS

    return [f"{name} ({metric.title})" for name, metric in METRICS.usable().items()]


_OPTIONS = (
    click.option(
        "--data", metavar="DATA",
        help="Of a network of yours: an .npz file (x, y), a folder with a folder of images for"
        " each class, or module:function that gives arrays or a tf.data.Dataset.",
    ),
    click.option(
        "--train", metavar="MODULE:FUNCTION",
        help="Says how your network is trained: loss, class_weight, learning_rate, augment,"
        " custom_objects. [default: as the file was compiled, else by its outputs and labels]",
    ),
    click.option(
        "--metric", cls=ListingOption, listing=_metrics,
        help="Judges your network. [default: by its outputs and labels]",
    ),
    click.option(
        "--trust-model", is_flag=True,
        help="Run the code that your network's file holds (Lambda layers).",
    ),
    click.option(
        "--untrained", is_flag=True,
        help="Train your network from scratch first; its weights count for nothing.",
    ),
)  # fmt: skip
NAMES = ("data", "train", "metric", "trust_model", "untrained")


def own_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def subject_of(named: str, options: dict[str, Any]) -> Subject:
    """What is named for a task: a registered one, or a file of the user's own.

    Raises:
        ConfigError: a file is not there, or a registered task is given data.
    """
    from adadeep.study.subject import Subject, is_own, name_of, own_task

    given = {name: options[name] for name in NAMES}
    if is_own(named):
        own = own_task(named, **given)
        return Subject(name_of(own), own)
    for name in (name for name, value in given.items() if value):
        raise ConfigError(
            f"{one_line(named, 80)} is a task, which has all of its own:"
            f" --{name.replace('_', '-')} is for a network of yours; name its .keras file, or"
            " leave the option out."
        )
    return Subject(named)
