"""`adadeep measure MODEL.tflite`: one model, one or more devices."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from adadeep.cli.input_options import input_options, with_inputs
from adadeep.cli.options import (
    PATH,
    SECONDS,
    agent_option,
    cores_option,
    device_option,
    each_device,
    json_option,
    measure_settings,
    read_model,
    threads_option,
)
from adadeep.cli.ui import Ui
from adadeep.core.clock import Deadline
from adadeep.core.errors import DeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Measurement
from adadeep.core.transport import Transport
from adadeep.report.table_text import Column

_READY_S = 120.0


@click.command(name="measure")
@click.argument("model", type=PATH)
@device_option
@threads_option
@cores_option
@agent_option
@click.option(
    "--max-seconds", type=SECONDS, default=4.0, show_default=True,
    help="Longest time of the timed runs.",
)  # fmt: skip
@click.option(
    "--launches", type=click.IntRange(1, 100), default=3, show_default=True,
    help="How often the model is loaded anew.",
)  # fmt: skip
@input_options
@json_option
def command(
    model: Path,
    devices: tuple[str, ...],
    threads: int,
    cores: str | None,
    agent: str | None,
    max_seconds: float,
    launches: int,
    input_ranges: tuple[str, ...],
    input_shapes: tuple[str, ...],
    input_file: Path | None,
    as_json: bool,
) -> int:
    """Measure MODEL (a .tflite) on a device.

    Warms up, then times single inferences until the 95 % confidence interval of the median is
    narrower than 1 % or the time is over; raw samples are in the JSON.
    """
    base = MeasureSettings(
        launches=launches, warmup_min_ms=100.0, min_runs=50, min_ms=300.0,
        max_ms=1000 * max_seconds, max_runs=20000, ci_relative=0.01,
    )  # fmt: skip
    settings = measure_settings(base, threads, cores)
    settings = with_inputs(settings, input_ranges, input_shapes, input_file is not None)
    content = read_model(model)
    settings, sample = _sample(settings, content, input_file)
    job = _Job(model, content, settings, sample, agent)
    ui = Ui(as_json)
    shown, failed = each_device(ui, devices, lambda transport: _measure(ui, transport, job))
    _next_step(ui, shown)
    ui.emit("measure", {"model": str(model), "measurements": shown, "failed": failed})
    return DeviceError.exit_code if failed else 0


def _next_step(ui: Ui, shown: list[dict[str, Any]]) -> None:
    """A profile of the device, if there is none: it is what makes the number comparable."""
    from adadeep.profiles import files

    serial = next((row["serial"] for row in shown if not files.is_measured(row["serial"])), None)
    if serial is not None:
        ui.now("adadeep-profile -d", serial)


@dataclass(frozen=True, slots=True)
class _Job:
    path: Path
    model: bytes
    settings: MeasureSettings
    sample: list[Any]  # an array for each input; empty: none is given
    agent: str | None

    @property
    def reference(self) -> str | None:
        """The model's hash; None with the user's own inputs, which may take another time."""
        settings = self.settings
        if settings.input_ranges or settings.input_shapes or settings.input_file:
            return None
        return hashlib.sha256(self.model).hexdigest()


def _sample(
    settings: MeasureSettings, model: bytes, path: Path | None
) -> tuple[MeasureSettings, list[Any]]:
    from adadeep.measure.samples import with_samples

    return with_samples(settings, model, path) if path else (settings, [])


def _measure(ui: Ui, transport: Transport, job: _Job) -> dict[str, Any]:
    from adadeep.devices.agent_watch import Watch
    from adadeep.measure.meter import ModelJob
    from adadeep.measure.session import MeterOptions, open_meter
    from adadeep.measure.session_log import SessionLog
    from adadeep.report.measurement_lines import measurement_rows

    path = job.path
    ui.note(f"measuring {path.name} on {transport.serial}")
    log = SessionLog("measure", ui.warn, lambda: job.reference)
    options = MeterOptions(job.agent, watch=Watch(ui.note), log=log)
    with open_meter(transport, Deadline.after(_READY_S), job.settings, options) as meter:
        samples = [job.sample] if job.sample else []
        [measured] = meter.measure_jobs([ModelJob(job.model, samples)])
    measurement = measured.measurement
    title = f"{path.name} on {measurement.device_title} ({transport.serial})"
    ui.table((Column("what"), Column("value", wraps=True)), measurement_rows(measurement), title)
    return measurement_json(transport.serial, measurement)


def measurement_json(serial: str, measurement: Measurement) -> dict[str, Any]:
    """A measurement for JSON: the statistics, then everything they are derived from."""
    return {
        "serial": serial,
        "latency_ms": {**asdict(measurement.latency), "provenance": "measured"},
        "first_ms": measurement.first_ms,
        "load_ms": measurement.load_ms,
        **asdict(measurement),
    }
