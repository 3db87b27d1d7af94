"""Where the costs of a run come from stays what it was."""

import dataclasses

import pytest

from adadeep.core.device import DeviceFacts
from adadeep.core.device_profile import DeviceProfile, ProfileProvenance
from adadeep.core.errors import ConfigError
from adadeep.profiles import files
from adadeep.storage.records import JournalContent, Session
from adadeep.study.bench import profile_of, require_sources
from adadeep.testing.measurements import target
from fakes.search_parts import SOURCES, target_record

OTHER = target("Other box", "e" * 16)


def content(energy="analytic", plugins=None):
    """A journal of one device, on which E comes from that source."""
    sources = {**SOURCES, "energy_mj": energy}
    found = JournalContent()
    found.take(dataclasses.replace(target_record(), sources=sources))
    found.take(Session("random", "default", 0, 1, {}, plugins=plugins or {}))
    return found


def test_a_device_goes_on_with_what_gives_its_costs():
    for wanted in ((), ("analytic",), ("measured", "analytic")):
        require_sources(target(), wanted, content())


def test_another_source_than_the_runs_is_refused():
    with pytest.raises(ConfigError, match=r"come from analytic, measured in this run, not from x"):
        require_sources(target(), ("x",), content())
    require_sources(OTHER, ("x",), content())  # nothing is fixed there yet


def test_a_source_that_is_not_installed_is_said_with_where_it_comes_from():
    journal = content("power", {"cost source power": "their-plugins 1.2"})
    with pytest.raises(ConfigError) as caught:
        require_sources(target(), (), journal)
    assert str(caught.value) == (
        "costs on Fake box come from 'power' of their-plugins 1.2, which is not installed here;"
        " install it, or name another folder with -o."
    )
    require_sources(OTHER, (), journal)
    with pytest.raises(ConfigError, match="'power' of another package"):
        require_sources(target(), (), content("power"))


def test_another_agent_on_the_device_does_not_bring_other_costs():
    other_agent = dataclasses.replace(target(), agent="another")
    with pytest.raises(ConfigError, match="not installed here"):
        require_sources(other_agent, (), content("power"))


def test_a_profile_with_damaged_sessions_is_used_and_that_is_said_once(tmp_path, monkeypatch):
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path))
    notes = []
    facts = DeviceFacts("R58M", "adb", manufacturer="Maker", model="Box")
    assert profile_of(facts, notes.append) is None
    origin = ProfileProvenance("2026-11-21T00:00:00Z", "0.1.0")
    whole = DeviceProfile("maker-box", facts, (), origin)
    path = files.save(whole)
    assert profile_of(facts, notes.append).name == "maker-box"
    assert notes == []
    (tmp_path / "sessions").mkdir(exist_ok=True)
    (tmp_path / "sessions" / "maker-box.jsonl").write_text("torn\n")
    assert profile_of(facts, notes.append).name == "maker-box"
    assert len(notes) == 1
    assert notes[0].startswith("the device's profile is used without its sessions: ")
    assert "maker-box.jsonl, line 1" in notes[0]
    path.write_text("torn")
    assert profile_of(facts, notes.append) is None
