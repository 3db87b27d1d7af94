"""What `open_meter` does in the end, with a meter that is played."""

from types import SimpleNamespace

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.device import DeviceFacts
from adadeep.core.errors import TransientDeviceError
from adadeep.measure import session
from adadeep.measure.session import MeterOptions, open_meter
from adadeep.measure.session_log import Tally
from adadeep.testing.measurements import measurement

FACTS = DeviceFacts("R58M", "adb", model="Box")


class PlayedMeter:
    def __init__(self, _facts, _connect, _settings, study):
        self.study, self.tally, self.closed = study, Tally(), None

    def close(self, cancel=False):
        self.closed = cancel


class PlayedLog(list):
    def write(self, *told):
        self.append(told)


@pytest.fixture
def log(monkeypatch):
    ready = SimpleNamespace(leave=lambda _: None)
    kind = SimpleNamespace(prepare=lambda *_: ready)
    monkeypatch.setattr(session, "choose_kind", lambda *_: kind)
    monkeypatch.setattr(session, "DeviceMeter", PlayedMeter)
    return PlayedLog()


def measure(log, fail=None):
    options = MeterOptions(known=(FACTS, ()), study="0123abcd", log=log)
    with open_meter(SimpleNamespace(serial="R58M"), Deadline.after(5), None, options) as meter:
        meter.tally.take(measurement(b"a"))
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


def test_a_session_is_noted_when_the_agent_has_ended(log):
    meter = measure(log)
    assert meter.closed is False
    assert log == [(FACTS, "0123abcd", meter.tally)]
