"""What a user says of a model's inputs: --input-range, --input-shape, --inputs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from adadeep.core.errors import ConfigError
from adadeep.core.measure_settings import MeasureSettings
from adadeep_agent.wire import MAX_INPUT, MAX_SIZE

_MOST_SIZES = 8


def input_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the three options to a command."""
    options = (
        click.option(
            "--input-range", "input_ranges", multiple=True, metavar="[NAME=]LOW..HIGH",
            help="Random input values from LOW to HIGH, of one input or of all; may be given more"
            " than once. Without it: floats 0..1, quantised data their whole range, other whole"
            " numbers 0, which any index accepts.",
        ),
        click.option(
            "--input-shape", "input_shapes", multiple=True, metavar="[NAME=]1,224,224,3",
            help="The shape of an input that leaves sizes open. Without it an open batch is 1.",
        ),
        click.option(
            "--inputs", "input_file", type=click.Path(path_type=Path), metavar="FILE.npz",
            help="Input values from a file: members called as the inputs are, or arg0, arg1, ...",
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def with_inputs(
    settings: MeasureSettings, ranges: Sequence[str], shapes: Sequence[str], has_file: bool
) -> MeasureSettings:
    """Settings with what the user says of the inputs.

    Raises:
        ConfigError: not written as it should be, twice for one input, or a range beside a file.
    """
    if ranges and has_file:
        raise ConfigError("--inputs gives the values: leave --input-range out.")
    asked = replace(
        settings,
        input_ranges=tuple(_range(text) for text in ranges),
        input_shapes=tuple(_shape(text) for text in shapes),
    )
    for option, entries in (("range", asked.input_ranges), ("shape", asked.input_shapes)):
        names = [entry[0] for entry in entries]
        if len(set(names)) < len(names):
            raise ConfigError(f"--input-{option} is given twice for one input; leave one out.")
    return asked


def _split(text: str) -> tuple[str | None, str]:
    name, equals, value = text.rpartition("=")
    return (name if equals else None), value


def _range(text: str) -> tuple[str | None, int | float, int | float]:
    name, value = _split(text)
    low, dots, high = value.partition("..")
    try:
        ends = (_number(low), _number(high))
    except ValueError:
        ends = (1, 0)
    if not dots or not -MAX_INPUT <= ends[0] <= ends[1] <= MAX_INPUT:
        raise ConfigError(
            f"--input-range {text}: write LOW..HIGH, for example 0..999 or tokens=0..999."
        )
    return name, *ends


def _number(text: str) -> int | float:
    if re.fullmatch(r"[+-]?\d{1,20}", text):
        return int(text)
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _shape(text: str) -> tuple[str | None, tuple[int, ...]]:
    name, value = _split(text)
    sizes = value.split(",")
    if len(sizes) > _MOST_SIZES or not all(re.fullmatch(r"0*[1-9]\d{0,9}", n) for n in sizes):
        sizes = ["0"]
    shape = tuple(int(size) for size in sizes)
    if not all(0 < size <= MAX_SIZE for size in shape):
        raise ConfigError(
            f"--input-shape {text}: write sizes of 1 and more, for example 1,224,224,3 or"
            " image=1,224,224,3."
        )
    return name, shape
