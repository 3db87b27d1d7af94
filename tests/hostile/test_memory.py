"""Twenty hostile inputs as real processes: at most 200 MB more than with a sound one."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from fakes import good_files
from fakes.bad_inputs import bomb
from fakes.processes import Measured, measured
from fakes.sandbox import AdbServer, Sandbox, assert_clear_failure, assert_harmless, listing

MOST_MORE_BYTES = 200_000_000
MEASURE = "measure good.tflite -d local --max-seconds 0.02 --launches 1"


def giant(name: str, begin: bytes = b"") -> Callable[[Sandbox], object]:
    """A file of 3 GB that takes no room on the disk."""

    def prepare(sandbox: Sandbox) -> None:
        os.truncate(sandbox.file(name, begin), 3_000_000_000)

    return prepare


def bomb_of_samples(sandbox: Sandbox) -> None:
    bomb(sandbox)
    (sandbox.work / "x.npz").replace(sandbox.work / "run" / "samples.npz")


@dataclass(frozen=True)
class Case:
    """A command, what it is given, and the command on sound input that it is compared with."""

    words: str
    scenario: str = ""
    prepare: Callable[[Sandbox], object] = lambda _: None
    like: str = MEASURE
    codes: frozenset[int] = frozenset({2, 3})


AGENTS = (
    "hello: a line without an end", "hello: lines without an end",
    "hello: blank lines without an end", "hello: an error of 10 MB",
    "hello: nested 100,000 deep", "result: a line without an end", "result: lines without an end",
    "result: a million runs", "result: an error of 10 MB", "result: nested 100,000 deep",
)  # fmt: skip
SHOW, DEPLOY = "profiles show box", "deploy run -d local"
CASES = (
    *(Case(MEASURE, scenario) for scenario in AGENTS),
    Case(MEASURE, "spool: a line without an end", codes=frozenset({0, 2, 3})),
    Case("measure /dev/zero -d local"),
    Case("measure giant.tflite -d local", prepare=giant("giant.tflite", b"\0\0\0\0TFL3")),
    Case(f"{MEASURE} --inputs x.npz", prepare=bomb),
    Case(f"{MEASURE} --inputs x.npz", prepare=giant("x.npz", b"PK\3\4")),
    Case("profiles show ./giant.toml", prepare=giant("giant.toml"), like=SHOW),
    Case("profiles show /dev/zero", like=SHOW),
    Case(DEPLOY, prepare=giant("run/plan.json", b"{"), like=DEPLOY),
    Case(DEPLOY, prepare=giant("run/samples.npz", b"PK\3\4"), like=DEPLOY),
    Case(DEPLOY, prepare=bomb_of_samples, like=DEPLOY),
    Case(DEPLOY, prepare=giant("run/best.tflite", b"\0\0\0\0TFL3"), like=DEPLOY),
)


@pytest.fixture(scope="module")
def sound_peak(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], int]:
    """What a command takes on sound input."""

    @functools.cache
    def peak(words: str) -> int:
        with AdbServer(listing(b"")) as server, pytest.MonkeyPatch.context() as patch:
            port = {"ANDROID_ADB_SERVER_PORT": str(server.port)}
            sandbox = Sandbox(tmp_path_factory.mktemp("sound") / "root", port)
            prepared(sandbox, patch)
            done = measured(sandbox, words.split())
            server.shutdown()
        assert done.code == 0, done.err
        return done.peak_bytes

    return peak


def prepared(sandbox: Sandbox, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("ADADEEP_LIBRARY", str(sandbox.library))
    sandbox.file("good.tflite", good_files.MODEL)
    good_files.write_profile()
    good_files.write_run(sandbox.work / "run")


def test_there_are_twenty():
    assert len(CASES) >= 20


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.scenario or case.words)
def test_memory_stays_bounded(
    sandbox: Sandbox, recording: Path, sound_peak: Callable[[str], int], case: Case,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    prepared(sandbox, monkeypatch)
    case.prepare(sandbox)
    before = sandbox.snapshot()
    done: Measured = measured(sandbox, case.words.split(), case.scenario, recording)
    more = done.peak_bytes - sound_peak(case.like)
    assert more <= MOST_MORE_BYTES, f"{more / 1e6:.0f} MB more: {done.err[-500:]}"
    assert_harmless(done)
    assert done.code in case.codes, f"exit code {done.code}\n{done.err[-2000:]}"
    if done.code:
        assert_clear_failure(done, set(case.codes))
    assert sandbox.snapshot() == before
