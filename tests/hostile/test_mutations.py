"""Seeded damage to everything that is read: it is taken as sound, or refused in one sentence."""

from __future__ import annotations

import contextlib
import json
import math
import random
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.device import DeviceFacts
from adadeep.core.errors import AdaDeepError, TransientDeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Measurement
from adadeep.core.transport import ShellResult
from adadeep.devices.agent import AgentClient
from adadeep.devices.agent_kinds.linux_python.kind import LinuxAgent
from adadeep.devices.local import LocalTransport
from adadeep.measure.meter import DeviceMeter
from adadeep.measure.samples import model_inputs
from adadeep.profiles import files
from adadeep.storage.journal import Journal
from adadeep.study.deploy import load_run
from fakes import good_files, hostile_agent
from fakes.seeded_damage import LEAST, cases, mutated

DOCUMENTED = {2, 3, 4}


class Refusals:
    """Counts what was refused; anything but an error of ours is a failure of the test."""

    def __init__(self) -> None:
        self.refused = self.taken = 0

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        refusal: AdaDeepError | None = None
        try:
            yield
        except AdaDeepError as error:
            refusal = error
        if refusal is None:
            self.taken += 1
            return
        self.refused += 1
        assert refusal.exit_code in DOCUMENTED, repr(refusal)
        assert len(str(refusal)) < 3000, str(refusal)[:3000]

    def check(self) -> None:
        """Damage has been noticed; a test in which it never is would test nothing."""
        print(f"{self.refused} refused, {self.taken} taken")
        assert self.refused > LEAST / 10


@pytest.fixture
def refusals() -> Refusals:
    return Refusals()


def assert_sound(measurement: Measurement) -> None:
    summary = measurement.latency
    for value in (summary.median, summary.ci_low, summary.p95, measurement.first_ms):
        assert math.isfinite(value)
        assert value > 0


@pytest.mark.parametrize("name", ["plan.json", "samples.npz", "best.tflite"])
def test_a_damaged_run_folder(tmp_path: Path, refusals: Refusals, name: str):
    folder = good_files.write_run(tmp_path / "run")
    data = (folder / name).read_bytes()
    load_run(folder)
    for source in cases():
        (folder / name).write_bytes(mutated(source, data))
        with refusals():
            run = load_run(folder)
            where = Path(run.device_name)
            assert ".." not in where.parts
            assert not where.is_absolute()
    refusals.check()


def test_a_damaged_journal(tmp_path: Path, refusals: Refusals):
    path, data = tmp_path / "journal.jsonl", good_files.journal_lines()
    path.write_bytes(data)
    with Journal.open(tmp_path) as journal:
        assert len(journal.content.trials) == len(journal.content.measurements) == 1
    for source in cases():
        path.write_bytes(mutated(source, data))
        with refusals(), Journal.open(tmp_path) as journal:
            for measurement in journal.content.measurements.values():
                assert_sound(measurement)
    refusals.check()


@pytest.mark.parametrize("which", [0, 1], ids=["TOML", "table"])
def test_a_damaged_profile(
    tmp_path: Path, refusals: Refusals, monkeypatch: pytest.MonkeyPatch, which: int
):
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path))
    path = good_files.write_profile()[which]
    data = path.read_bytes()
    assert len(files.load("box").entries) == 2
    for source in cases():
        path.write_bytes(mutated(source, data))
        with refusals():
            profile = files.load("box")
            for entry in profile.entries:
                if entry.measurement is not None:
                    assert_sound(entry.measurement)
    refusals.check()


class PlayedStream:
    """Replies of a sound agent, some of them damaged."""

    def __init__(self, known: dict, source: random.Random) -> None:
        self._known, self._source = known, source
        self._lines: deque[bytes] = deque()

    def write(self, data: bytes, deadline: Deadline) -> None:
        for line in data.splitlines():
            request = json.loads(line)
            if request["type"] != "bye":
                reply = hostile_agent.answer(self._known, request)
                reply.update({"pid": 99_999_999} if "pid" in reply else {})
                said = hostile_agent.line(reply)
                if self._source.random() < 0.4:
                    said = mutated(self._source, said, spare="pid")
                self._lines.extend(said.split(b"\n")[:-1][:1000])  # whole lines

    def read_line(self, deadline: Deadline) -> bytes:
        if not self._lines:
            raise TransientDeviceError("local: process 1 has ended.")
        return self._lines.popleft()

    def close(self) -> None:
        self._lines.clear()


class StandingClock:
    """Goes on when somebody sleeps, or looks at it too often."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        self.time += 0.01
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def test_a_damaged_reply_of_an_agent(
    tmp_path: Path, recording: Path, refusals: Refusals, monkeypatch: pytest.MonkeyPatch
):
    known = json.loads(recording.read_text())
    settings = MeasureSettings(launches=1, max_ms=20)
    transport = LocalTransport(tmp_path / "agent")

    def measure(source: random.Random) -> Measurement:
        def connect() -> AgentClient:
            return AgentClient.start(LinuxAgent(transport, "python3"), Deadline.after(20))

        opened = lambda *_: PlayedStream(known, source)  # noqa: E731
        monkeypatch.setattr(LocalTransport, "open", opened)
        quiet = ShellResult("", b"", b"", 0)
        monkeypatch.setattr(LocalTransport, "run", lambda *_, **__: quiet)
        facts = DeviceFacts("local", "local")
        meter = DeviceMeter(facts, connect, settings, "0123abcd", StandingClock())
        [measurement] = meter.measure([good_files.MODEL])
        meter.close()
        return measurement

    for source in cases():
        with refusals():
            assert_sound(measure(source))
    refusals.check()
    assert refusals.taken > 0


def test_a_damaged_model(refusals: Refusals):
    assert [given.dtype for given in model_inputs(good_files.MODEL)] == ["float32"]
    for source in cases():
        with refusals():
            for given in model_inputs(mutated(source, good_files.MODEL)):
                assert len(given.signature) <= 32
    refusals.check()
