"""The sessions of a profile: appended under a lock, bounded, and what they say of a reference."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from adadeep.core.device import DeviceFacts
from adadeep.core.device_profile import (
    SESSIONS_KEPT,
    DeviceProfile,
    ProfileProvenance,
    ProfileReference,
    ProfileSession,
)
from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.layers import LayerKind, LayerSpec
from adadeep.core.lock import holding
from adadeep.profiles import files, library, uses
from adadeep.profiles.schema import sessions_from_lines, sessions_to_lines
from adadeep.profiles.usage import drifts_of
from adadeep.profiles.validation import problems_of

FACTS = DeviceFacts("R58M", "adb", manufacturer="Maker", model="Box")
LAYER = LayerSpec("dense", LayerKind.DENSE, (10,), (5,))
REFERENCE = ProfileReference("3f" * 32, 0.44, FACTS.fingerprint, "ai_edge_litert 2.3.0", 1)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    return tmp_path / "library"


def save(name="maker-box", facts=FACTS):
    origin = ProfileProvenance("2026-11-21T00:00:00Z", "0.1.0")
    return files.save(DeviceProfile(name, facts, (), origin))


def session(day=20, **more):
    made = ProfileSession(f"2026-11-{day:02}T12:00:00+00:00", "search mnist", "0123abcd", 3)
    return replace(made, **more)


def test_a_session_is_appended_and_the_rest_of_the_profile_stays(folder):
    before = save().read_bytes()
    assert uses.append_session(FACTS, session(20, reference=REFERENCE))
    assert uses.append_session(FACTS, session(21, suspect=2))
    loaded = files.load("maker-box")
    assert loaded.sessions == (session(20, reference=REFERENCE), session(21, suspect=2))
    assert files.find("maker-box").read_bytes() == before
    assert problems_of(loaded) == []
    assert [file.name for file in (folder / "sessions").iterdir()] == ["maker-box.jsonl"]


def test_nothing_is_written_for_a_device_without_a_profile(folder):
    assert not uses.append_session(FACTS, session())
    assert not folder.exists()
    save(facts=replace(FACTS, build_fingerprint="another build"))
    assert not uses.append_session(FACTS, session())
    assert files.load("maker-box").sessions == ()


def test_a_profile_by_another_name_and_one_that_grows_are_the_devices_too():
    save("maker-box-unfinished")
    assert uses.append_session(FACTS, session(1))
    save("a-name-of-mine")
    assert uses.append_session(FACTS, session(2))
    save()
    assert uses.append_session(FACTS, session(3))
    named = ("maker-box-unfinished", "a-name-of-mine", "maker-box")
    assert [[one.day[-2:] for one in files.load(name).sessions] for name in named] == [
        ["01"], ["02"], ["03"],
    ]  # fmt: skip


def test_another_device_of_the_model_has_another_name_while_the_first_ones_profile_grows():
    save("maker-box-unfinished")
    assert files.name_for(FACTS) == "maker-box"
    assert files.name_for(replace(FACTS, serial="R59")) == "maker-box-2"


def test_the_last_200_are_kept_and_read(folder):
    save()
    many = [session(1 + number % 28, models=number + 1) for number in range(SESSIONS_KEPT + 5)]
    (folder / "sessions").mkdir()
    file = folder / "sessions" / "maker-box.jsonl"
    file.write_text(sessions_to_lines(many))
    assert files.load("maker-box").sessions == tuple(many[-SESSIONS_KEPT:])
    uses.append_session(FACTS, session(28))
    assert files.load("maker-box").sessions == (*many[1 - SESSIONS_KEPT :], session(28))
    assert len(file.read_text().splitlines()) == SESSIONS_KEPT


def test_a_session_names_no_device_and_no_file():
    row = json.loads(sessions_to_lines([session(reference=REFERENCE)]))
    assert set(row) == {"created", "command", "study", "models", "suspect", "reference"}
    assert sessions_from_lines(json.dumps(row), "s.jsonl") == (session(reference=REFERENCE),)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"created": "2026-11-31T12:00:00+00:00"}, "day is out of range"),
        ({"created": "yesterday"}, 'created must be like "2026-11-21T12:00:00+00:00"'),
        ({"command": "rm -rf /"}, 'command must be like "search mnist"'),
        ({"study": "x"}, "study must be 8 hex digits"),
        ({"models": 0}, "models is 0, not from 1"),
        ({"suspect": 4}, "suspect is 4, not from 0 to 3"),
        ({"user": "me"}, "unknown key 'user'"),
        ({"reference": {"model_sha256": "x"}}, "key 'reference'"),
        ({"reference": {**asdict(REFERENCE), "latency_ms": 0}}, "latency_ms is 0.0, not from"),
        ({"reference": {**asdict(REFERENCE), "core_mask": "0x3"}}, "must be hexadecimal"),
        ({"reference": {**asdict(REFERENCE), "runtime": "r" * 101}}, "longer than 100"),
    ],
)
def test_a_damaged_session_is_refused_in_one_sentence(folder, change, words):
    save()
    uses.append_session(FACTS, session(20))
    file = folder / "sessions" / "maker-box.jsonl"
    row = {**json.loads(file.read_text()), **change}
    file.write_text(f"{file.read_text()}{json.dumps(row)}\n")
    with pytest.raises(FormatError) as caught:
        files.load("maker-box")
    assert f"{file}, line 2: " in str(caught.value)
    assert words in str(caught.value)
    assert str(caught.value).endswith("Or remove that file: a profile does without its sessions.")
    profile, problem = files.load_to_use("maker-box")
    assert (profile.facts.model, profile.sessions) == ("Box", ())
    assert str(problem) == str(caught.value)
    before = file.read_bytes()
    with pytest.raises(FormatError):
        uses.append_session(FACTS, session(21))
    assert file.read_bytes() == before


def test_a_library_that_is_held_is_waited_for_and_then_told(folder, monkeypatch):
    save()
    monkeypatch.setattr(library, "_WAIT_S", 0.05)
    with holding(folder / ".lock", 0):
        for write in (save, lambda: uses.append_session(FACTS, session())):
            with pytest.raises(ConfigError) as caught:
                write()
            assert str(caught.value) == (
                f"another command has been writing to the profile library {folder} for 0.05 s;"
                " try again when it has ended."
            )
    assert uses.append_session(FACTS, session())


WRITER = """
import sys
sys.path[:0] = sys.argv[2:]
from dataclasses import replace
from unit.profiles.test_sessions import FACTS, LAYER, ROUNDS, files, session, uses
from adadeep.core.device_profile import ProfileEntry

for number in range(ROUNDS):
    entry = ProfileEntry(f"{sys.argv[1]}-{number}", LAYER, "float32", error="no such op")
    files.update("maker-box", lambda now: replace(now, entries=(*now.entries, entry)))
    uses.append_session(FACTS, session(int(sys.argv[1]), models=number + 1))
"""
ROUNDS = 15


def test_two_commands_at_once_lose_nothing_of_each_other():
    save()
    parts = [part for part in sys.path if part]
    commands = [[sys.executable, "-c", WRITER, name, *parts] for name in ("1", "2")]
    running = [subprocess.Popen(words, env={**os.environ}) for words in commands]
    assert [one.wait() for one in running] == [0, 0]
    whole = files.load("maker-box")
    rounds = [(name, number) for name in (1, 2) for number in range(ROUNDS)]
    assert sorted(entry.key for entry in whole.entries) == sorted(f"{a}-{b}" for a, b in rounds)
    assert sorted((int(one.day[-2:]), one.models - 1) for one in whole.sessions) == rounds


def test_an_update_takes_the_place_of_another_profile():
    save("maker-box-unfinished")
    uses.append_session(FACTS, session())
    told = []

    def change(now):
        told.append(now)
        return replace(files.load("maker-box-unfinished"), name="maker-box")

    files.update("maker-box", change, instead_of="maker-box-unfinished")
    assert told == [None]
    assert files.load("maker-box").sessions == (session(),)
    left = [path.name for path in library.library_dir().rglob("*") if path.is_file()]
    assert [name for name in left if "unfinished" in name] == []


def measured(*times_ms, **more):
    return [replace(REFERENCE, latency_ms=ms, **more) for ms in times_ms]


def test_a_drift_is_told_from_the_first_to_the_last_time():
    first, between, last = measured(0.44, 0.6, 0.462)
    days = [session(20, reference=first), session(21), session(22, reference=between)]
    [drift] = drifts_of([*days, session(25, reference=last)])
    assert (drift.first_at[:10], drift.last_at[:10]) == ("2026-11-20", "2026-11-25")
    assert (drift.first, drift.last) == (first, last)
    assert drift.change == pytest.approx(0.05)


@pytest.mark.parametrize(
    "other",
    [
        {"threads": 4}, {"core_mask": "f"}, {"runtime": "tflite_runtime 2.14"},
        {"model_sha256": "a" * 64}, {"device_fingerprint": "e" * 16},
    ],
)  # fmt: skip
def test_what_is_measured_otherwise_is_no_drift(other):
    [one], [another] = measured(1.0), measured(2.0, **other)
    assert drifts_of([session(20, reference=one), session(21, reference=another)]) == ()
    both = [session(day, reference=r) for day, r in ((22, one), (23, another))]
    assert len(drifts_of([session(20, reference=one), *both])) == 1
