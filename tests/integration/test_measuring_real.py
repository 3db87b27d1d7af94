"""What is said of bad moments, with real agents: cold caches, sleep, clocks that jump, no room."""

import hashlib
import json
import os
import subprocess
import sys

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import AgentError
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.devices.agent import AgentClient
from adadeep.devices.local import LocalTransport
from adadeep.measure.layer_models import SingleLayer, conv, dense, tflite_of
from adadeep.measure.session import open_meter
from fakes.changed_agents import JUMPING, SLEEPING, SLOWER, python_path

QUICK = MeasuringPlan(
    placements=3, least_placements=3, placement_ms=10, block_ms=2, warmup_ms=1, max_ms=500
)
CACHED = tflite_of(SingleLayer(conv(14, 32, 32, 3)))  # 37 kB of weights
OTHER = tflite_of(SingleLayer(conv(14, 32, 40, 3)))
BIG = tflite_of(SingleLayer(dense(3136, 1024)))  # 13 MB


def environment(changes=None):
    path = os.pathsep.join([*filter(None, [changes]), *filter(None, sys.path)])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}


@pytest.fixture
def adadeep(tmp_path, monkeypatch):
    """Runs a command as a user does; models are files by their name."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def call(*words, changes=None, timeout=300):
        files = {"cached": CACHED, "other": OTHER, "big": BIG}
        for name in set(words) & set(files):
            (tmp_path / f"{name}.tflite").write_bytes(files[name])
        argv = [str(tmp_path / f"{w}.tflite") if w in files else str(w) for w in words]
        return subprocess.run(
            [sys.executable, "-m", "adadeep", *argv], capture_output=True, text=True,
            timeout=timeout, check=False, env=environment(changes),
        )  # fmt: skip

    return call


@pytest.fixture
def here(tmp_path, monkeypatch):
    """This computer with an agent that is changed, and what that agent refused."""
    refused = []
    real = AgentClient.measure

    def noted(self, *arguments, **options):
        try:
            return real(self, *arguments, **options)
        except AgentError as error:
            refused.append(error.code)
            raise

    monkeypatch.setattr(AgentClient, "measure", noted)

    def meter(change, **names):
        head = python_path(tmp_path / "changes", change, **names)
        monkeypatch.setenv("PYTHONPATH", environment(head)["PYTHONPATH"])
        return open_meter(LocalTransport(tmp_path / "work"), Deadline.after(60))

    return meter, refused


def fails(done, code):
    """The one sentence of a failure: no number, no traceback."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert " ms" not in done.stdout
    [message] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return message


# ---- cold caches


def test_a_cold_run_of_a_network_within_the_cache_takes_longer_and_is_shown(adadeep):
    done = adadeep("measure", "cached", "-d", "local", "--max-seconds", "1", "--cold", "--json")
    assert done.returncode == 0, done.stderr
    [device] = json.loads(done.stdout)["measurements"]
    [told] = device["models"]
    runs = [ns for placed in device["session"]["measurements"][0]["placements"]
            for ns in placed["cold_ns"]]  # fmt: skip
    assert len(runs) >= 8
    assert told["cold_ms"] > told["latency_ms"]["median_ms"]
    shown = adadeep("measure", "cached", "-d", "local", "--max-seconds", "0.3", "--cold")
    [row] = [line for line in shown.stdout.splitlines() if "run with cold caches" in line]
    assert "times a warm one" in row


@pytest.mark.tf
def test_a_demand_of_cold_runs_is_judged_by_cold_runs(adadeep, tmp_path):
    done = adadeep("search", "digits", "-d", "local", "--episodes", 1, "-o", tmp_path / "run",
                   "--max-latency", "cold=500ms", "--json")  # fmt: skip
    assert done.returncode in (0, 4), done.stderr
    lines = (tmp_path / "run" / "journal.jsonl").read_text().splitlines()
    sessions = [r for r in map(json.loads, lines) if r["kind"] == "measured"]
    for session in sessions:
        for measured in session["measurements"]:
            assert all(placed["cold_ns"] for placed in measured["placements"])
    [target] = json.loads(done.stdout)["targets"]
    cost = target["best"]["cost"]["latency_ms"]
    assert (cost["statistic"], cost["provenance"]) == ("cold", "measured")
    assert target["best"]["verdicts"]["latency_ms"]["state"] == "met"


# ---- the device sleeps, its clock jumps


def test_a_session_in_which_the_device_slept_is_thrown_away_and_made_again(here):
    meter, refused = here
    with meter(SLEEPING) as opened:
        session = opened.measure([CACHED, OTHER], QUICK)
    assert refused == ["slept"]
    assert len(session.measurements[0].placements) == 3


def test_a_session_in_which_the_clock_jumped_is_thrown_away_and_made_again(here):
    meter, refused = here
    with meter(JUMPING, EVER=False) as opened:
        session = opened.measure([CACHED, OTHER], QUICK)
    assert refused == ["clock_jumped"]
    assert all(ms > 0 for one in session.measurements for ms in one.runs_ms)


def test_a_clock_that_is_of_no_use_is_said_and_no_number_is(adadeep, tmp_path):
    changes = python_path(tmp_path / "changes", JUMPING, EVER=True)
    done = adadeep("measure", "cached", "-d", "local", "--max-seconds", "0.3", changes=changes)
    assert "clock is of no use" in fails(done, 3)


# ---- models that are no good


def test_a_model_that_gets_slower_with_each_run_is_said_to_beside_its_ratio(adadeep, tmp_path):
    changes = python_path(tmp_path / "changes", SLOWER, SIZE=len(OTHER), MORE_NS=10_000)
    words = ("measure", "cached", "other", "-d", "local", "--max-seconds", "2", "--launches", "1")
    shown = adadeep(*words, changes=changes)
    assert shown.returncode == 0, shown.stderr
    warnings = [line for line in shown.stderr.splitlines() if "disturbed" in line]
    assert any("other" in line and "slower while it was measured" in line for line in warnings)
    alone = adadeep("measure", "other", "-d", "local", "--max-seconds", "2", changes=changes)
    assert "slower while it was measured" in alone.stdout
    told = adadeep(*words, "--json", changes=changes)
    [device] = json.loads(told.stdout)["measurements"]
    first, second, *_ = device["session"]["measurements"]
    assert not any("slower while" in cause for cause in first["disturbed"])
    assert any("slower while" in cause for cause in second["disturbed"])


def small_memory(folder, available_kb):
    """An overlay of a device that has so much free memory."""
    lines = ["MemTotal:        4000000 kB", "MemFree:          900000 kB",
             f"MemAvailable:   {available_kb:8d} kB"]  # fmt: skip
    (folder / "proc").mkdir(parents=True)
    (folder / "proc" / "meminfo").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.lab
def test_models_too_large_to_be_held_together_are_named_and_one_alone_is_measured(
    lab_phone, adadeep, tmp_path
):
    overlay = small_memory(tmp_path / "root", 60_000)  # 3 times 13 MB and the reference fit
    device = lab_phone(python=True, overlay=overlay)
    words = ("-d", device.serial, "--max-seconds", "0.3", "--launches", "1")
    (tmp_path / "big2.tflite").write_bytes(BIG + bytes(16))
    both = adadeep("measure", "big", tmp_path / "big2.tflite", *words)
    message = fails(both, 3)
    assert "not enough memory to hold the models at once" in message
    assert "61 MB are free" in message
    alone = adadeep("measure", "big", *words)
    assert alone.returncode == 0, alone.stderr


@pytest.mark.lab
@pytest.mark.tf
@pytest.mark.slow
def test_where_the_initial_network_has_no_room_a_reference_is_the_unit(
    lab_phone, adadeep, tmp_path
):
    folder = tmp_path / "run"
    made = adadeep("search", "digits", "-d", "local", "--episodes", 1, "-o", tmp_path / "first")
    assert made.returncode in (0, 4), made.stderr
    size = (tmp_path / "first" / "initial.tflite").stat().st_size
    device = lab_phone(python=True, overlay=small_memory(tmp_path / "root", 3 * size // 1024))
    words = ("search", "digits", "-d", device.serial, "-o", folder, "--episodes", 3)
    refused = adadeep(*words)
    assert "give --max-latency" in fails(refused, 2)
    done = adadeep(*words, "--max-latency", "50ms", "--json")
    assert done.returncode in (0, 4), done.stderr
    records = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    units = [record for record in records if record["kind"] == "unit"]  # each command measures it
    initial = hashlib.sha256((folder / "initial.tflite").read_bytes()).hexdigest()
    assert all(unit["model_sha256"] != initial for unit in units)
    assert not any(unit["latency"]["is_initial"] for unit in units)
    assert "not enough memory" in units[0]["reason"]
    document = json.loads(done.stdout)
    [baseline] = [t for t in document["trials"] if t["model_sha256"] == initial]
    [on] = baseline["on"].values()
    assert on["cost"]["latency_ms"]["provenance"] == "unavailable"
    [target] = document["targets"]
    assert target["unit"]["is_initial"] is False
    assert target["best"]["cost"]["latency_ms"]["provenance"] == "measured"
