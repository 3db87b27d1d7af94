"""What a search may choose, as options: `--try`, `--keep`, `--only`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from adadeep.core.errors import ConfigError


def _names(
    _context: click.Context, option: click.Parameter, texts: Sequence[str]
) -> tuple[str, ...]:
    """Names that are given one by one, or several with commas."""
    names = [name.strip() for text in texts for name in text.split(",")]
    if not all(names):
        raise ConfigError(f"{option.opts[0]}: a name is empty; leave it out, or name one.")
    return tuple(dict.fromkeys(names))


_OPTIONS = (
    click.option(
        "--try", "tries", multiple=True, metavar="PLAN",
        help="A plan of yours, tried before the sampler's: conv2=C2,fc1=W3:0.9,int8, or as a"
        " table shows it; may be given more than once.",
    ),
    click.option(
        "--keep", multiple=True, callback=_names, metavar="LAYER",
        help="Leave this layer as it is; may be given more than once.",
    ),
    click.option(
        "--only", multiple=True, callback=_names, metavar="NAMES",
        help="Choose among these techniques and precisions only: W1f,int8. To change nothing is"
        " always allowed.",
    ),
)  # fmt: skip


def choice_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
