"""The limits of a demand as options: for every device, or for one of several (`watch=10ms`).

A latency may name which one it is of: `p95=4ms`, `watch=cold=10ms`. `--fps 30` is short for a p95
of a thirtieth of a second: 19 of 20 frames are in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from adadeep.core import units
from adadeep.core.cost import MEDIAN, P95, STATISTICS
from adadeep.core.demand import UserDemand
from adadeep.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as it was given.

    Attributes:
        device: what `-d` calls it; None for all that have none of their own.
        value: in the unit of the demand's field.
        statistic: of a latency, which one.
    """

    device: str | None
    value: float
    statistic: str = MEDIAN


def _limits(parse: Callable[[str], float]) -> Callable[..., tuple[Limit, ...]]:
    """A click callback that parses an option given once for all, or once for each device."""

    def parsed(
        _context: click.Context, option: click.Parameter, texts: Sequence[str]
    ) -> tuple[Limit, ...]:
        found: dict[str | None, Limit] = {}
        for text in texts:
            limit = _limit(option, text, parse)
            if limit.device in found:
                raise ConfigError(
                    f"{option.opts[0]} is given twice for {limit.device or 'all'}; leave one out."
                )
            found[limit.device] = limit
        return tuple(found.values())

    return parsed


def _limit(option: click.Parameter, text: str, parse: Callable[[str], float]) -> Limit:
    """A limit that is written LIMIT, DEVICE=LIMIT, or for a latency [DEVICE=]STATISTIC=LIMIT."""
    head, equals, amount = text.rpartition("=")
    statistic = FPS_STATISTIC if option.name == _FPS else MEDIAN
    if option.name == _LATENCY:
        before, _, last = head.rpartition("=")
        if last in STATISTICS:
            statistic, head, equals = last, before, "=" if "=" in head else ""
    if equals and not head:
        raise ConfigError(f"{option.opts[0]} {text}: write LIMIT or DEVICE=LIMIT.")
    return Limit(head if equals else None, parse(amount), statistic)


def _latency_of_fps(text: str) -> float:
    """ "30" -> 33.3 ms a frame.

    Raises:
        ConfigError: it is no rate.
    """
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 1e-3 <= rate <= 1e6:
        raise ConfigError(f"--fps {text!r}: write a number of frames a second, such as 30.")
    return 1000.0 / rate


_LATENCY, _FPS = "max_latency_ms", "fps"
FPS_STATISTIC = P95
_OPTIONS: dict[str, tuple[str, Callable[[str], float], str, str]] = {
    "max_latency_ms": (
        "--max-latency", units.parse_latency_ms, "[STATISTIC=]TIME",
        "T_bgt of one inference: 4ms, 250us of the median; p95=4ms, p99=4ms of what so many"
        " inferences keep, cold=4ms of one with cold caches. T, the reward and all tables are"
        " then of that.",
    ),
    "fps": (
        "--fps", _latency_of_fps, "RATE",
        "Frames a second; short for --max-latency p95=TIME: 19 of 20 frames are in time.",
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
# How each field of a demand is written so that its option reads the same number.
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
    if both := {one.device for one in limits[_LATENCY]} & {one.device for one in limits[_FPS]}:
        raise ConfigError(
            "--fps and --max-latency are both given for"
            f" {' and '.join(sorted(one or 'all' for one in both))}; leave one out."
        )
    limits[_LATENCY] += limits.pop(_FPS)
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
        value, which = getattr(demand, name), ""
        is_other = value != getattr(base, name)
        if name == _LATENCY:
            which = "" if demand.latency_statistic == MEDIAN else f"{demand.latency_statistic}="
            is_other = is_other or demand.latency_statistic != base.latency_statistic
        if value is not None and is_other:
            words += [_OPTIONS[name][0], f"{device}{which}{factor * value:.12g}{unit}"]
    return words


def _demand(limits: Mapping[str, tuple[Limit, ...]], device: str | None) -> UserDemand:
    demand = UserDemand()
    for name, given in limits.items():
        by_device = {one.device: one for one in given}
        limit = by_device.get(device, by_device.get(None))
        if limit is None:
            continue
        if name == _LATENCY:
            demand = replace(demand, max_latency_ms=limit.value, latency_statistic=limit.statistic)
        else:
            changed: dict[str, Any] = {name: limit.value}
            demand = replace(demand, **changed)
    return demand
