"""How long a search goes on, as options: `--episodes`, `--max-time`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from adadeep.core import units


class _Episodes(click.IntRange):
    """A number, or None for "auto"."""

    name = "integer or auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return None if value == "auto" else super().convert(value, param, ctx)


def _duration(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    return None if text is None else units.parse_duration_s(text)


_OPTIONS = (
    click.option(
        "--episodes", type=_Episodes(max=1_000_000), default="auto", show_default=True,
        metavar="NUMBER|auto",
        help="Plans to ask for in the run's folder, those of before counted in: more than before"
        " goes on with a finished search. auto: until going on is expected to gain next to"
        " nothing; 30 where the sampler can't tell.",
    ),
    click.option(
        "--max-time", callback=_duration, metavar="TIME",
        help="Ask for no other plan after so long: 20min, 2h.",
    ),
)  # fmt: skip


def length_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
