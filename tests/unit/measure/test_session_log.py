"""What of a session a device's profile is told."""

import hashlib
from dataclasses import replace

import pytest

from adadeep.core.device import DeviceFacts
from adadeep.core.device_profile import DeviceProfile, ProfileProvenance
from adadeep.core.measurement import Agent
from adadeep.measure.reference_models import SHARP, reference_model, reference_models
from adadeep.measure.session_log import SessionLog, Tally
from adadeep.profiles import files
from adadeep.testing.measurements import measurement, together

FACTS = DeviceFacts("R58M", "adb", manufacturer="Maker", model="Box")
STUDY = "0123abcd"


@pytest.fixture(autouse=True)
def profile(tmp_path, monkeypatch):
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    origin = ProfileProvenance("2026-11-21T00:00:00Z", "0.1.0")
    return files.save(DeviceProfile("box", FACTS, (), origin))


def tally(*models, disturbed=()):
    found = Tally()
    for model in models:
        found.take(session_of(model, disturbed=("hot",) if model in disturbed else ()))
    return found


def session_of(model, **changes):
    session = together([model])
    return replace(session, measurements=(replace(session.measurements[0], **changes),))


def written(counts, reference=None, command="measure"):
    told = []
    sha256 = reference and hashlib.sha256(reference).hexdigest()
    SessionLog(command, told.append, lambda: sha256).write(FACTS, STUDY, counts)
    return told


def test_a_session_is_noted_with_the_latency_of_its_reference():
    assert written(tally(b"a", b"b", b"c", disturbed=(b"c",)), b"b") == []
    [session] = files.load("box").sessions
    assert (session.command, session.study) == ("measure", STUDY)
    assert (session.models, session.suspect) == (3, 1)
    assert session.reference.model_sha256 == hashlib.sha256(b"b").hexdigest()
    assert session.reference.latency_ms == measurement(b"b").latency_ms


@pytest.mark.parametrize("reference", [None, b"never measured", b"c"])
def test_a_reference_that_was_not_measured_undisturbed_is_none(reference):
    written(tally(b"a", b"c", disturbed=(b"c",)), reference)
    [session] = files.load("box").sessions
    assert session.reference is None


def test_where_nothing_was_measured_there_is_no_session():
    assert written(tally(), b"b") == []
    assert files.load("box").sessions == ()


@pytest.mark.parametrize("command", ["measure", "search " + "x" * 41])
def test_what_can_not_be_noted_is_one_warning(tmp_path, command):
    sessions = tmp_path / "library" / "sessions"
    sessions.mkdir()
    (sessions / "box.jsonl").write_text("{\n")
    [warning] = written(tally(b"a"), command=command)
    assert warning.startswith("this session is not noted in the device's profile: ")
    assert (sessions / "box.jsonl").read_text() == "{\n"


def test_a_runtime_with_an_endless_name_does_not_end_a_measurement():
    found = Tally()
    agent = Agent("a", "0", "r" * 5000, "1")
    found.take(session_of(b"a", agent=agent))
    found.take(session_of(b"b", device_fingerprint="no fingerprint"))
    assert found.models == 2
    assert [len(one.runtime) for one in found.undisturbed.values()] == [100]


def test_a_session_with_references_teaches_the_profile_of_the_devices_noise():
    counts = tally(b"a")
    written(counts)
    assert files.load("box").noise is None
    counts.take(together([*reference_models().values()]))
    assert written(counts) == []
    noise = files.load("box").noise
    assert len([one for one in noise.references if one.model_sha256]) == 4
    counts = Tally()
    counts.take(together([b"a", reference_model(SHARP)]))
    written(counts)
    assert len(files.load("box").noise.references) == len(noise.references)


def test_noise_that_can_not_be_read_is_a_warning_and_stays_as_it_is(tmp_path):
    path = tmp_path / "library" / "noise" / "box.json"
    path.parent.mkdir()
    path.write_text("{")
    [warning] = written(tally(b"a"))
    assert "remove that file: adadeep-profile learns the device's noise anew" in warning
    assert path.read_text() == "{"
