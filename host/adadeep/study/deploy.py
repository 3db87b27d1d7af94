"""Deploys a search's winner: pushes it, checks its outputs, measures it beside the initial one."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.convert.verify import ModelPort, max_difference, run_tflite
from adadeep.core.agent_kind import Preparing
from adadeep.core.clock import Deadline
from adadeep.core.cost import COLD, MEDIAN, Ratio
from adadeep.core.cost_source import UnitLatency
from adadeep.core.device import DeviceFacts
from adadeep.core.display import one_line
from adadeep.core.errors import ConversionError, DeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Measurement
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.metric import Metric, Scale
from adadeep.core.noise import NoiseModel
from adadeep.core.precision import Precision
from adadeep.core.rows import Rows, each
from adadeep.core.session import MeasuredTogether
from adadeep.core.transport import Transport
from adadeep.core.verdict import Verdict, Verdicts
from adadeep.devices.agent_watch import Watch
from adadeep.devices.facts import gather_facts
from adadeep.measure.meter import DeviceMeter
from adadeep.measure.meter_jobs import Measured, ModelJob
from adadeep.measure.session import MeterOptions, open_meter
from adadeep.measure.session_log import SessionLog
from adadeep.report.snippets import AsMeasured, End, snippets
from adadeep.storage.run_folder import SAMPLES, PlanTarget, RunFolder, damaged
from adadeep.study.measuring import COLD_RUNS, cold_bytes
from adadeep.study.ratios import ratio_of, tail_of
from adadeep.training.registry import METRICS

_READY_S = 120.0
_NEW = ".new"  # until it is checked: what was deployed before stays whole meanwhile

DEPLOY_LAUNCHES = 2
DEPLOY_PLAN = MeasuringPlan(placements=60, least_placements=6, max_ms=5000.0, half_width=0.001)


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """What a search left for a device.

    Attributes:
        task: its name.
        target: what was found for the device.
        best: the winner's .tflite.
        initial: the initial network's.
        inputs: real samples: an array (n, ...) of float32 for each input.
        port: of the winner.
        precision: of the winner.
        metric: of the search.
    """

    task: str
    target: PlanTarget
    best: bytes
    initial: bytes
    inputs: Rows
    port: ModelPort
    precision: Precision
    metric: Metric

    @property
    def device_name(self) -> str:
        """The winner's name on a device, below the work folder."""
        return f"deployed/{self.task}-{self.target.best.key}.tflite"


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near a device's outputs are to this computer's.

    Attributes:
        max_abs_difference: largest difference of two elements.
        by_metric: how far they mean the same to the search's metric, 0..1.
    """

    max_abs_difference: float
    by_metric: float


@dataclass(frozen=True, slots=True)
class Deployment:
    """A winner on a device.

    Attributes:
        serial: of the device.
        path: of the .tflite there.
        agreement: of its outputs with the host's.
        samples: how many outputs were compared.
        session: in which the winner and the initial network, in this order, ran there in turn.
        noise: of the device; tells how sure a latency in ms is.
        searched_here: whether the search measured on this very device.
        verdicts: of the demand's limits, T as measured now.
        metric: what accuracies mean.
        file: of the winner, in the run's folder.
        snippets: by language a program that runs the winner as it was measured.
    """

    serial: str
    path: str
    agreement: Agreement
    samples: int
    session: MeasuredTogether
    noise: NoiseModel
    searched_here: bool
    verdicts: Verdicts
    metric: Scale
    file: str
    snippets: Mapping[str, str]

    @property
    def best(self) -> Measurement:
        """Of the winner."""
        return self.session.measurements[0]

    @property
    def initial(self) -> Measurement:
        """Of the initial network."""
        return self.session.measurements[1]

    @property
    def speed_up(self) -> Ratio:
        """How many times faster than the initial network the winner is."""
        return ratio_of(self.noise.ratio(self.session, 1, 0))


def load_run(folder: Path, device_fingerprint: str = "") -> FinishedRun:
    """Reads what a finished search found for a device; for one of no search, for its first.

    Raises:
        FormatError: no finished search in it, one of a newer version, or a damaged one; says what
            to do.
        ConfigError: its precision or its metric is of a package that is not installed here.
    """
    run = RunFolder(folder)
    target = run.plan.target(device_fingerprint)
    best, initial, inputs = run.best(target), run.initial, run.inputs
    precision = PRECISIONS.get(target.best.plan.precision)
    metric = METRICS.get(target.metric.name)
    try:
        port = ModelPort(best)
    except ConversionError as error:
        raise damaged(folder / target.file, one_line(str(error)).rstrip(".")) from error
    try:
        port.encode(inputs)
    except ConversionError as error:
        raise damaged(folder / SAMPLES, str(error).rstrip(".")) from error
    return FinishedRun(run.plan.task, target, best, initial, inputs, port, precision, metric)


def deploy(
    folder: Path,
    transport: Transport,
    note: Callable[[str], None],
    agent: str | None = None,
    runtime: Path | None = None,
) -> Deployment:
    """Puts the winner on a device, compares its outputs with the host's and measures it there.

    Args:
        folder: of the search.
        transport: to the device.
        note: is told of long waits.
        agent: kind of agent that measures; None for the one that suits the device best.
        runtime: an archive whose runtime is to be taken; None for the agent's own.

    Raises:
        FormatError: the folder holds no finished search, or a damaged one.
        DeviceError: the device is gone, or its outputs differ from the host's.
    """
    ready_by = Deadline.after(_READY_S)
    known = gather_facts(transport, ready_by)
    run = load_run(folder, known[0].fingerprint)
    note(f"deploying {run.target.best.label} to {transport.serial}")
    path = f"{transport.workdir}/{run.device_name}"
    log = SessionLog("deploy", note, lambda: hashlib.sha256(run.initial).hexdigest())
    options = MeterOptions(agent, known, None, Preparing(runtime=runtime), Watch(note), log)
    with open_meter(transport, ready_by, MeasureSettings(), options) as meter:
        measured, noise = _measured(meter, run, known[0]), meter.noise
        try:
            agreed = _compared(run, measured, transport.serial)
        except DeviceError:
            transport.run(f"rm -f {shlex.quote(path + _NEW)}", Deadline.after(_READY_S))
            raise
        _rename(transport, path)
    return Deployment(
        serial=transport.serial,
        path=path,
        agreement=agreed,
        samples=len(run.inputs),
        session=measured.session,
        noise=noise,
        searched_here=known[0].fingerprint == run.target.device_fingerprint,
        verdicts=deployed_verdicts(run.target, measured.session, noise),
        metric=run.target.metric,
        file=run.target.file,
        snippets=_snippets(run, measured.session.measurements[0]),
    )


def _snippets(run: FinishedRun, measured: Measurement) -> Mapping[str, str]:
    inputs, outputs = (tuple(End(*end) for end in side) for side in run.port.ends)
    took = sum(d.nodes for d in measured.delegates if d.name == "XNNPACK")
    agent = measured.agent
    model = AsMeasured(
        Path(run.target.file).name, f"{agent.runtime} {agent.runtime_version}",
        measured.settings.threads, took > 0, run.precision.name, inputs, outputs,
    )  # fmt: skip
    return snippets(model)


def deployed_verdicts(plan: PlanTarget, session: MeasuredTogether, noise: NoiseModel) -> Verdicts:
    """What can be said of the limits, with T as it was measured now.

    A limit of T that the user did not give is the initial network's own T, here and now: the ratio
    of the two decides. One in ms has the uncertainty of the device, too.

    Args:
        plan: of the search.
        session: in which the winner and the initial network ran in turn, in this order.
        noise: of the device.
    """
    latency = _latency_verdict(plan, session, noise)
    return replace(plan.best.verdicts or _verdicts_of_0_1(plan), latency_ms=latency)


def _latency_verdict(plan: PlanTarget, session: MeasuredTogether, noise: NoiseModel) -> Verdict:
    best, initial = session.measurements
    limit, own = plan.limits.max_latency_ms, plan.initial.cost.latency_ms.value
    basis = "measured now, on this device"
    if limit == own:
        ratio, own_ms = ratio_of(noise.ratio(session, 0, 1)), initial.latency_ms
        return Verdict(
            own_ms, own_ms * ratio.value, own_ms * ratio.low, own_ms * ratio.high,
            f"{basis}, in turn with the initial network",
        )  # fmt: skip
    statistic = plan.demand.latency_statistic if plan.demand else MEDIAN
    found, tail = noise.latency([best]), tail_of(best, statistic, noise)
    if tail is None:
        return Verdict(limit, None, basis="not measured with cold caches")
    centre = UnitLatency(found.median_ms, found.low_ms, found.high_ms).ratio
    told = centre.times(tail) if statistic != MEDIAN else centre
    what = "" if statistic == MEDIAN else f", {statistic}"
    return Verdict(limit, told.value, told.low, told.high, f"{basis}{what}")


def _verdicts_of_0_1(plan: PlanTarget) -> Verdicts:
    """A search of version 0.1 tested nothing on held-back samples and kept no verdicts."""
    limits, best, initial = plan.limits, plan.best, plan.initial
    return Verdicts(
        accuracy_loss=Verdict(
            plan.metric.loss(initial.accuracy, limits.min_accuracy),
            plan.metric.loss(initial.accuracy, best.accuracy),
            basis="the search's own validation samples, no interval",
        ),
        latency_ms=Verdict(limits.max_latency_ms, best.cost.latency_ms.value),
        energy_mj=Verdict.exact(
            limits.max_energy_mj, best.cost.energy_mj.value, str(best.cost.energy_mj.provenance)
        ),
        storage_bytes=Verdict.exact(
            limits.max_storage_bytes, best.cost.storage_bytes, "counted (Eq. 3)"
        ),
    )


def _rename(transport: Transport, path: str) -> None:
    there, new = shlex.quote(path), shlex.quote(path + _NEW)
    moved = transport.run(f"mv -f {new} {there}", Deadline.after(_READY_S))
    if moved.exit_code:
        text = one_line(moved.stderr.decode("utf-8", "replace"))
        raise DeviceError(f"{transport.serial}: {path} can't be put there: {text}. Try again.")


def _measured(meter: DeviceMeter, run: FinishedRun, facts: DeviceFacts) -> Measured:
    encoded = run.port.encode(run.inputs)
    samples = [[array[n : n + 1] for array in encoded] for n in range(len(run.inputs))]
    winner = ModelJob(run.best, samples, run.device_name + _NEW, "winner")
    plan, demand = DEPLOY_PLAN, run.target.demand
    if demand is not None and demand.latency_statistic == COLD:
        plan = replace(plan, cold_runs=COLD_RUNS, cold_bytes=cold_bytes(facts))
    jobs = [winner, ModelJob(run.initial, name="initial network")]
    return meter.session(jobs, plan, DEPLOY_LAUNCHES)


def _compared(run: FinishedRun, measured: Measured, serial: str) -> Agreement:
    here = run_tflite(run.best, run.inputs)
    given = measured.outputs[0]
    shapes = [[output.shape for output in outputs] for outputs in given]
    if shapes != [[(1, *array.shape[1:]) for array in each(here)]] * len(here):
        raise DeviceError(
            f"{serial}: the model's outputs have other shapes there than here. Try another runtime"
            " on the device (adadeep doctor)."
        )
    there = run.port.decode([np.concatenate(arrays) for arrays in zip(*given, strict=True)])
    agreed = Agreement(max_difference(here, there), run.metric.agreement(here, there))
    limit, least = run.precision.tolerance, run.metric.least_agreement
    if not agreed.max_abs_difference <= limit or not agreed.by_metric >= least:
        raise DeviceError(
            f"{serial}: the model computes something else there than here: outputs differ by up to"
            f" {agreed.max_abs_difference:.3g} (allowed {limit:g}) and agree to"
            f" {agreed.by_metric:.0%} by {run.metric.title} (at least {least:.0%}). Try another"
            " runtime on the device (adadeep doctor), and report this with its profile."
        )
    return agreed
