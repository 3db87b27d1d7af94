"""`adadeep deploy RUN`: the winner of a search, on a device."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adadeep.cli.commands.measure import measurement_json
from adadeep.cli.options import (
    PATH,
    agent_option,
    device_option,
    each_device,
    json_option,
    runtime_option,
)
from adadeep.cli.plugin_warnings import naming_missing
from adadeep.cli.ui import Ui
from adadeep.core.errors import DeviceError
from adadeep.core.transport import Transport
from adadeep.core.units import format_bytes, format_ms
from adadeep.report.table_text import Column

if TYPE_CHECKING:
    from adadeep.core.measurement import Measurement
    from adadeep.core.noise import NoiseModel
    from adadeep.study.deploy import Deployment, FinishedRun

_COLUMNS = (
    Column(""), Column("median", right=True), Column("95 % interval", right=True, rank=2),
    Column(".tflite", right=True, rank=1), Column("runtime", wraps=True, rank=3),
)  # fmt: skip


@click.command(name="deploy")
@click.argument("run", type=PATH)
@device_option
@agent_option
@runtime_option
@json_option
def command(
    run: Path,
    devices: tuple[str, ...],
    agent: str | None,
    runtime: Path | None,
    as_json: bool,
) -> int:
    """Put the winner of the search in folder RUN on a device.

    Pushes it, compares its outputs with this computer's on real samples, measures it and the
    initial network there, and prints its path on the device.
    """
    from adadeep.storage.native_log import native_log
    from adadeep.study.deploy import deploy, load_run

    ui = Ui(as_json)
    with native_log(None), naming_missing(run):
        finished = load_run(run)  # what is wrong with it is said before a device is asked

    def put(transport: Transport) -> dict[str, Any]:
        with native_log(None):
            deployment = deploy(run, transport, ui.note, agent, runtime)
        _show(ui, deployment)
        return _json(deployment)

    shown, failed = each_device(ui, devices, put)
    _next_step(ui, finished, run, shown)
    ui.emit("deploy", {"run": str(run), "deployments": shown, "failed": failed})
    return DeviceError.exit_code if failed else 0


def _show(ui: Ui, deployment: Deployment) -> None:
    from adadeep.report.verdict_lines import verdict_lines

    best, initial = deployment.best, deployment.initial
    agreed = deployment.agreement
    rows = [
        _row("initial network", initial, deployment.noise),
        _row("winner", best, deployment.noise),
    ]
    title = f"{best.device_title} ({deployment.serial}), measured there"
    ui.table(_COLUMNS, rows, title)
    ratio = deployment.speed_up
    ui.say(
        f"speed-up on this device: {ratio.value:.3g} times ({ratio.low:.3g} to {ratio.high:.3g}),"
        " measured in turn"
    )
    ui.say(
        f"outputs: {deployment.samples} real samples agree with this computer's to"
        f" {agreed.by_metric:.0%}, largest difference {agreed.max_abs_difference:.2g}"
    )
    for line in verdict_lines(deployment.verdicts, deployment.metric):
        ui.say(line)
    ui.say(f"path on the device: {deployment.path}")
    language = "kotlin" if "android" in best.agent.name else "python"
    ui.say(f"to run {deployment.file} as it was measured, in {language} (others: --json):")
    for line in deployment.snippets[language].splitlines():
        ui.say(f"    {line}".rstrip())
    doubtful = [f"{name} is {v.text}" for name, v in deployment.verdicts if not v.is_within]
    if doubtful:
        ui.warn(f"the winner does not meet its demand: {', '.join(doubtful)}.")
    for name, measurement in (("initial network", initial), ("winner", best)):
        if measurement.disturbed:
            ui.warn(f"{name}: disturbed, {'; '.join(measurement.disturbed)}")
    if not deployment.searched_here:
        ui.warn("the search measured on another device; its winner need not be the best here.")


def _next_step(ui: Ui, finished: FinishedRun, run: Path, shown: list[dict[str, Any]]) -> None:
    """A search where none has been, else what `deploy` does not show, such as load and memory."""
    from adadeep.training.registry import TASKS

    elsewhere = [row["serial"] for row in shown if not row["searched_here"]]
    if elsewhere and finished.task in TASKS:
        ui.now("adadeep search", finished.task, "-d", elsewhere[0])
    elif shown:
        ui.now("adadeep measure", run / shown[0]["file"], "-d", shown[0]["serial"])


def _row(name: str, measurement: Measurement, noise: NoiseModel) -> tuple[str, ...]:
    agent, found = measurement.agent, noise.latency([measurement])
    size = format_bytes(measurement.model_bytes)
    runtime = f"{agent.runtime} {agent.runtime_version}"
    ends = f"{format_ms(found.low_ms)} to {format_ms(found.high_ms)}"
    return name, format_ms(found.median_ms), ends, size, runtime


def _json(deployment: Deployment) -> dict[str, Any]:
    from adadeep.study.outcome import verdicts_as_json

    return {
        "serial": deployment.serial,
        "path": deployment.path,
        "file": deployment.file,
        "snippets": dict(deployment.snippets),
        "speed_up": deployment.speed_up.value,
        "speed_up_interval": [deployment.speed_up.low, deployment.speed_up.high],
        "samples": deployment.samples,
        "agreement": {
            "max_abs_difference": deployment.agreement.max_abs_difference,
            "argmax_agreement": deployment.agreement.by_metric,
        },
        "searched_here": deployment.searched_here,
        "verdicts": verdicts_as_json(deployment.verdicts),
        "best": measurement_json(deployment.best, deployment.noise),
        "initial": measurement_json(deployment.initial, deployment.noise),
        "session": asdict(deployment.session),
    }
