"""The very dex that `make android` built, with Android's own library, over a real adbd.

A JVM stands in for ART: tests/lab/android/README.md says what is real.
"""

import contextlib
import dataclasses
import hashlib
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from adadeep.core.agent_kind import Preparing
from adadeep.core.clock import Deadline
from adadeep.core.errors import (
    AgentError,
    ConfigError,
    NoAgentError,
    StableDeviceError,
    TransientDeviceError,
)
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.devices.agent import AgentClient
from adadeep.devices.agent_kinds.android_java.built import built, built_folder
from adadeep.devices.agent_kinds.android_java.kind import ANDROID_JAVA
from adadeep.devices.discovery import make_transport
from adadeep.devices.facts import gather_facts
from adadeep.measure.layer_models import SingleLayer, conv, dense, tflite_of
from adadeep.measure.meter import ModelJob
from adadeep.measure.session import MeterOptions, open_meter
from adadeep.testing.agent_kinds import AgentKindKit
from conftest import require_android
from fakes import lab_agents
from fakes.android import CALLS, aar, elf
from fakes.lab_agents import timed_s, until
from hostile.test_damaged_models import DEADLY

pytestmark = [pytest.mark.lab, pytest.mark.agent_life]

SETTINGS = MeasureSettings()
QUICK = MeasuringPlan(
    placements=2, least_placements=2, placement_ms=10, block_ms=2, warmup_ms=1, max_ms=200
)
SLOW = MeasuringPlan(placements=1, least_placements=1, placement_ms=1500, max_ms=4000)
SMALL = tflite_of(SingleLayer(dense(64, 64)))
STEADY = tflite_of(SingleLayer(conv(28, 64, 64, 3)))
LIBRARIES = "/apex/com.android.art/lib64"  # of the phone's C library


def soon(seconds=60):
    return Deadline.after(seconds)


def agent_pids(transport):
    return lab_agents.agent_pids(transport, lab_agents.JAVA)


def prepared(transport, **preparing):
    return ANDROID_JAVA.prepare(transport, soon(), Preparing(**preparing))


@pytest.fixture
def phone(lab_android):
    transport = make_transport(lab_android.serial)
    transport.run(f"rm -f {transport.workdir}/spool/*", soon())  # of tests before
    yield transport
    assert until(lambda: agent_pids(transport) == [])


class TestKit(AgentKindKit):
    """What every agent does, over adb."""

    @pytest.fixture
    def kind(self):
        return ANDROID_JAVA

    @pytest.fixture
    def transport(self, phone):
        return phone

    @pytest.fixture
    def known(self, transport):
        return gather_facts(transport, soon())

    def test_a_damaged_or_missing_agent_is_pushed(self, ready, transport):
        AgentClient.start(ready, soon()).close()
        for what in ("agent-*.jar", "libtensorflowlite_jni-*.so"):
            script = f"cd {transport.workdir}; for f in {what}; do echo no >$f; done; sleep 0.1"
            transport.run(script, soon())
            AgentClient.start(ready, soon()).close()


def test_it_runs_on_the_library_for_what_really_runs_and_the_target_tells_which(phone):
    library = built().libraries["x86_64"]
    with open_meter(phone, soon()) as meter:
        assert meter.target.agent == "android-java"
        assert meter.target.runtime == "tensorflow-lite"
        version = f"{built().runtime.version}+{library.sha256[:8]}"
        assert meter.target.runtime_version == version
        [one] = meter.measure([SMALL], QUICK).measurements
        assert one.target == meter.target
        assert [(found.name, found.nodes) for found in one.delegates] == [("XNNPACK", 1)]
    files = phone.run(f"ls {phone.workdir}", soon()).text.split()
    assert [name for name in files if name.endswith(".so")] == [
        f"libtensorflowlite_jni-{library.sha256[:16]}.so"
    ]


def test_its_outputs_are_those_of_this_computer(phone):
    samples = [[np.random.default_rng(n).random((1, 64), "f4")] for n in range(3)]
    with (
        open_meter(phone, soon()) as there,
        open_meter(make_transport("local"), soon()) as here,
    ):
        [a], [b] = (
            meter.session([ModelJob(SMALL, samples)], QUICK).outputs for meter in (there, here)
        )
    for left, right in zip(a, b, strict=True):
        np.testing.assert_allclose(left[0], right[0], atol=1e-5)
    assert not np.allclose(a[0][0], a[1][0])


def test_a_core_is_pinned_and_one_that_is_not_there_is_refused(phone):
    with open_meter(phone, soon(), MeasureSettings(core_mask="2")) as meter:
        blocks = meter.measure([STEADY], QUICK).measurements[0].blocks
        assert {block.core for block in blocks} == {1}
        meter.settings = MeasureSettings(core_mask="f00000")
        with pytest.raises(AgentError) as caught:
            meter.measure([SMALL], QUICK)
    assert caught.value.code == "bad_core_mask"


# ---- one at a time


def with_flock(folder):
    """The host's flock for a phone, whose busybox has none: an overlay."""
    place = folder / "system/bin"
    place.mkdir(parents=True)
    shutil.copy(shutil.which("flock"), place / "flock.bin")
    (place / "flock").write_text(
        f'#!/system/bin/sh\nLD_LIBRARY_PATH={LIBRARIES} exec /system/bin/flock.bin "$@"\n'
    )
    for name in ("flock", "flock.bin"):
        (place / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("lock", ["flock", "record lock"])
def test_two_agents_never_measure_at_once(lock, phone, lab_phone, android_props, tmp_path):
    if lock == "flock":
        overlay = with_flock(tmp_path)
        device = lab_phone(android=True, props=android_props, overlay=overlay)
        phone = make_transport(device.serial)
    ready = prepared(phone)
    assert ready._device.has_flock == (lock == "flock")
    first = AgentClient.start(ready, soon())
    [pid] = agent_pids(phone)
    assert phone.run(f"cat {phone.workdir}/lock", soon()).text.strip() == pid
    try:
        with pytest.raises(TransientDeviceError, match=rf"another agent.*process {pid}\)"):
            AgentClient.start(ready, soon(4))
    finally:
        first.close()
    AgentClient.start(ready, soon()).close()
    assert until(lambda: agent_pids(phone) == [])


def test_one_that_waits_goes_with_its_host(lab_phone, android_props, tmp_path):
    overlay = with_flock(tmp_path)
    phone = make_transport(lab_phone(android=True, props=android_props, overlay=overlay).serial)
    ready = prepared(phone)
    first = AgentClient.start(ready, soon())
    [pid] = agent_pids(phone)
    waiting = ready.open(soon())
    other = waiting.read_line(soon()).split()[-1].decode()
    assert until(lambda: set(agent_pids(phone)) == {pid, other})
    waiting.close()
    assert until(lambda: agent_pids(phone) == [pid])
    first.close()


# ---- breaks


def test_a_cut_connection_is_mended_and_the_result_fetched_from_the_spool(
    lab_phone, android_props, monkeypatch
):
    require_android()
    device = lab_phone(android=True, props=android_props)
    transport = make_transport(device.serial)
    asked, measure = [], AgentClient.measure
    monkeypatch.setattr(
        AgentClient, "measure", lambda *about, **more: asked.append(1) or measure(*about, **more)
    )
    with open_meter(transport, soon()) as meter:
        meter.measure([STEADY], SLOW)
        victim = agent_pids(transport)
        cut = threading.Timer(0.6, device.disconnect)
        cut.start()
        again = meter.measure([STEADY], SLOW)
        cut.join()
        assert agent_pids(transport) != victim
    assert timed_s(again) > 1.4
    assert len(asked) == 2  # the hang-up did not end the agent: nothing was measured again
    log = transport.run(f"cat {transport.workdir}/agent.log", soon()).text
    assert "Exception" not in log


def test_an_agent_killed_in_the_middle_of_a_job_is_replaced_and_the_job_done(phone):
    with open_meter(phone, soon()) as meter:
        meter.measure([STEADY], QUICK)
        victim = agent_pids(phone)
        killer = threading.Timer(0.6, lambda: phone.run(f"kill -9 {' '.join(victim)}", soon()))
        killer.start()
        session = meter.measure([STEADY], SLOW)
        killer.join()
        assert timed_s(session) > 1.4
        assert agent_pids(phone) != victim


def test_a_model_that_crashes_the_runtime_is_in_quarantine_after_two(phone):
    deadly = DEADLY["a window without an end"]
    with open_meter(phone, soon(120)) as meter:
        with pytest.raises(AgentError) as caught:
            meter.measure([SMALL, deadly], QUICK)
        name = hashlib.sha256(deadly).hexdigest()[:8]
        assert (caught.value.code, caught.value.model) == ("runtime_crashed", name)
        assert caught.value.exit_code == 2
        pids = agent_pids(phone)
        with pytest.raises(AgentError, match="crashed the runtime there twice"):
            meter.measure([deadly], QUICK)
        assert agent_pids(phone) == pids
        assert meter.measure([SMALL], QUICK).measurements[0].latency_ms > 0


def test_a_corrupt_model_is_refused_and_the_session_goes_on(phone):
    with open_meter(phone, soon()) as meter:
        with pytest.raises(AgentError) as caught:
            meter.measure([SMALL[:2000]], QUICK)
        assert (caught.value.code, caught.value.exit_code) == ("model_corrupt", 2)
        assert str(caught.value).isprintable()
        assert meter.measure([SMALL], QUICK).measurements[0].latency_ms > 0


def test_a_full_device_is_named_and_nothing_of_the_model_stays(lab_phone, android_props):
    require_android()
    device = lab_phone(android=True, props=android_props, data_mb=24)
    transport = make_transport(device.serial)
    with open_meter(transport, soon()) as meter:
        meter.measure([SMALL], QUICK)
        room = f"cd {transport.workdir}; head -c 99999999 /dev/zero >filler 2>/dev/null; true"
        transport.run(room, soon())
        with pytest.raises(StableDeviceError, match="No space left"):
            meter.measure([STEADY], QUICK)
        transport.run(f"rm {transport.workdir}/filler", soon())
        assert meter.measure([SMALL], QUICK).measurements[0].latency_ms > 0


# ---- what a device lacks, and what the user gives


def program(folder, name, text):
    """An overlay with a program of a test's own."""
    place = folder / "system/bin"
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(f"#!/system/bin/sh\n{text}\n")
    (place / name).chmod(0o755)
    return folder


def test_a_device_without_app_process_has_no_agent(lab_phone, android_props):
    require_android()
    transport = make_transport(lab_phone(props=android_props).serial)
    with (
        pytest.raises(NoAgentError, match=r"no app_process.*adadeep-profile"),
        open_meter(transport, soon()),
    ):
        pass


def test_pages_that_are_larger_than_the_library_was_made_for_are_told_before_a_push(
    lab_phone, android_props, tmp_path
):
    require_android()
    overlay = program(tmp_path, "getconf", "echo 16384")
    transport = make_transport(
        lab_phone(android=True, props=android_props, overlay=overlay).serial
    )
    with pytest.raises(StableDeviceError, match=r"pages of 16 KB.*--runtime FILE\.aar"):
        prepared(transport)
    assert transport.run(f"ls {transport.workdir}", soon()).text == ""


def test_a_start_that_the_system_denies_is_told_in_its_words(lab_phone, android_props, tmp_path):
    require_android()
    denial = "Error: avc: denied { execute } for path=/data/local/tmp"
    overlay = program(tmp_path, "app_process", f"echo '{denial}' >&2; exit 1")
    transport = make_transport(
        lab_phone(android=True, props=android_props, overlay=overlay).serial
    )
    with pytest.raises(TransientDeviceError, match=r"last words: .*avc: denied.*doctor"):
        AgentClient.start(prepared(transport), soon())


def test_a_runtime_of_the_users_own_is_another_target(phone, tmp_path):
    """The same library with some bytes at its end: what an archive of another build would be."""
    path = built_folder() / built().libraries["x86_64"].file
    theirs = path.read_bytes() + b"another build"
    archive = aar(tmp_path / "own.aar", {"x86_64/libtensorflowlite_jni.so": theirs})
    facts = [dataclasses.replace(gather_facts(phone, soon())[0])]
    options = MeterOptions(preparing=Preparing(runtime=archive))
    with pytest.raises(ConfigError, match=r"own\.aar has no library for arm64-v8a"):
        prepared(phone, runtime=archive)  # which the phone says it prefers
    both = {"x86_64/libtensorflowlite_jni.so": theirs,
            "arm64-v8a/libtensorflowlite_jni.so": elf("arm64-v8a", built().calls)}  # fmt: skip
    aar(archive, both)
    with open_meter(phone, soon()) as ours, contextlib.suppress(StableDeviceError):
        target = ours.target
    with open_meter(phone, soon(), None, options) as meter:
        digest = hashlib.sha256(theirs).hexdigest()
        assert meter.target.runtime_version.endswith(f"+{digest[:8]}")
        assert meter.target.key != target.key
        assert meter.target.device_fingerprint == facts[0].fingerprint
        assert meter.measure([SMALL], QUICK).measurements[0].latency_ms > 0


def test_a_library_that_lacks_what_the_agent_calls_is_refused(phone, tmp_path):
    archive = aar(tmp_path / "litert.aar", {
        f"{abi}/libLiteRt.so": elf(abi, CALLS) for abi in ("arm64-v8a", "x86_64")
    })  # fmt: skip
    with pytest.raises(ConfigError, match=r"lacks \d+ of the \d+ functions.*make android RUNTIME"):
        prepared(phone, runtime=archive)


def test_a_library_that_can_not_be_loaded_is_told_with_the_remedy(phone, tmp_path):
    both = {f"{abi}/x.so": elf(abi, built().calls) for abi in ("arm64-v8a", "x86_64")}
    ready = prepared(phone, runtime=aar(tmp_path / "odd.aar", both))
    with pytest.raises(StableDeviceError, match=r"can't be loaded.*--runtime FILE\.aar"):
        AgentClient.start(ready, soon())
    phone.run(f"rm {phone.workdir}/libtensorflowlite_jni-*", soon())


def test_an_agent_of_another_version_is_told_what_to_build(phone, tmp_path, monkeypatch):
    ready = prepared(phone)
    monkeypatch.setattr("adadeep_agent.wire.VERSION", "9.9.9")
    with pytest.raises(Exception, match=r"9\.9\.9"):
        AgentClient.start(ready, soon())
    assert Path(tmp_path).exists()
