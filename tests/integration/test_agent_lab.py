"""The agent over a real adbd: warm, killed, cut off, out of space."""

import contextlib
import hashlib
import threading
from dataclasses import replace

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
from adadeep.core.measurement import job_name
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.noise import PRIOR
from adadeep.core.session import session_id
from adadeep.devices.agent import AgentClient, RemoteModel
from adadeep.devices.agent_kinds.linux_python.kind import LinuxAgent
from adadeep.devices.agent_kinds.linux_python.package import agent_package
from adadeep.devices.agent_watch import Watch
from adadeep.devices.discovery import make_transport
from adadeep.devices.facts import gather_facts
from adadeep.devices.local import LocalTransport
from adadeep.devices.parse.scheduling import SCHEDULING_PATHS, scheduling_of
from adadeep.measure.layer_graphs import GRAPHS
from adadeep.measure.layer_models import SingleLayer, conv, dense, tflite_of
from adadeep.measure.meter import DeviceMeter, ModelJob
from adadeep.measure.session import MeterOptions, open_meter
from adadeep_agent import wire
from fakes.lab_agents import agent_pids, timed_s, until

pytestmark = [pytest.mark.lab, pytest.mark.agent_life]

STUDY = "5717d1e5"
SETTINGS = MeasureSettings()
QUICK = MeasuringPlan(
    placements=2, least_placements=2, placement_ms=10, block_ms=2, warmup_ms=1, max_ms=200
)
SLOW = MeasuringPlan(placements=1, least_placements=1, placement_ms=1500, max_ms=4000)
LONG = MeasuringPlan(placements=1, least_placements=1, placement_ms=4000, max_ms=8000)
ENDLESS = MeasuringPlan(placements=1, least_placements=1, placement_ms=60_000, max_ms=120_000)
SMALL = tflite_of(SingleLayer(dense(64, 64)))
STEADY = tflite_of(SingleLayer(conv(28, 64, 64, 3)))  # slow enough that few samples fill a job


def soon():
    return Deadline.after(60)


def start(transport, deadline=None, watch=None):
    return AgentClient.start(LinuxAgent(transport, "python3"), deadline or soon(), watch)


def measured(client, model, job, plan, deadline, path=None):
    """A session of one model, asked of an agent without a meter."""
    path = path or client.push_model(model, soon())
    remote = RemoteModel("m", path, hashlib.sha256(model).hexdigest())
    return client.measure(job, [remote], SETTINGS, plan, deadline, read=SCHEDULING_PATHS)


@pytest.fixture
def box(lab_box):
    transport = make_transport(lab_box.serial)
    transport.run(f"rm -f {transport.workdir}/spool/*", soon())  # of tests before
    yield transport
    assert agent_pids(transport) == []


def test_one_agent_serves_many_models_and_leaves_no_model_behind(box):
    models = [tflite_of(SingleLayer(conv(8, 3, 4, k), p)) for k in (1, 3) for p in GRAPHS]
    with open_meter(box, soon()) as meter:
        first = agent_pids(box)
        sessions = [meter.measure([model], QUICK) for model in models]
        assert agent_pids(box) == first
        assert len(first) == 1
        together = meter.measure(models, QUICK)
        assert agent_pids(box) == first
    measurements = [session.measurements[0] for session in sessions]
    for model, measurement in zip(
        models * 2, (*measurements, *together.measurements), strict=True
    ):
        assert measurement.model_sha256 == hashlib.sha256(model).hexdigest()
        assert measurement.latency_ms > 0
        assert measurement.delegates[0].name == "XNNPACK"
    folders = f"{box.workdir}/models {box.workdir}/spool"
    assert box.run(f"find {folders} -type f", soon()).text == ""


def test_a_second_session_does_not_push_the_agent_again(box):
    for _ in range(2):
        with open_meter(box, soon()) as meter:
            meter.measure([SMALL], QUICK)
    assert box.run(f"ls {box.workdir} | grep -c agent-", soon()).text.strip() == "1"


def test_outputs_on_the_device_are_those_of_this_computer(box):
    samples = [[np.random.default_rng(n).random((1, 64), "f4")] for n in range(3)]
    with (
        open_meter(box, soon()) as there,
        open_meter(make_transport("local"), soon()) as here,
    ):
        [a], [b] = (
            meter.session([ModelJob(SMALL, samples)], QUICK).outputs for meter in (there, here)
        )
    for left, right in zip(a, b, strict=True):
        np.testing.assert_allclose(left[0], right[0], atol=1e-6)
    assert not np.allclose(a[0][0], a[1][0])


def test_a_corrupt_model_is_refused_and_the_session_goes_on(box):
    with open_meter(box, soon()) as meter:
        with pytest.raises(AgentError, match="not a valid Flatbuffer") as caught:
            meter.measure([SMALL[:2000]], QUICK)
        assert (caught.value.code, caught.value.exit_code) == ("model_corrupt", 2)
        assert meter.measure([SMALL], QUICK).measurements[0].latency_ms > 0


def test_an_agent_killed_in_the_middle_of_a_job_is_replaced_and_the_job_done(box):
    with open_meter(box, soon()) as meter:
        victim = agent_pids(box)
        killer = threading.Timer(0.6, lambda: box.run(f"kill -9 {' '.join(victim)}", soon()))
        killer.start()
        session = meter.measure([STEADY], SLOW)
        killer.join()
        assert timed_s(session) > 1.4
        assert agent_pids(box) != victim


def test_a_model_that_ends_the_agent_every_time_is_given_up_and_named(box):
    with open_meter(box, soon()) as meter:
        over = threading.Event()

        def kill_all():
            while not over.wait(0.2):
                for pid in agent_pids(box):
                    box.run(f"kill -9 {pid}", soon())

        killer = threading.Thread(target=kill_all)
        killer.start()
        try:
            with pytest.raises((AgentError, TransientDeviceError), match=r"agent|ended"):
                meter.measure([STEADY], SLOW)
        finally:
            over.set()
            killer.join()


def test_what_a_killed_host_had_measured_waits_on_the_device_for_the_next_one(box):
    sha256 = hashlib.sha256(STEADY).hexdigest()
    facts = gather_facts(box, soon())[0]
    client = start(box)
    where = scheduling_of(client.read(SCHEDULING_PATHS, soon()).texts)
    target = client.agent.target(facts.fingerprint, facts.title, SETTINGS, scheduling=where)
    name = session_id([sha256], SLOW, target.key)
    job = job_name(STUDY, name)
    remote = client.push_model(STEADY, soon())
    cut = threading.Timer(0.5, client._stream.close)  # as when the host is killed
    cut.start()
    with pytest.raises((TransientDeviceError, OSError, ValueError)):
        measured(client, STEADY, job, SLOW, Deadline.after(1.0), remote)
    cut.join()
    assert until(lambda: job in box.run(f"ls {box.workdir}/spool", soon()).text)
    with open_meter(box, soon()) as meter:  # another study
        assert meter.recovered == ()
    with open_meter(box, soon(), None, MeterOptions(study=STUDY)) as meter:
        [found] = meter.recovered
        assert (found.id, found.measurements[0].model_sha256) == (name, sha256)
        assert timed_s(found) > 1.4
        meter.acknowledge([name])
    assert box.run(f"ls {box.workdir}/spool", soon()).text == ""


def test_an_agent_that_never_got_the_device_leaves_the_models_of_the_one_that_has_it(box):
    holder = start(box)
    remote = holder.push_model(SMALL, soon())
    package = f"{box.workdir}/{agent_package().name}"
    box.run(f"python3 {package} serve {box.workdir} </dev/null", soon())
    found = measured(holder, SMALL, "still-there", QUICK, soon(), remote)
    assert found.models[0].model_bytes == len(SMALL)
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
    with pytest.raises(TransientDeviceError):
        measured(client, STEADY, "endless", ENDLESS, Deadline.after(0.5), remote)
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
    with open_meter(device, soon()) as meter:
        assert meter.measure([SMALL], QUICK).measurements[0].latency_ms > 0
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

    return DeviceMeter(gather_facts(device, soon())[0], connect, SETTINGS, STUDY, PRIOR)


def test_a_stopped_agent_of_ours_is_ended_and_its_job_done_by_another(box):
    told = []
    meter = impatient_meter(box, told)
    victim = agent_pids(box)
    stopper = threading.Timer(0.8, lambda: box.run(f"kill -STOP {victim[0]}", soon()))
    stopper.start()
    session = meter.measure([STEADY], SLOW)
    stopper.join()
    assert timed_s(session) > 1.4
    assert victim[0] not in agent_pids(box)
    assert any("waiting for the agent's answer" in text for text in told)
    meter.close()


def test_an_agent_that_computes_is_not_taken_for_one_that_hangs_and_one_that_idles_is(box):
    told = []
    watch = hasty(told, hung_s=1.0)
    client = start(box, watch=watch)
    assert measured(client, STEADY, "long", LONG, soon()).placements  # 4 s, four times hung_s
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
    settings = MeasureSettings(core_mask="f00000")
    with open_meter(box, soon()) as meter:
        meter.settings = settings
        with pytest.raises(AgentError) as caught:
            meter.measure([SMALL], QUICK)
    assert caught.value.code == "bad_core_mask"


def test_a_full_device_is_named_and_nothing_of_the_model_stays(lab_phone):
    transport = make_transport(lab_phone(python=True, data_mb=8).serial)
    big = tflite_of(SingleLayer(dense(3136, 1024)))
    with open_meter(transport, soon()) as meter:
        with pytest.raises(StableDeviceError, match="No space left"):
            meter.measure([big], QUICK)
        free = f"df -k {transport.workdir} | awk 'END {{ print $4 }}'"  # after the cut transfer
        assert until(lambda: int(transport.run(free, soon()).text) > 1000)
        assert meter.measure([SMALL], QUICK).measurements[0].latency_ms > 0


def test_a_device_without_python_is_told_so(lab_phone):
    transport = make_transport(lab_phone().serial)
    with pytest.raises(NoAgentError, match="no Python"), open_meter(transport, soon()):
        pass


def test_a_cut_connection_is_mended_and_the_result_fetched_from_the_spool(lab_phone, monkeypatch):
    asked, fetched = [], []
    measure, fetch = AgentClient.measure, AgentClient.fetch

    def asking(self, job, *arguments, **options):
        asked.append(job)
        return measure(self, job, *arguments, **options)

    def fetching(self, job, *arguments):
        fetched.append(fetch(self, job, *arguments))
        return fetched[-1]

    monkeypatch.setattr(AgentClient, "measure", asking)
    monkeypatch.setattr(AgentClient, "fetch", fetching)
    device = lab_phone(python=True)
    transport = make_transport(device.serial)
    with open_meter(transport, soon()) as meter:
        first = meter.measure([STEADY], SLOW)
        cut = threading.Timer(0.6, device.disconnect)
        cut.start()
        again = meter.measure([STEADY], replace(SLOW, seed=1))
        cut.join()
    assert timed_s(again) > 1.4
    assert again.id != first.id
    [found] = fetched
    assert found is not None  # the agent went on alone
    assert len(asked) == len(set(asked)) == 2  # and nothing was measured twice
    assert [p.blocks for p in again.measurements[0].placements] == [
        p.blocks for p in found.together("f" * 16, "box").measurements[0].placements
    ]


def test_a_device_that_does_not_come_back_is_given_up_after_a_while(lab_phone, monkeypatch):
    monkeypatch.setattr("adadeep.measure.link._REPLUG_S", 1.0)
    device = lab_phone(python=True)
    with contextlib.ExitStack() as stack:
        # Long enough for the device to be stopped meanwhile, on however busy a computer.
        meter = stack.enter_context(open_meter(make_transport(device.serial), soon()))
        threading.Timer(0.6, device.stop).start()
        with pytest.raises(TransientDeviceError, match="did not come back"):
            meter.measure([STEADY], ENDLESS)
