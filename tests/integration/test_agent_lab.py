"""The agent over a real adbd: warm, killed, cut off, out of space."""

import contextlib
import hashlib
import threading
import time

import numpy as np
import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import (
    AgentError,
    NoAgentError,
    StableDeviceError,
    TransientDeviceError,
)
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import measurement_key
from adadeep.devices.agent import AgentClient, RemoteModel
from adadeep.devices.agent_kinds.linux_python.kind import LinuxAgent
from adadeep.devices.agent_kinds.linux_python.package import agent_package
from adadeep.devices.agent_watch import Watch
from adadeep.devices.discovery import make_transport
from adadeep.devices.facts import gather_facts
from adadeep.devices.local import LocalTransport
from adadeep.measure.layer_graphs import GRAPHS
from adadeep.measure.layer_models import SingleLayer, conv, dense, tflite_of
from adadeep.measure.meter import DeviceMeter, ModelJob
from adadeep.measure.session import MeterOptions, open_meter
from adadeep_agent import wire

pytestmark = [pytest.mark.lab, pytest.mark.agent_life]

STUDY = "5717d1e5"
QUICK = MeasureSettings(warmup_min_ms=1, min_runs=10, min_ms=2, max_ms=200, max_runs=100)
SLOW = MeasureSettings(launches=1, min_runs=1, min_ms=1500, max_ms=1500, max_runs=10**6)
ENDLESS = MeasureSettings(launches=1, min_runs=1, min_ms=60_000, max_ms=60_000, max_runs=10**6)
SMALL = tflite_of(SingleLayer(dense(64, 64)))
STEADY = tflite_of(SingleLayer(conv(28, 64, 64, 3)))  # slow enough that few samples fill a job


def soon():
    return Deadline.after(60)


def start(transport, deadline=None, watch=None):
    return AgentClient.start(LinuxAgent(transport, "python3"), deadline or soon(), watch)


def measured(client, remote, job, settings, deadline):
    [result] = client.measure([RemoteModel(job, remote)], settings, deadline)
    return result


def agent_pids(transport):
    """Processes of the agent on a device; the pattern does not match the command that has it."""
    script = (
        "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null"
        " | grep -q '[p]yz serve' && echo ${p#/proc/}; done; true"
    )
    return transport.run(script, soon()).text.split()


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def box(lab_box):
    transport = make_transport(lab_box.serial)
    transport.run(f"rm -f {transport.workdir}/spool/*", soon())  # of tests before
    yield transport
    assert agent_pids(transport) == []


def test_one_agent_serves_many_models_and_leaves_no_model_behind(box):
    models = [tflite_of(SingleLayer(conv(8, 3, 4, k), p)) for k in (1, 3) for p in GRAPHS]
    with open_meter(box, soon(), QUICK) as meter:
        first = agent_pids(box)
        measurements = [meter.measure([model])[0] for model in models]
        assert agent_pids(box) == first
        assert len(first) == 1
    for model, measurement in zip(models, measurements, strict=True):
        assert measurement.model_sha256 == hashlib.sha256(model).hexdigest()
        assert measurement.latency_ms > 0
        assert measurement.delegates[0].name == "XNNPACK"
        assert measurement.anchor_ratio
    folders = f"{box.workdir}/models {box.workdir}/spool"
    assert box.run(f"find {folders} -type f", soon()).text == ""


def test_a_second_session_does_not_push_the_agent_again(box):
    for _ in range(2):
        with open_meter(box, soon(), QUICK) as meter:
            meter.measure([SMALL])[0]
    assert box.run(f"ls {box.workdir} | grep -c agent-", soon()).text.strip() == "1"


def test_outputs_on_the_device_are_those_of_this_computer(box):
    samples = [[np.random.default_rng(n).random((1, 64), "f4")] for n in range(3)]
    with (
        open_meter(box, soon(), QUICK) as there,
        open_meter(make_transport("local"), soon(), QUICK) as here,
    ):
        [a, b] = [
            measured.outputs
            for meter in (there, here)
            for measured in meter.measure_jobs([ModelJob(SMALL, samples)])
        ]
    for left, right in zip(a, b, strict=True):
        np.testing.assert_allclose(left[0], right[0], atol=1e-6)
    assert not np.allclose(a[0][0], a[1][0])


def test_a_corrupt_model_is_refused_and_the_session_goes_on(box):
    with open_meter(box, soon(), QUICK) as meter:
        with pytest.raises(AgentError, match="not a valid Flatbuffer") as caught:
            meter.measure([SMALL[:2000]])[0]
        assert (caught.value.code, caught.value.exit_code) == ("model_corrupt", 2)
        assert meter.measure([SMALL])[0].latency_ms > 0


def test_an_agent_killed_in_the_middle_of_a_job_is_replaced_and_the_job_done(box):
    with open_meter(box, soon(), SLOW) as meter:
        victim = agent_pids(box)
        killer = threading.Timer(0.6, lambda: box.run(f"kill -9 {' '.join(victim)}", soon()))
        killer.start()
        measurement = meter.measure([STEADY])[0]
        killer.join()
        assert sum(measurement.launches[0].runs_ns) > 1.4e9
        assert agent_pids(box) != victim


def test_a_model_that_ends_the_agent_every_time_is_given_up_and_named(box):
    with open_meter(box, soon(), SLOW) as meter:
        over = threading.Event()

        def kill_all():
            while not over.wait(0.2):
                for pid in agent_pids(box):
                    box.run(f"kill -9 {pid}", soon())

        killer = threading.Thread(target=kill_all)
        killer.start()
        try:
            with pytest.raises((AgentError, TransientDeviceError), match=r"agent|ended"):
                meter.measure([STEADY])[0]
        finally:
            over.set()
            killer.join()


def test_what_a_killed_host_had_measured_waits_on_the_device_for_the_next_one(box):
    sha256 = hashlib.sha256(STEADY).hexdigest()
    facts = gather_facts(box, soon())[0]
    client = start(box)
    key = measurement_key(sha256, client.agent.target(facts.fingerprint, facts.title, SLOW))
    job = f"{STUDY}-{key}"
    remote = client.push_model(STEADY, soon())
    cut = threading.Timer(0.5, client._stream.close)  # as when the host is killed
    cut.start()
    with pytest.raises((TransientDeviceError, OSError, ValueError)):
        measured(client, remote, job, SLOW, Deadline.after(1.0))
    cut.join()
    assert until(lambda: job in box.run(f"ls {box.workdir}/spool", soon()).text)
    with open_meter(box, soon(), SLOW) as meter:  # another study
        assert meter.recovered == ()
    with open_meter(box, soon(), SLOW, MeterOptions(study=STUDY)) as meter:
        [found] = meter.recovered
        assert found.model_sha256 == sha256
        assert sum(found.launches[0].runs_ns) > 1.4e9
        meter.acknowledge([key])
    assert box.run(f"ls {box.workdir}/spool", soon()).text == ""


def test_an_agent_that_never_got_the_device_leaves_the_models_of_the_one_that_has_it(box):
    holder = start(box)
    remote = holder.push_model(SMALL, soon())
    package = f"{box.workdir}/{agent_package().name}"
    box.run(f"python3 {package} serve {box.workdir} </dev/null", soon())
    assert measured(holder, remote, "still-there", QUICK, soon()).model_bytes == len(SMALL)
    holder.acknowledge(["still-there"], soon())
    holder.close()


def test_two_agents_never_measure_at_once(box):
    first = start(box)
    try:
        with pytest.raises(TransientDeviceError, match="another agent is measuring"):
            start(box, Deadline.after(2))
    finally:
        first.close()
    assert agent_pids(box) == []
    start(box).close()


def test_a_cancelled_job_ends_the_agent_soon(box):
    client = start(box)
    remote = client.push_model(STEADY, soon())
    endless = MeasureSettings(min_ms=60000, max_ms=60000, max_runs=10**7)
    with pytest.raises(TransientDeviceError):
        measured(client, remote, "endless", endless, Deadline.after(0.5))
    client.close(cancel=True)
    assert agent_pids(box) == []


@pytest.mark.parametrize(
    "harm", [lambda data: bytes(len(data)), lambda data: data[:-1], lambda data: b""]
)
@pytest.mark.parametrize("where", ["box", "local"])
def test_a_damaged_agent_package_is_replaced(where, harm, request, tmp_path):
    device = request.getfixturevalue("box") if where == "box" else LocalTransport(tmp_path)
    package = agent_package()
    remote = f"{device.workdir}/{package.name}"
    device.push(harm(package.data), remote, soon())
    with open_meter(device, soon(), QUICK) as meter:
        assert meter.measure([SMALL])[0].latency_ms > 0
    assert device.pull(remote, soon()) == package.data


def test_what_a_killed_agent_left_is_removed_by_the_next(box):
    left = [f"{box.workdir}/{name}" for name in
            ("models/a.tflite", "spool/b.json.part", "deployed/c.tflite.new")]  # fmt: skip
    for path in left:
        box.push(b"half", path, soon())
    box.push(b"whole", f"{box.workdir}/deployed/d.tflite", soon())
    start(box).close()
    assert box.run(f"ls {' '.join(left)}", soon()).stdout == b""
    assert box.pull(f"{box.workdir}/deployed/d.tflite", soon()) == b"whole"
    box.run(f"rm {box.workdir}/deployed/d.tflite", soon())


def hasty(told, **patience):
    return Watch(told.append, first_note_s=0.3, next_note_s=0.3, next_look_s=0.2, **patience)


def impatient_meter(device, told):
    def connect():
        return start(device, watch=hasty(told))

    return DeviceMeter(gather_facts(device, soon())[0], connect, SLOW, STUDY)


def test_a_stopped_agent_of_ours_is_ended_and_its_job_done_by_another(box):
    told = []
    meter = impatient_meter(box, told)
    victim = agent_pids(box)
    stopper = threading.Timer(0.8, lambda: box.run(f"kill -STOP {victim[0]}", soon()))
    stopper.start()
    measurement = meter.measure([STEADY])[0]
    stopper.join()
    assert sum(measurement.launches[0].runs_ns) > 1.4e9
    assert victim[0] not in agent_pids(box)
    assert any("waiting for the agent's answer" in text for text in told)
    meter.close()


def test_an_agent_that_computes_is_not_taken_for_one_that_hangs_and_one_that_idles_is(box):
    told = []
    watch = hasty(told, hung_s=1.0)
    client = start(box, watch=watch)
    remote = client.push_model(STEADY, soon())
    long = MeasureSettings(launches=1, min_runs=1, min_ms=4000, max_ms=4000, max_runs=10**6)
    assert measured(client, remote, "long", long, soon()).launches  # 4 s, four times hung_s
    client.acknowledge(["long"], soon())
    with pytest.raises(TransientDeviceError, match="used no processor time"):
        client._watcher.read_line(soon(), "what it was not asked for")
    assert until(lambda: not agent_pids(box))
    client.close()


def test_while_another_agent_keeps_the_device_busy_the_user_is_told(box):
    told = []
    first = start(box)
    [pid] = agent_pids(box)
    try:
        with pytest.raises(TransientDeviceError, match=rf"process {pid}\).*--clean --force"):
            start(box, Deadline.after(6), hasty(told))
    finally:
        first.close()
    assert f"another agent keeps the device busy (process {pid})" in told[0]
    assert len(told) > 1


def test_an_agent_whose_host_has_gone_does_not_wait_for_the_device(box):
    first = start(box)
    [pid] = agent_pids(box)
    second = LinuxAgent(box, "python3").open(soon())
    hello = {"type": "hello", "protocol": wire.PROTOCOL, "version": wire.VERSION, "wait_ms": 60000}
    second.write(wire.encode(hello), soon())
    assert until(lambda: len(agent_pids(box)) == 2)
    second.close()
    assert until(lambda: agent_pids(box) == [pid])
    first.close()


def test_a_core_mask_beyond_the_device_is_refused(box):
    settings = MeasureSettings(core_mask="f00000", max_ms=100)
    with open_meter(box, soon(), QUICK) as meter:
        meter.settings = settings
        with pytest.raises(AgentError) as caught:
            meter.measure([SMALL])[0]
    assert caught.value.code == "bad_core_mask"


def test_a_full_device_is_named_and_nothing_of_the_model_stays(lab_phone):
    transport = make_transport(lab_phone(python=True, data_mb=8).serial)
    big = tflite_of(SingleLayer(dense(3136, 1024)))
    with open_meter(transport, soon(), QUICK) as meter:
        with pytest.raises(StableDeviceError, match="No space left"):
            meter.measure([big])[0]
        free = f"df -k {transport.workdir} | awk 'END {{ print $4 }}'"  # after the cut transfer
        assert until(lambda: int(transport.run(free, soon()).text) > 1000)
        assert meter.measure([SMALL])[0].latency_ms > 0


def test_a_device_without_python_is_told_so(lab_phone):
    transport = make_transport(lab_phone().serial)
    with pytest.raises(NoAgentError, match="no Python"), open_meter(transport, soon(), QUICK):
        pass


def test_a_cut_connection_is_mended_and_the_result_fetched_from_the_spool(lab_phone):
    device = lab_phone(python=True)
    transport = make_transport(device.serial)
    with open_meter(transport, soon(), SLOW) as meter:
        meter.measure([STEADY])[0]
        cut = threading.Timer(0.6, device.disconnect)
        cut.start()
        again = meter.measure([STEADY])[0]
        cut.join()
    assert sum(again.launches[0].runs_ns) > 1.4e9


def test_a_device_that_does_not_come_back_is_given_up_after_a_while(lab_phone, monkeypatch):
    monkeypatch.setattr("adadeep.measure.meter._REPLUG_S", 1.0)
    device = lab_phone(python=True)
    with contextlib.ExitStack() as stack:
        # Long enough for the device to be stopped meanwhile, on however busy a computer.
        meter = stack.enter_context(open_meter(make_transport(device.serial), soon(), ENDLESS))
        threading.Timer(0.6, device.stop).start()
        with pytest.raises(TransientDeviceError, match="did not come back"):
            meter.measure([STEADY])
