"""Seeded damage to everything that is read: it is taken as sound, or refused in one sentence."""

from __future__ import annotations

import contextlib
import json
import math
import random
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.demand import UserDemand
from adadeep.core.device import DeviceFacts
from adadeep.core.errors import AdaDeepError, TransientDeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Measurement
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.noise import PRIOR
from adadeep.core.transport import ShellResult
from adadeep.core.trial import TrialState
from adadeep.devices.agent import AgentClient
from adadeep.devices.agent_kinds.linux_python.kind import LinuxAgent
from adadeep.devices.local import LocalTransport
from adadeep.measure.meter import DeviceMeter
from adadeep.measure.samples import model_inputs
from adadeep.profiles import files
from adadeep.profiles.usage import drifts_of
from adadeep.storage.journal import Journal
from adadeep.storage.records import JournalContent
from adadeep.study.deploy import load_run
from adadeep.study.trials import LimitMissing, TargetScorer
from fakes import good_files, hostile_agent
from fakes.clock import HandClock
from fakes.mutations import DAMAGES, LEAST, cases, mutated, mutated_json

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


@pytest.mark.parametrize("data", [b'{"a": [1, "x"]}\n{"pid": 2.5}\n', bytes(range(256)), b"7"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_every_kind_of_damage_damages_and_repeats_itself(damage: Callable, data: bytes):
    done = [damage(data, random.Random(seed)) for seed in range(30)]
    assert done == [damage(data, random.Random(seed)) for seed in range(30)]
    assert sum(one != data for one in done) >= 10


def test_what_is_spared_keeps_its_value():
    for seed in range(100):
        assert b'"pid": 5' in mutated_json({"pid": 5, "x": 1}, random.Random(seed), "pid")


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (good_files.write_run, "plan.json"),
        (good_files.write_run, "samples.npz"),
        (good_files.write_run, "best.tflite"),
        (good_files.write_run_of_0_1, "plan.json"),
    ],
    ids=["plan.json", "samples.npz", "best.tflite", "plan.json of 0.1"],
)
def test_a_damaged_run_folder(
    tmp_path: Path, refusals: Refusals, write: Callable[[Path], Path], name: str
):
    folder = write(tmp_path / "run")
    data = (folder / name).read_bytes()
    load_run(folder)
    for source in cases():
        (folder / name).write_bytes(mutated(data, source))
        with refusals():
            run = load_run(folder)
            where = Path(run.device_name)
            assert ".." not in where.parts
            assert not where.is_absolute()
    refusals.check()


def assert_derived_are_sound(content: JournalContent) -> None:
    """Measurements, and what is made of them on reading: costs, limits and rewards."""
    for session in content.measured.values():
        for measurement in session.measurements:
            assert_sound(measurement)
    for target in content.targets.values():
        try:
            scorer = TargetScorer.of(content, target, UserDemand())
        except LimitMissing:
            continue
        for record in content.trials.values() if scorer else ():
            scored = scorer.score(content, record)
            assert math.isfinite(scored.reward.total)
            assert (scored.trial.cost is None) == (scored.trial.state is not TrialState.COMPLETE)


def test_a_damaged_journal(tmp_path: Path, refusals: Refusals):
    path = good_files.write_journal(tmp_path)
    data = path.read_bytes()
    with Journal.open(tmp_path) as journal:
        content = journal.content
    assert (len(content.trials), len(content.measured), len(content.targets)) == (3, 2, 1)
    assert_derived_are_sound(content)
    for source in cases():
        path.write_bytes(mutated(data, source))
        with refusals(), Journal.open(tmp_path) as journal:
            assert_derived_are_sound(journal.content)
    refusals.check()


@pytest.mark.parametrize("which", [0, 1, 2], ids=["TOML", "table", "sessions"])
def test_a_damaged_profile(
    tmp_path: Path, refusals: Refusals, monkeypatch: pytest.MonkeyPatch, which: int
):
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path))
    path = good_files.write_profile()[which]
    data = path.read_bytes()
    assert len(files.load("box").entries) == 2
    assert len(drifts_of(files.load("box").sessions)) == 1
    for source in cases():
        path.write_bytes(mutated(data, source))
        with refusals():
            profile = files.load("box")
            for entry in profile.entries:
                if entry.measurement is not None:
                    assert_sound(entry.measurement)
            for drift in drifts_of(profile.sessions):
                assert math.isfinite(drift.change)
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
                for reply in hostile_agent.answers(self._known, request):
                    self._say(reply)

    def _say(self, reply: dict) -> None:
        reply.update({"pid": 99_999_999} if "pid" in reply else {})
        said = hostile_agent.line(reply)
        if self._source.random() < 0.3:
            said = mutated(said, self._source, spare="pid")
        self._lines.extend(said.split(b"\n")[:-1][:1000])  # whole lines

    def read_line(self, deadline: Deadline) -> bytes:
        if not self._lines:
            raise TransientDeviceError("local: process 1 has ended.")
        return self._lines.popleft()

    def close(self) -> None:
        self._lines.clear()


def test_a_damaged_reply_of_an_agent(
    tmp_path: Path, recording: Path, refusals: Refusals, monkeypatch: pytest.MonkeyPatch
):
    known = json.loads(recording.read_text())
    plan = MeasuringPlan(placements=2)
    transport = LocalTransport(tmp_path / "agent")

    def measure(source: random.Random) -> Measurement:
        def connect() -> AgentClient:
            return AgentClient.start(LinuxAgent(transport, "python3"), Deadline.after(20))

        opened = lambda *_: PlayedStream(known, source)  # noqa: E731
        monkeypatch.setattr(LocalTransport, "open", opened)
        quiet = ShellResult("", b"", b"", 0)
        monkeypatch.setattr(LocalTransport, "run", lambda *_, **__: quiet)
        facts = DeviceFacts("local", "local")
        clock = HandClock(look_s=0.01)
        meter = DeviceMeter(facts, connect, MeasureSettings(), "0123abcd", PRIOR, clock)
        [measurement] = meter.measure([good_files.MODEL], plan).measurements
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
            for given in model_inputs(mutated(good_files.MODEL, source)):
                assert len(given.signature) <= 32
    refusals.check()
