"""The agent on this computer: the same program as on a board, without a cable."""

import contextlib
import hashlib
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import AgentError, DeadlinePassed, TransientDeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import Ended
from adadeep.devices import agent
from adadeep.devices.agent import AgentClient, RemoteModel
from adadeep.devices.agent_kinds.linux_python.kind import LinuxAgent
from adadeep.devices.agent_kinds.linux_python.package import agent_package
from adadeep.devices.local import LocalTransport
from adadeep.measure.layer_models import SingleLayer, dense, tflite_of
from adadeep_agent import wire
from fakes.tflite_models import endless

pytestmark = pytest.mark.agent_life
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def soon():
    return Deadline.after(60)


def start(transport):
    return AgentClient.start(LinuxAgent(transport, sys.executable), soon())


@pytest.fixture
def device(tmp_path):
    return LocalTransport(tmp_path / "work of ours")  # what needs quotes in a shell


def sent(client, model):
    path, digest = client.push_model(model, soon()), hashlib.sha256(model).hexdigest()
    return RemoteModel("m", path, digest)


def gone(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() == b""
    except (FileNotFoundError, ProcessLookupError):
        return True


@needs_proc
def test_when_closing_returns_the_agent_has_ended_and_the_models_are_gone(device, tmp_path):
    client = start(device)
    pid = client._watcher.pid
    remote = client.push_model(b"a model", soon())
    assert not gone(pid)
    client.close()
    assert gone(pid)
    with pytest.raises(Exception, match="No such file"):
        device.pull(remote, soon())


@pytest.mark.parametrize("harm", [bytes, lambda size: b"x" * (size - 1), lambda size: b""])
def test_a_damaged_package_is_pushed_again(device, harm):
    package = agent_package()
    remote = f"{device.workdir}/{package.name}"
    device.push(harm(len(package.data)), remote, soon())
    start(device).close()
    assert device.pull(remote, soon()) == package.data


@needs_proc
def test_an_agent_that_is_stopped_while_it_is_sent_much_is_found(device, monkeypatch):
    monkeypatch.setattr(agent, "_SEND_S", 0.5)
    client = start(device)
    pid = client._watcher.pid
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(TransientDeviceError, match="hung"):
        client.acknowledge(["x" * 1000] * 1000, soon())
    client.close()  # waits for the end of its output: what is killed is not gone at once
    assert gone(pid)


@needs_proc
@pytest.mark.parametrize("interrupt", [None, KeyboardInterrupt], ids=["once", "twice"])
def test_an_agent_whose_run_never_ends_is_killed_when_it_is_cancelled(
    device, monkeypatch, interrupt
):
    monkeypatch.setattr(agent, "_GOODBYE_S", 0.5)
    client = start(device)
    pid, model = client._watcher.pid, sent(client, endless())
    with pytest.raises(DeadlinePassed):
        client.measure("a-job", [model], MeasureSettings(), MeasuringPlan(), Deadline.after(1))
    if interrupt:
        monkeypatch.setattr(client, "_wait_for_end", lambda _: _raise(interrupt))
    with pytest.raises(interrupt) if interrupt else contextlib.nullcontext():
        client.close(cancel=True)
    assert gone(pid)


def _raise(error):
    raise error


LONG = MeasuringPlan(placements=1000, placement_ms=5, block_ms=1, max_ms=60_000)


def small():
    return tflite_of(SingleLayer(dense(64, 10)))


@needs_proc
def test_of_an_agent_that_is_killed_in_a_session_the_next_one_finds_and_leaves_nothing(device):
    client = start(device)
    part = Path(device.workdir) / "spool/5717d1e5-0.jsonl.part"

    def kill(_):
        assert part.read_bytes().count(b"\n") > 1
        os.kill(client._watcher.pid, signal.SIGKILL)

    with pytest.raises(TransientDeviceError):
        client.measure(
            "5717d1e5-0",
            [sent(client, small())],
            MeasureSettings(),
            LONG,
            soon(),
            on_progress=kill,
        )
    client.close()
    assert part.exists()
    again = start(device)
    assert (again.hello.spooled, again.spooled(soon())) == (0, ())
    assert again.fetch("5717d1e5-0", soon()) is None
    assert not part.exists()
    again.close()


@needs_proc
def test_a_session_whose_host_has_gone_is_finished_and_waits(device):
    client = start(device)
    pid = client._watcher.pid
    plan = replace(LONG, max_ms=1500)
    request = {
        "type": "measure", "id": 99, "job": "5717d1e5-0",
        "models": [sent(client, small()).message],
        "settings": {"threads": 1, "core_mask": None}, "plan": plan.message,
    }  # fmt: skip
    client._stream.write(wire.encode(request), soon())
    client._stream.read_line(soon())  # a first part
    client._stream.close()
    until = time.monotonic() + 60
    while not gone(pid):
        assert time.monotonic() < until
        time.sleep(0.05)
    again = start(device)
    found = again.fetch("5717d1e5-0", soon())
    assert found.ended is Ended.TIME
    assert len(found.placements[0]) == found.result.parts > 1
    again.close()


def test_a_session_that_is_cancelled_leaves_the_agent_ready(device):
    client = start(device)
    client._stream.write(b'{"id":5,"type":"cancel"}\n', soon())
    assert client._stream.read_line(soon()) == b'{"id":5,"type":"done"}'
    told = []

    def cancel(progress):
        told.append(progress)
        client._stream.write(b'{"id":6,"type":"cancel"}\n', soon())

    model = sent(client, small())
    with pytest.raises(AgentError) as caught:
        client.measure("j", [model], MeasureSettings(), LONG, soon(), on_progress=cancel)
    assert caught.value.code == "cancelled"
    assert told[0].elapsed_ms >= 2000
    assert client._stream.read_line(soon()) == b'{"id":6,"type":"done"}'
    assert client.spooled(soon()) == ()
    client.close()
