"""Every precision on the lab phone, by Android's own runtime, in turn with float32."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.convert.verify import run_tflite
from adadeep.core.clock import Deadline
from adadeep.core.measurement import Measurement
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.plan import UNCHANGED_PRECISION
from adadeep.devices.adb.transport import AdbTransport
from adadeep.measure.meter import ModelJob
from adadeep.measure.session import MeterOptions, open_meter
from adadeep.testing.precisions import X, converted
from adadeep.training.metrics.accuracy import ACCURACY

pytestmark = [pytest.mark.lab, pytest.mark.tf, pytest.mark.slow]

# A kernel that the runtime has no fast way for costs 1.7 to 50 times what float's does; that a
# PC's int8 kernels are as fast as its float ones is all that can be asked of it.
_MOST_OF_FLOAT = 1.5
_PLAN = MeasuringPlan(placements=5, max_ms=3000)


@functools.cache
def network() -> Any:
    from adadeep.training.networks.lenet import LENET

    made = LENET.build((28, 28, 1), 10, seed=0)
    for layer in made.layers:  # as a trained one has: the converter leaves out biases of zero
        if getattr(layer, "bias", None) is not None:
            layer.bias.assign(np.full(layer.bias.shape, 0.01, np.float32))
    return made


@functools.cache
def samples() -> np.ndarray:
    return np.random.default_rng(0).uniform(size=(20, 28, 28, 1)).astype(np.float32)


@functools.cache
def model(precision: str) -> bytes:
    from adadeep.convert.tflite import convert

    return convert(network(), PRECISIONS.get(precision), samples(), sparse=False)


def taken(measured: Measurement) -> int:
    return sum(d.nodes for d in measured.delegates if d.name == "XNNPACK")


@pytest.mark.parametrize("name", [name for name in PRECISIONS if name != UNCHANGED_PRECISION])
def test_a_precision_is_run_by_the_fast_kernels_and_no_slower_than_float(
    lab_android: Any, name: str
) -> None:
    jobs = [
        ModelJob(model(one), samples=[[sample[np.newaxis]] for sample in samples()])
        for one in (UNCHANGED_PRECISION, name)
    ]
    options = MeterOptions("android-java")
    with open_meter(AdbTransport(lab_android.serial), Deadline.after(120), None, options) as meter:
        found = meter.session(jobs, _PLAN)
    as_float, other = found.session.measurements
    left = [sum(d.nodes for d in one.delegates) - taken(one) for one in (as_float, other)]
    assert min(taken(as_float), taken(other)) > 0
    # One more than of float32 may be left to the runtime's own kernels: a quantised softmax is.
    assert left[1] <= left[0] + 1, f"{name}: {other.delegates}, float32: {as_float.delegates}"
    assert other.latency_ms < _MOST_OF_FLOAT * as_float.latency_ms
    for job, told in zip(jobs, found.outputs, strict=True):
        here = run_tflite(job.model, samples())
        there = np.concatenate([outputs[0] for outputs in told])
        assert np.abs(here - there).max() <= PRECISIONS.get(name).tolerance
        assert ACCURACY.agreement(there, here) >= ACCURACY.least_agreement
    print(f"{name}: {other.latency_ms:.4f} ms, float32: {as_float.latency_ms:.4f} ms")


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("name", list(PRECISIONS))
def test_what_a_precision_stores_runs_there_as_it_does_here(
    lab_android: Any, name: str, sparse: bool
) -> None:
    precision = PRECISIONS.get(name)
    stored = converted(precision, sparse)
    job = ModelJob(stored, samples=[[sample[np.newaxis]] for sample in X[:10]])
    options, plan = MeterOptions("android-java"), replace(_PLAN, placements=1, placement_ms=1.0)
    with open_meter(AdbTransport(lab_android.serial), Deadline.after(120), None, options) as meter:
        found = meter.session([job], plan)
    there = np.concatenate([outputs[0] for outputs in found.outputs[0]])
    assert np.abs(run_tflite(stored, X[:10]) - there).max() <= precision.tolerance
