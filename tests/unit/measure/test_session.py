"""What `open_meter` does in the end, with a meter that is played."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.device import CpuCluster, DeviceFacts
from adadeep.core.device_profile import DeviceProfile, ProfileProvenance
from adadeep.core.errors import TransientDeviceError
from adadeep.core.noise import PRIOR
from adadeep.measure import session
from adadeep.measure.session import MeterOptions, open_meter
from adadeep.measure.session_log import Tally
from adadeep.profiles import files
from adadeep.testing.measurements import together

FACTS = DeviceFacts("R58M", "adb", model="Box")


class PlayedMeter:
    def __init__(self, _facts, _connect, _settings, study, noise):
        self.study, self.tally, self.closed, self.noise = study, Tally(), None, noise

    def close(self, cancel=False):
        self.closed = cancel


class PlayedLog(list):
    def write(self, *told):
        self.append(told)


@pytest.fixture
def log(monkeypatch, tmp_path):
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    ready = SimpleNamespace(leave=lambda _: None)
    kind = SimpleNamespace(prepare=lambda *_: ready)
    monkeypatch.setattr(session, "choose_kind", lambda *_: kind)
    monkeypatch.setattr(session, "DeviceMeter", PlayedMeter)
    return PlayedLog()


def measure(log, fail=None, noise=None):
    options = MeterOptions(known=(FACTS, ()), study="0123abcd", log=log, noise=noise)
    with open_meter(SimpleNamespace(serial="R58M"), Deadline.after(5), None, options) as meter:
        meter.tally.take(together([b"a"]))
        if fail:
            raise fail
    return meter


@pytest.mark.parametrize("fail", [KeyboardInterrupt(), TransientDeviceError("gone")])
def test_a_session_that_is_interrupted_is_noted_once_and_its_error_stays(log, fail):
    with pytest.raises(type(fail)) as caught:
        measure(log, fail)
    assert caught.value is fail
    [(facts, study, tally)] = log
    assert (facts, study, tally.models) == (FACTS, "0123abcd", 1)


def test_the_noise_is_the_profiles_or_what_holds_of_most_devices(log):
    assert measure(log).noise is PRIOR
    own = replace(PRIOR, state="of this device")
    origin = ProfileProvenance("2026-11-21T00:00:00Z", "0.1.0")
    files.save(DeviceProfile("box", FACTS, (), origin, noise=own))
    assert measure(log).noise == own
    other = replace(PRIOR, state="told")
    assert measure(log, noise=other).noise is other


def test_blocks_on_different_kinds_of_core_are_known_by_the_facts_of_the_device(log, monkeypatch):
    clusters = (CpuCluster((0, 1, 2, 3), 1_800_000), CpuCluster((4, 5), 2_400_000))
    monkeypatch.setitem(globals(), "FACTS", replace(FACTS, clusters=clusters))
    noise = measure(log).noise
    assert dict(noise.core_kinds) == {0: 0, 1: 0, 2: 0, 3: 0, 4: 1, 5: 1}
    assert replace(noise, core_kinds=()) == PRIOR
    twins = (clusters[0], replace(clusters[0], cores=(4, 5)))
    monkeypatch.setitem(globals(), "FACTS", replace(FACTS, clusters=twins))
    assert measure(log).noise is PRIOR


def test_a_session_is_noted_when_the_agent_has_ended(log):
    meter = measure(log)
    assert meter.closed is False
    assert log == [(FACTS, "0123abcd", meter.tally)]
