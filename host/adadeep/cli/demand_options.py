"""The limits of a demand as options: for every device, or for one of several (`watch=10ms`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from adadeep.core import units
from adadeep.core.demand import UserDemand
from adadeep.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as it was given.

    Attributes:
        device: what `-d` calls it; None for all that have none of their own.
        value: in the unit of the demand's field.
    """

    device: str | None
    value: float


def _limits(parse: Callable[[str], float]) -> Callable[..., tuple[Limit, ...]]:
    """A click callback that parses an option given once for all, or once for each device."""

    def parsed(
        _context: click.Context, option: click.Parameter, texts: Sequence[str]
    ) -> tuple[Limit, ...]:
        found: dict[str | None, Limit] = {}
        for text in texts:
            device, equals, amount = text.rpartition("=")
            name = device if equals else None
            if name == "":
                raise ConfigError(f"{option.opts[0]} {text}: write LIMIT or DEVICE=LIMIT.")
            if name in found:
                raise ConfigError(
                    f"{option.opts[0]} is given twice for {name or 'all'}; leave one out."
                )
            found[name] = Limit(name, parse(amount))
        return tuple(found.values())

    return parsed


_OPTIONS: dict[str, tuple[str, Callable[[str], float], str, str]] = {
    "max_latency_ms": (
        "--max-latency", units.parse_latency_ms, "TIME", "T_bgt of one inference: 4ms, 250us.",
    ),
    "max_storage_bytes": (
        "--max-storage", units.parse_storage_bytes, "SIZE", "S_bgt, weights only: 500kB, 2MB.",
    ),
    "max_energy_mj": (
        "--max-energy", units.parse_energy_mj, "ENERGY", "E_max of one inference: 2mJ, 300uJ.",
    ),
    "max_accuracy_loss": (
        "--max-accuracy-loss", units.parse_fraction, "FRACTION",
        "Accuracy on the validation data that may be lost. [default: 2%]",
    ),
}  # fmt: skip


LIMIT_NAMES = tuple(_OPTIONS)
# How each is written so that its option reads the same number.
_WRITTEN: dict[str, tuple[float, str]] = {
    "max_latency_ms": (1, "ms"),
    "max_storage_bytes": (1, "B"),
    "max_energy_mj": (1, "mJ"),
    "max_accuracy_loss": (100, "%"),
}


def demand_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options; with several devices each may be given as DEVICE=LIMIT, too."""
    for name, (option, parse, unit, text) in reversed(_OPTIONS.items()):
        function = click.option(
            option, name, multiple=True, callback=_limits(parse), metavar=f"[DEVICE=]{unit}",
            help=text,
        )(function)  # fmt: skip
    return function


def demands_of(options: Mapping[str, Any]) -> tuple[UserDemand, dict[str, UserDemand]]:
    """The demand for all devices, and those of devices that were named.

    Args:
        options: the command's, as `demand_options` names them.

    Raises:
        ConfigError: a limit makes no sense.
    """
    limits: dict[str, tuple[Limit, ...]] = {name: options[name] for name in _OPTIONS}
    named = dict.fromkeys(one.device for given in limits.values() for one in given if one.device)
    return _demand(limits, None), {device: _demand(limits, device) for device in named}


def words_of(demand: UserDemand, named: Mapping[str, UserDemand]) -> list[str]:
    """The options that give these demands, as a shell's words: the inverse of `demands_of`."""
    words = _words(demand, UserDemand(), "")
    for device, own in named.items():
        words += _words(own, demand, f"{device}=")
    return words


def _words(demand: UserDemand, base: UserDemand, device: str) -> list[str]:
    words = []
    for name, (factor, unit) in _WRITTEN.items():
        value = getattr(demand, name)
        if value is not None and value != getattr(base, name):
            words += [_OPTIONS[name][0], f"{device}{factor * value:.12g}{unit}"]
    return words


def _demand(limits: Mapping[str, tuple[Limit, ...]], device: str | None) -> UserDemand:
    demand = UserDemand()
    for name, given in limits.items():
        by_device = {one.device: one.value for one in given}
        value = by_device.get(device, by_device.get(None))
        if value is not None:
            demand = replace(demand, **{name: value})
    return demand
