"""50 other programs that compute: an interval holds what is known, or it says what disturbed it.

Takes the whole machine for minutes, and so runs in `make soak` alone.
"""

import contextlib
import json
import os
import subprocess
import sys

import pytest

from adadeep.measure.layer_models import SingleLayer, conv, dense, tflite_of

pytestmark = pytest.mark.soak

BUSY = 50
SESSIONS = 2  # of each
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


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Measures a network and its twin in turn; what the command told, and what it warned of."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def call(name, *words):
        paths = [tmp_path / f"{name}.tflite", tmp_path / f"{name}-twin.tflite"]
        for path, end in zip(paths, (b"", TWIN), strict=True):
            path.write_bytes(NETWORKS[name] + end)
        path = os.pathsep.join(filter(None, sys.path))
        done = subprocess.run(
            [sys.executable, "-m", "adadeep", "measure", *map(str, paths), "-d", "local",
             "--max-seconds", "1", "--launches", "1", *words],
            capture_output=True, text=True, timeout=280, check=False,
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done

    return call


def told_of(done):
    """The latency, the ratio and the causes of a command's one session."""
    [device] = json.loads(done.stdout)["measurements"]
    first, second, *_ = device["session"]["measurements"]
    causes = {*first["disturbed"], *second["disturbed"]}
    return device["models"][0]["latency_ms"], device["ratios"][0], causes


@pytest.mark.parametrize("name", NETWORKS)
def test_beside_50_busy_programs_no_interval_is_stated_that_does_not_hold(name, measured):
    alone, _, _ = told_of(measured(name, "--json"))
    with busy(BUSY):
        sessions = [told_of(measured(name, "--json")) for _ in range(SESSIONS)]
        shown = measured(name)
    for latency, ratio, causes in sessions:
        print(name, latency["median_ms"], ratio, causes)
        assert ratio["low"] <= 1 <= ratio["high"] or causes
        centre = alone["median_ms"]
        assert latency["low_ms"] <= centre <= latency["high_ms"] or causes
    # What the kernel says of such a crowd is never nothing, and a user sees it without --json.
    assert all(any("for a processor" in cause for cause in causes) for *_, causes in sessions)
    assert "disturbed, waited" in shown.stderr
