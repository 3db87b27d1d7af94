"""`adadeep devices`: what is plugged in, its state, and how to fix it. Fast: no rich here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from adadeep.cli.ui import Ui
from adadeep.core.clock import Deadline
from adadeep.core.device import AttachedDevice
from adadeep.devices.adb.server import AdbUnavailable
from adadeep.devices.discovery import HOW_TO_ATTACH, list_attached, local_device
from adadeep.report.table_text import Column

_COLUMNS = (
    Column("SERIAL"), Column("STATE"), Column("CONNECTION", rank=1), Column("WHAT", wraps=True),
)  # fmt: skip
_LIST_S = 20.0  # a server that must be started first takes some seconds


@click.command("devices")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON (docs/json.md).")
def command(as_json: bool) -> None:
    """Show what is plugged in, its state, and how to fix it.

    Starts an adb server if none runs. `local` is this computer. ANDROID_ADB_SERVER_PORT and
    ADB_SERVER_SOCKET are honoured.
    """
    ui = Ui(as_json)
    try:
        rows = list_attached(Deadline.after(_LIST_S))
    except AdbUnavailable as error:
        ui.warn(str(error))
        rows = [local_device()]
    ui.emit("devices", {"devices": [{**asdict(row), "usable": row.usable} for row in rows]})
    _show(ui, rows)
    _next_step(ui, rows)


def _show(ui: Ui, rows: Sequence[AttachedDevice]) -> None:
    """A table; what is wrong and the remedy below the row they belong to."""
    cells = [(row.serial, row.state, row.connection, _what(row)) for row in rows]
    below = {n: f"{row.problem} {row.remedy}" for n, row in enumerate(rows) if row.problem}
    ui.table(_COLUMNS, cells, below=below)


def _next_step(ui: Ui, rows: Sequence[AttachedDevice]) -> None:
    attached = [row.serial for row in rows if row.usable and row.connection != "local"]
    if len(rows) == 1:
        ui.note(f"No device is attached. {HOW_TO_ATTACH}")
        ui.now("adadeep-profile -d local")
    elif attached:
        ui.now("adadeep-profile -d", attached[0])


def _what(row: AttachedDevice) -> str:
    model = row.description.get("model", "").replace("_", " ")  # adb puts _ for spaces
    others = [row.description.get(key, "") for key in ("product", "machine")]
    return " ".join(dict.fromkeys(name for name in (model, *others) if name))
