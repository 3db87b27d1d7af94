"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from adadeep.cli.ui import Ui
from adadeep.core.clock import Deadline
from adadeep.core.device import DeviceFacts
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, DeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.reader import read_bytes, why
from adadeep.core.transport import Transport
from adadeep.core.units import parse_duration_s

_SELECT_S = 30.0

_LONGEST_NAME_BYTES = 255  # of a file or folder, on every system of today
_LONGEST_PATH_BYTES = 3900  # Linux takes 4095; our own names below a folder need the rest
_MOST_FOLDERS = 300  # they are made one within the other

_MOST_MODEL_BYTES = 2_000_000_000  # what a .tflite can address

T = TypeVar("T")


class _PathType(click.Path):
    """A path that can exist; click itself takes any text."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = super().convert(value, param, ctx)
        names = os.fsencode(path).split(os.fsencode(os.sep))
        if any(len(name) > _LONGEST_NAME_BYTES for name in names):
            self.fail("a name in it is longer than 255 bytes; choose a shorter one.", param, ctx)
        if len(os.fsencode(path)) > _LONGEST_PATH_BYTES or len(names) > _MOST_FOLDERS:
            self.fail(
                "it is longer than 3900 bytes or 300 folders; choose a shorter one.", param, ctx
            )
        if "\0" in str(path):
            self.fail("a path can't hold a null character; leave it out.", param, ctx)
        return path


class _SecondsType(click.FloatRange):
    """A range of numbers; click takes NaN for one in any range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if number != number:
            self.fail(f"{value!r} is no number; write for example 4 or 0.5.", param, ctx)
        return number


class ListingOption(click.Option):
    """An option whose help ends with what a registry holds, looked up when help is asked for.

    Args:
        listing: gives the names.
        more: as of any option.
    """

    def __init__(
        self, *declarations: Any, listing: Callable[[], Iterable[str]], **more: Any
    ) -> None:
        super().__init__(*declarations, **more)
        self._listing = listing

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option and its help."""
        record = super().get_help_record(ctx)
        return record and (record[0], f"{record[1]} {self._listed()}")

    def _listed(self) -> str:
        try:
            return f"There are: {', '.join(one_line(name) for name in self._listing())}."
        except Exception as error:  # noqa: BLE001  # of a plug-in, which may hold anything
            return f"What there is can't be listed ({why(error)}); `adadeep doctor` tells more."


PATH = _PathType(path_type=Path)
PROFILE = _PathType()  # a name, or the path of a file
SECONDS = _SecondsType(0.01, 3600)

device_option = click.option(
    "-d", "--device", "devices", multiple=True, metavar="DEVICE",
    help="A serial, a profile's name, 'local' (this computer) or 'all'; may be given more than"
    " once. Without it: $ANDROID_SERIAL, else the only device attached, else local.",
)  # fmt: skip
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON (docs/json.md)."
)
threads_option = click.option(
    "--threads", type=click.IntRange(1, 64), default=1, show_default=True,
    help="Threads of the runtime on the device.",
)  # fmt: skip
cores_option = click.option(
    "--cores", metavar="MASK", help="Cores to run on, hexadecimal: f0 is cores 4 to 7."
)


def _agents() -> Iterable[str]:
    from adadeep.devices.agent_kinds.registry import AGENT_KINDS

    return AGENT_KINDS.usable()


def _known_agent(
    _context: click.Context, _option: click.Parameter, name: str | None
) -> str | None:
    """The name.

    Raises:
        ConfigError: there is no such agent; the message lists those there are.
    """
    from adadeep.devices.agent_kinds.registry import AGENT_KINDS

    if name is not None:
        AGENT_KINDS.get(name)
    return name


agent_option = click.option(
    "--agent", cls=ListingOption, listing=_agents, metavar="NAME", callback=_known_agent,
    help="The agent that measures; by default the one that suits the device best.",
)  # fmt: skip
runtime_option = click.option(
    "--runtime", type=PATH, metavar="FILE.aar",
    help="For Android: an archive whose TensorFlow Lite or LiteRT is taken, in place of the one"
    " that comes with adadeep.",
)  # fmt: skip


def duration(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    """For `callback`: "5min" in seconds.

    Raises:
        ConfigError: it is no length of time.
    """
    return None if text is None else parse_duration_s(text)


def chosen_devices(names: Sequence[str]) -> list[Transport]:
    """The devices that -d names, ready to be asked.

    Raises:
        ConfigError: two or more are attached and none is named.
        StableDeviceError: one that is named is missing or can't be used.
    """
    from adadeep.devices.discovery import select

    transports = select(names, Deadline.after(_SELECT_S), _facts_of_profile)
    if not names and transports[0].is_this_computer:
        Ui().note("no device is attached: the device is this computer (local)")
    return transports


def each_device(
    ui: Ui, names: Sequence[str], action: Callable[[Transport], T]
) -> tuple[list[T], list[dict[str, str]]]:
    """Does something on every device that -d names; one that fails does not cost the others.

    Returns:
        What the action gave, and serial and error of each device where it failed.

    Raises:
        DeviceError: there was one device, and it failed.
    """
    transports = chosen_devices(names)
    done: list[T] = []
    failed = []
    for transport in transports:
        try:
            done.append(action(transport))
        except DeviceError as error:
            if len(transports) == 1:
                raise
            ui.warn(str(error))
            failed.append({"serial": transport.serial, "error": str(error)})
    return done, failed


def _facts_of_profile(name: str) -> DeviceFacts | None:
    from adadeep.profiles import files

    return files.load_to_use(name)[0].facts if files.exists(name) else None


def measure_settings(base: MeasureSettings, threads: int, cores: str | None) -> MeasureSettings:
    """Settings with the user's threads and cores.

    Raises:
        ConfigError: the core mask is not hexadecimal.
    """
    if cores is not None:
        try:
            number = int(cores, 16)
        except ValueError:
            number = 0
        if number <= 0:
            raise ConfigError(f"--cores {cores}: write a hexadecimal mask, for example f0.")
        cores = f"{number:x}"
    return replace(base, threads=threads, core_mask=cores)


def read_model(path: Path) -> bytes:
    """The content of a .tflite.

    Raises:
        ConfigError: no such file, not readable, or plainly no .tflite.
    """
    data = read_bytes(path, _MOST_MODEL_BYTES)
    if data[4:8] != b"TFL3":
        shown = one_line(str(path))
        raise ConfigError(f"{shown} is no .tflite file (bytes 4 to 7 are not 'TFL3'); name one.")
    return data
