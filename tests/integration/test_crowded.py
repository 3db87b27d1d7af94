"""50 other programs that compute: an interval holds what is known, or it says what disturbed it.

Takes the whole machine for a minute, and so runs in `make soak` alone.
"""

import contextlib
import subprocess
import sys
from dataclasses import replace

import pytest

from adadeep.core.clock import Deadline
from adadeep.devices.local import LocalTransport
from adadeep.measure.comparing import plan_of, probe_plan
from adadeep.measure.layer_models import SingleLayer, conv, dense, tflite_of
from adadeep.measure.session import open_meter

pytestmark = pytest.mark.soak

BUSY = 50
SESSIONS = 3  # of each
NETWORKS = {
    "small": tflite_of(SingleLayer(conv(14, 32, 32, 3))),
    "heavy": tflite_of(SingleLayer(dense(3136, 1024))),
}
TWIN = bytes(16)  # a FlatBuffer does not mind what follows it


@contextlib.contextmanager
def busy(count):
    """So many processes of our own that do nothing but compute."""
    spin = [sys.executable, "-S", "-E", "-c", "while True: pass"]
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            process = subprocess.Popen(spin)
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield


@pytest.mark.parametrize("name", NETWORKS)
def test_beside_50_busy_programs_no_interval_is_stated_that_does_not_hold(name, tmp_path):
    pair = [NETWORKS[name], NETWORKS[name] + TWIN]
    with open_meter(LocalTransport(tmp_path), Deadline.after(60)) as meter:
        probed = meter.measure(pair, probe_plan()).measurements
        plan = plan_of(meter.noise, probed, 1.0, 0).plan
        centre = meter.noise.latency([meter.measure(pair, plan).measurements[0]]).median_ms
        with busy(BUSY):
            sessions = [meter.measure(pair, replace(plan, seed=1 + n)) for n in range(SESSIONS)]
        for session in sessions:
            causes = {cause for one in session.measurements for cause in one.disturbed}
            ratio = meter.noise.ratio(session, 1, 0)
            latency = meter.noise.latency([session.measurements[0]])
            print(f"{ratio.ratio:.3f} ({ratio.low:.3f} to {ratio.high:.3f});"
                  f" {latency.median_ms / centre:.3f} ({latency.low_ms / centre:.3f} to"
                  f" {latency.high_ms / centre:.3f}); {causes}")  # fmt: skip
            assert ratio.low <= 1 <= ratio.high or causes
            assert latency.low_ms <= centre <= latency.high_ms or causes
            # What the kernel says of such a crowd is never nothing.
            assert any("for a processor" in cause for cause in causes)
