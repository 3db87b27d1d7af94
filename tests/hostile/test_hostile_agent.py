"""Whatever an agent says, a command ends with a documented code and the terminal is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from adadeep.devices.local import LocalTransport
from fakes import good_files
from fakes.hostile_agent import SCENARIOS
from fakes.hostile_local import hostile_open
from fakes.sandbox import CommandRunner, assert_clear_failure, assert_harmless

MEASURE = ["measure", "good.tflite", "-d", "local", "--max-seconds", "0.02", "--launches", "1"]


def test_there_are_forty():
    assert len(SCENARIOS) >= 40


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_hostile_agent_is_harmless(
    command: CommandRunner, recording: Path, scenario: str, monkeypatch: pytest.MonkeyPatch
):
    codes = SCENARIOS[scenario][2]
    monkeypatch.setattr(LocalTransport, "open", hostile_open(scenario, recording))
    monkeypatch.setattr("adadeep.measure.link._REPLUG_S", 1.0)
    monkeypatch.setattr("adadeep.devices.agent._CRASH_S", 0.2)
    command.sandbox.file("good.tflite", good_files.MODEL)
    before = command.sandbox.snapshot()
    done = command(MEASURE)
    assert_harmless(done)
    assert done.code in codes, f"exit code {done.code}\n{done.err[:2000]}"
    if done.code:
        assert_clear_failure(done, codes)
    assert command.sandbox.snapshot() == before
