"""`adadeep doctor`: checks devices from end to end; provisions a board; cleans up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from adadeep.cli.options import (
    agent_option,
    chosen_devices,
    device_option,
    json_option,
    runtime_option,
)
from adadeep.cli.plugin_warnings import told
from adadeep.cli.ui import Ui
from adadeep.core.agent_kind import Preparing
from adadeep.core.check import Check, CheckStatus
from adadeep.core.clock import Deadline
from adadeep.core.errors import ConfigError, DeviceError
from adadeep.core.registry import Plugin
from adadeep.core.transport import Transport
from adadeep.devices.agent_kinds.choice import choose_kind
from adadeep.devices.doctor import examine
from adadeep.devices.facts import gather_facts
from adadeep.devices.work_folder import clean
from adadeep.storage.scratch import scratch_folder
from adadeep.study.plugins import plugins

_EXAMINE_S = 120.0


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to be done beside, or instead of, checking; and with which agent."""

    provide: bool
    remove: bool
    force: bool
    agent: str | None
    runtime: Path | None


@click.command("doctor")
@device_option
@click.option(
    "--provision",
    "provide",
    is_flag=True,
    help="Give a board's Python numpy and a TFLite runtime, in a private folder.",
)
@click.option("--clean", "remove", is_flag=True, help="Remove everything of ours from the device.")
@click.option(
    "--force", is_flag=True, help="With --clean: end an agent at work there, whoever started it."
)
@agent_option
@runtime_option
@json_option
def command(
    devices: tuple[str, ...],
    provide: bool,
    remove: bool,
    force: bool,
    agent: str | None,
    runtime: Path | None,
    as_json: bool,
) -> int:
    """Check a device from the cable to the agent; each finding comes with its remedy.

    Before that it lists installed plug-ins. Ends with exit code 3 if a check of a device fails.
    """
    if provide and remove:
        raise ConfigError("--provision and --clean exclude each other; give one of them.")
    if force and not remove:
        raise ConfigError("--force goes with --clean: it ends an agent that is in the way.")
    wish = _Wish(provide, remove, force, agent, runtime)
    ui = Ui(as_json)
    found = plugins()
    _show_plugins(ui, found)
    reports = []
    for name in devices or [None]:
        try:
            transports = chosen_devices([name] if name else [])
        except DeviceError as error:
            check = Check("state", CheckStatus.FAIL, str(error), "`adadeep devices` shows more.")
            reports.append(_report(ui, name or "device", [_shown(ui, check)]))
            continue
        reports += [_treated(ui, transport, wish) for transport in transports]
    healthy = all(report["ok"] for report in reports)
    if healthy and not remove:
        ui.now("adadeep-profile -d", reports[0]["serial"])
    listed = [asdict(plugin) for plugin in found]
    ui.emit("doctor", {"ok": healthy, "devices": reports, "plugins": listed})
    return 0 if healthy else DeviceError.exit_code


def _show_plugins(ui: Ui, found: Sequence[Plugin]) -> None:
    """A line for each plug-in; what is wrong below it."""
    if not found or ui.json_mode:
        return
    ui.say("plug-ins")
    for plugin in found:
        check = Check(
            plugin.kind,
            CheckStatus.WARN if plugin.problem else CheckStatus.OK,
            f"{plugin.name} of {plugin.package} {plugin.version}",
            plugin.problem,
        )
        _shown(ui, check)
    told(plugin.problem for plugin in found if plugin.problem)


def _treated(ui: Ui, transport: Transport, wish: _Wish) -> dict[str, Any]:
    try:
        return _treat(ui, transport, wish)
    except DeviceError as error:
        check = Check("device", CheckStatus.FAIL, str(error), None)
        return _report(ui, transport.serial, [_shown(ui, check)])


def _treat(ui: Ui, transport: Transport, wish: _Wish) -> dict[str, Any]:
    ui.say(transport.serial)
    if wish.remove:
        gone = clean(transport, Deadline.after(_EXAMINE_S), wish.force)
        ui.say(
            f"  {gone.folder} has been removed, with {gone.deployed} deployed models and"
            f" {gone.results} results that no host had fetched"
        )
        return {**_report(ui, transport.serial, []), "removed": gone.folder}
    if wish.provide:
        _provide(ui, transport, wish.agent)
    found = examine(transport, Deadline.after(_EXAMINE_S), wish.agent, wish.runtime)
    return _report(ui, transport.serial, [_shown(ui, check) for check in found])


def _provide(ui: Ui, transport: Transport, agent: str | None) -> None:
    deadline = Deadline.after(_EXAMINE_S)
    kind = choose_kind(*gather_facts(transport, deadline), agent)
    preparing = Preparing(lambda _: True, lambda step: ui.note(f"  {step}"))
    with scratch_folder():
        kind.prepare(transport, deadline, preparing).leave(Deadline.after(_EXAMINE_S))


def _shown(ui: Ui, check: Check) -> Check:
    mark = {CheckStatus.OK: "ok  ", CheckStatus.WARN: "warn", CheckStatus.FAIL: "FAIL"}
    ui.say(f"  {mark[check.status]}  {check.name:<14}  {check.evidence}")
    if check.remedy:
        ui.say(f"        {'':<14}  -> {check.remedy}")
    return check


def _report(ui: Ui, serial: str, checks: list[Check]) -> dict[str, Any]:
    failed = [check for check in checks if check.status is CheckStatus.FAIL]
    if checks:
        ui.say("  all well" if not failed else f"  {len(failed)} of {len(checks)} checks failed")
    return {"serial": serial, "ok": not failed, "checks": [asdict(check) for check in checks]}
