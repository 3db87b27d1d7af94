"""The agent on this computer: the same program as on a board, without a cable."""

import contextlib
import os
import signal
import sys
from pathlib import Path

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import DeadlinePassed, TransientDeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.devices import agent
from adadeep.devices.agent import AgentClient, RemoteModel
from adadeep.devices.agent_kinds.linux_python.kind import LinuxAgent
from adadeep.devices.agent_kinds.linux_python.package import agent_package
from adadeep.devices.local import LocalTransport
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
    pid, model = client._watcher.pid, RemoteModel("a job", client.push_model(endless(), soon()))
    with pytest.raises(DeadlinePassed):
        client.measure([model], MeasureSettings(), Deadline.after(1))
    if interrupt:
        monkeypatch.setattr(client, "_wait_for_end", lambda _: _raise(interrupt))
    with pytest.raises(interrupt) if interrupt else contextlib.nullcontext():
        client.close(cancel=True)
    assert gone(pid)


def _raise(error):
    raise error
