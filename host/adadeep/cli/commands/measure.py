"""`adadeep measure MODEL.tflite ...`: one model, or several compared, on one device or more."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adadeep.cli.input_options import input_options, with_inputs
from adadeep.cli.measure_options import MeasureWish, how_options, measure_wish
from adadeep.cli.options import (
    PATH,
    agent_option,
    cores_option,
    device_option,
    each_device,
    json_option,
    measure_settings,
    runtime_option,
    threads_option,
)
from adadeep.cli.ui import Ui
from adadeep.core.clock import Deadline
from adadeep.core.errors import DemandUnmet, DeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.transport import Transport
from adadeep.core.units import format_duration
from adadeep.report.table_text import Column

if TYPE_CHECKING:
    from adadeep.core.device import DeviceFacts
    from adadeep.core.measurement import Measurement
    from adadeep.core.noise import NoiseModel
    from adadeep.core.session import MeasuredTogether
    from adadeep.measure.comparing import Compared
    from adadeep.measure.meter import DeviceMeter
    from adadeep.measure.meter_jobs import ModelJob

_READY_S = 120.0


@click.command(name="measure")
@click.argument("models", type=PATH, nargs=-1, required=True, metavar="MODEL...")
@device_option
@threads_option
@cores_option
@agent_option
@runtime_option
@how_options
@input_options
@json_option
def command(
    models: tuple[Path, ...],
    devices: tuple[str, ...],
    threads: int,
    cores: str | None,
    agent: str | None,
    input_ranges: tuple[str, ...],
    input_shapes: tuple[str, ...],
    input_file: Path | None,
    as_json: bool,
    **wishes: Any,
) -> int:
    """Measure MODEL (a .tflite) on a device, or compare several.

    Several models are measured in turn, in blocks of some milliseconds, in many places in memory:
    the ratios of their latencies are much sharper than the latencies. The first is what the others
    are compared with. Raw samples are in the JSON.
    """
    settings = measure_settings(MeasureSettings(), threads, cores)
    settings = with_inputs(settings, input_ranges, input_shapes, input_file is not None)
    job = measure_wish(models, settings, input_file, agent, wishes)
    ui = Ui(as_json)
    shown, failed = each_device(ui, devices, lambda transport: _measure(ui, transport, job))
    _next_step(ui, shown)
    ui.emit(
        "measure",
        {"models": [str(path) for path in models], "measurements": shown, "failed": failed},
        version=2,
    )
    if failed:
        return DeviceError.exit_code
    return _by_verdict(ui, shown, job)


def _next_step(ui: Ui, shown: list[dict[str, Any]]) -> None:
    """A profile of the device, if there is none: it is what makes the number comparable."""
    from adadeep.profiles import files

    serial = next((row["serial"] for row in shown if not files.is_measured(row["serial"])), None)
    if serial is not None:
        ui.now("adadeep-profile -d", serial)


def _measure(ui: Ui, transport: Transport, job: MeasureWish) -> dict[str, Any]:
    from adadeep.core.agent_kind import Preparing
    from adadeep.devices.agent_watch import Watch
    from adadeep.devices.facts import gather_facts
    from adadeep.measure.session import MeterOptions, open_meter
    from adadeep.measure.session_log import SessionLog

    ui.note(f"measuring {', '.join(job.names)} on {transport.serial}")
    log = SessionLog("measure", ui.warn, lambda: job.reference)
    ready_by = Deadline.after(_READY_S)
    known = gather_facts(transport, ready_by)
    preparing = Preparing(runtime=job.runtime)
    options = MeterOptions(job.agent, known, None, preparing, Watch(ui.note), log)
    with open_meter(transport, ready_by, job.settings, options) as meter:
        earlier = job.earlier.on(meter.target) if job.earlier else None
        session, reason = _session(ui, meter, job, known[0])
    ui.note(f"ended: {session.ended}; {reason}" if reason else f"ended: {session.ended}")
    title = f"{session.measurements[0].device_title} ({transport.serial})"
    compared = _compared(meter, session, job, earlier)
    _show(ui, meter, session, job, (title, compared))
    return _as_json(transport.serial, meter, session, job, compared)


def _session(
    ui: Ui, meter: DeviceMeter, job: MeasureWish, facts: DeviceFacts
) -> tuple[MeasuredTogether, str]:
    """The session that was asked for, and why it is as long as it is."""
    from adadeep.measure.comparing import plan_of, probe_plan, sustained_plan
    from adadeep.study.measuring import cold_bytes

    if job.sustained_s is not None:
        plan = sustained_plan(job.sustained_s)
        with ui.progress(f"running {job.names[0]}", job.sustained_s) as bar:
            return _followed(meter, _jobs(job)[:1], (plan, 1), bar), ""
    jobs = _jobs(job)
    probed = meter.session(jobs, probe_plan()).session.measurements[: len(job.models)]
    sweep = cold_bytes(facts) if job.cold else 0
    choice = plan_of(meter.noise, probed, job.max_seconds, sweep)
    with ui.progress(f"measuring {job.names[0]}", choice.plan.max_ms / 1000) as bar:
        return _followed(meter, jobs, (choice.plan, job.launches), bar), choice.reason


def _followed(
    meter: DeviceMeter, jobs: list[ModelJob], how: tuple[Any, int], bar: Any
) -> MeasuredTogether:
    """A session whose progress is shown."""
    plan, launches = how
    shown = 0.0

    def on_progress(reply: Any) -> None:
        nonlocal shown
        seconds = reply.elapsed_ms / 1000
        bar.advance(max(seconds - shown, 0.0))
        shown = max(seconds, shown)

    return meter.session(jobs, plan, launches, on_progress).session


def _jobs(job: MeasureWish) -> list[ModelJob]:
    """The models, and the built-in reference, which takes little of the time."""
    from adadeep.measure.comparing import REFERENCE_BLOCK_MS
    from adadeep.measure.meter_jobs import ModelJob
    from adadeep.measure.reference_models import SHARP, reference_model

    named = zip(job.models, job.names, strict=True)
    jobs = [ModelJob(model, [job.sample] if job.sample else [], name=name[-60:])
            for model, name in named]  # fmt: skip
    reference = reference_model(SHARP)
    settings = job.settings
    named_ranges = any(entry[0] for entry in settings.input_ranges)
    if reference in job.models or settings.input_file or settings.input_shapes or named_ranges:
        return jobs
    return [*jobs, ModelJob(reference, name="reference", block_ms=REFERENCE_BLOCK_MS)]


def _compared(
    meter: DeviceMeter,
    session: MeasuredTogether,
    job: MeasureWish,
    earlier: MeasuredTogether | None,
) -> list[Compared]:
    from adadeep.measure.comparing import Compared, against_earlier

    found = []
    for number, name in enumerate(job.names):
        if earlier is not None and job.earlier is not None:
            ratio = against_earlier(meter.noise, session, earlier, number)
            found.append(Compared(name, job.earlier.path.name, ratio))
        elif number:
            ratio = meter.noise.ratio(session, number, 0)
            found.append(Compared(name, job.names[0], ratio))
    if job.fail_if is None:
        return found
    return [replace(one, judgement=job.fail_if.judge(one.found)) for one in found]


def _show(
    ui: Ui,
    meter: DeviceMeter,
    session: MeasuredTogether,
    job: MeasureWish,
    about: tuple[str, list[Compared]],
) -> None:
    from adadeep.report.measurement_lines import (
        comparison_rows,
        measurement_rows,
        ratio_text,
        verdict,
    )

    title, compared = about
    if len(job.models) == 1:
        rows = measurement_rows(session.measurements[0], meter.noise, session)
        rows += [(f"against {one.to}", f"{ratio_text(one.found)}: {verdict(one.found)}")
                 for one in compared]  # fmt: skip
        if job.sustained_s is not None:
            rows += _sustained_rows(session.measurements[0])
        columns = (Column("what"), Column("value", wraps=True))
        ui.table(columns, rows, f"{job.names[0]} on {title}")
        return
    own = replace(session, measurements=session.measurements[: len(job.models)])
    comparison = comparison_rows(own, job.names, meter.noise)
    wide = (Column("model", wraps=True), Column("latency", right=True),
            Column(f"times {job.names[0]}", right=True),
            Column("verdict", wraps=True))  # fmt: skip
    ui.table(wide, comparison, f"on {title}, measured in turn")
    for name, one in zip(job.names, own.measurements, strict=True):
        if one.disturbed:
            ui.warn(f"{name}: disturbed, {'; '.join(one.disturbed)}")


def _sustained_rows(measured: Measurement) -> list[tuple[str, str]]:
    from adadeep.core.units import format_ms
    from adadeep.measure.comparing import Sustained

    found = Sustained.of(measured)
    curve = ", ".join(f"{format_duration(s)}: {format_ms(ms)}" for s, ms in found.curve)
    return [
        ("first minute", format_ms(found.first_ms)),
        ("last minute", f"{format_ms(found.last_ms)}, {found.slowdown:.3f} times the first"),
        ("as it went, from", curve),
    ]


def _by_verdict(ui: Ui, shown: list[dict[str, Any]], job: MeasureWish) -> int:
    """The exit code by --fail-if."""
    if job.fail_if is None:
        return 0
    from adadeep.measure.comparing import Judgement

    ratios = [ratio for row in shown for ratio in row["ratios"]]
    failing = [r for r in ratios if job.fail_if.fails(Judgement(r["judgement"]))]
    for one in (r for r in ratios if r["judgement"] == Judgement.OPEN):
        ui.warn(
            f"whether {one['model']} is {job.fail_if.text} can't be told: {one['ratio']:.3f}"
            f" ({one['low']:.3f} to {one['high']:.3f}) times {one['to']}; a longer --max-seconds"
            " tells more."
        )
    if not failing:
        return 0
    worst = max(failing, key=lambda one: float(one["ratio"]))
    ui.warn(
        f"{worst['model']} takes {worst['ratio']:.3f} ({worst['low']:.3f} to"
        f" {worst['high']:.3f}) times as long as {worst['to']}: --fail-if '{job.fail_if.text}'."
    )
    return DemandUnmet.exit_code


def _as_json(
    serial: str,
    meter: DeviceMeter,
    session: MeasuredTogether,
    job: MeasureWish,
    compared: list[Compared],
) -> dict[str, Any]:
    """Of a device: what is derived, then the session, which all of it is derived from."""
    from adadeep.measure.comparing import Sustained, as_json

    own = session.measurements[: len(job.models)]
    models = [
        {"name": name, **measurement_json(one, meter.noise, session)}
        for name, one in zip(job.names, own, strict=True)
    ]
    ratios = [
        {
            "model": one.name,
            "to": one.to,
            **as_json(one.found),
            "judgement": None if one.judgement is None else str(one.judgement),
        }
        for one in compared
    ]
    sustained = asdict(Sustained.of(own[0])) if job.sustained_s is not None else None
    return {
        "serial": serial,
        "models": models,
        "ratios": ratios,
        "sustained": sustained,
        "noise": meter.noise.words(),
        "session": asdict(session),
    }


def measurement_json(
    measured: Measurement, noise: NoiseModel, session: MeasuredTogether | None = None
) -> dict[str, Any]:
    """What is derived of a measurement, for JSON; references in its session tell the drift."""
    percentiles = {
        f"p{round(100 * share)}_ms": asdict(noise.percentile(measured, share))
        for share in (0.5, 0.95, 0.99)
    }
    return {
        "model_sha256": measured.model_sha256,
        "latency_ms": {**asdict(noise.latency([measured], session)), "provenance": "measured"},
        **percentiles,
        "cold_ms": measured.cold_ms,
        "first_ms": measured.first_ms,
        "load_ms": measured.load_ms,
        "runs": measured.runs,
    }
