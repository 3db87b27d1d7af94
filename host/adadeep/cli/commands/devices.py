"""`adadeep devices`: what is plugged in, its state, and how to fix it. Fast: no rich here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from adadeep.cli.ui import Ui
from adadeep.core.clock import Deadline
from adadeep.core.device import AttachedDevice
from adadeep.core.errors import ConfigError
from adadeep.devices.adb.server import AdbUnavailable
from adadeep.devices.adb.wireless import PORTS, announced, not_connected, require_address
from adadeep.devices.adb.wireless import pair as pair_with
from adadeep.devices.discovery import (
    HOW_TO_ATTACH,
    HOW_WITHOUT_USB,
    connect,
    list_attached,
    local_device,
)
from adadeep.devices.first_contact import looked_at
from adadeep.report.table_text import Column

_COLUMNS = (
    Column("SERIAL"), Column("STATE"), Column("CONNECTION", rank=1), Column("WHAT", wraps=True),
)  # fmt: skip
_LIST_S = 20.0  # a server that must be started first takes some seconds
_CONNECT_S = 40.0  # adb itself gives up after 30
_USUAL_PORT = 5555  # of `adb tcpip`


@click.command("devices")
@click.option(
    "--connect", "address", metavar="HOST:PORT", help="Connect to a device over the network first."
)
@click.option(
    "--pair", metavar="HOST:PORT",
    help="Pair with a device first, by the code on its screen: once for each device.",
)  # fmt: skip
@click.option("--code", metavar="CODE", help="With --pair: the code; else it is asked for.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON (docs/json.md).")
def command(address: str | None, pair: str | None, code: str | None, as_json: bool) -> None:
    """Show what is plugged in, its state, and how to fix it.

    Starts an adb server if none runs. `local` is this computer. ANDROID_ADB_SERVER_PORT and
    ADB_SERVER_SOCKET are honoured.

    Watches and many TV boxes have no USB data: switch on Wireless debugging in their developer
    options, --pair once, then --connect. Both ports are others each time it is switched on; what
    announces itself in the network is listed.
    """
    ui = Ui(as_json)
    if code is not None and pair is None:
        raise ConfigError("--code goes with --pair HOST:PORT; give both.")
    if pair is not None:
        _pair(ui, pair, code)
    if address is not None:
        connect(require_address("--connect", address, _USUAL_PORT), Deadline.after(_CONNECT_S))
    try:
        rows = _rows(Deadline.after(_LIST_S))
    except AdbUnavailable as error:
        ui.warn(str(error))
        rows = [local_device()]
    ui.emit("devices", {"devices": [{**asdict(row), "usable": row.usable} for row in rows]})
    _show(ui, rows)
    _next_step(ui, rows)


def _rows(deadline: Deadline) -> list[AttachedDevice]:
    """What is attached, what announces itself, and `local` last."""
    *attached, here = list_attached(deadline)
    more = not_connected(announced(deadline), attached)
    return [*looked_at(attached, deadline), *more, here]


def _pair(ui: Ui, address: str, code: str | None) -> None:
    where = require_address("--pair", address)
    if code is None:
        code = ui.answer("The code on its screen")
    if not code:
        raise ConfigError(
            f"--pair {where} needs the code on the device's screen: give it by --code CODE."
        )
    ui.note(pair_with(where, code.strip(), Deadline.after(_CONNECT_S)))
    ui.note(f"{PORTS} Now connect to the address there: adadeep devices --connect HOST:PORT")


def _show(ui: Ui, rows: Sequence[AttachedDevice]) -> None:
    """A table; what is wrong, or may be in the way, and the remedy below the row it belongs to."""
    cells = [(row.serial, row.state, row.connection, _what(row)) for row in rows]
    ui.table(
        _COLUMNS, cells, below={n: text for n, row in enumerate(rows) if (text := _below(row))}
    )


def _below(row: AttachedDevice) -> str:
    return f"{row.problem} {row.remedy}" if row.problem else " ".join(row.notes)


def _next_step(ui: Ui, rows: Sequence[AttachedDevice]) -> None:
    attached = [row.serial for row in rows if row.usable and row.connection != "local"]
    if len(rows) == 1:
        ui.note(f"No device is attached. {HOW_TO_ATTACH}")
        ui.note(HOW_WITHOUT_USB)
        ui.now("adadeep-profile -d local")
    elif attached:
        ui.now("adadeep-profile -d", attached[0])


def _what(row: AttachedDevice) -> str:
    model = row.description.get("model", "").replace("_", " ")  # adb puts _ for spaces
    others = [row.description.get(key, "") for key in ("product", "machine")]
    return " ".join(dict.fromkeys(name for name in (model, *others) if name))
