"""The Android agent as a kind, with a program of this computer for `app_process`."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from adadeep.core.agent_kind import Preparing
from adadeep.core.check import CheckStatus
from adadeep.core.clock import Deadline
from adadeep.core.device import DeviceFacts
from adadeep.core.errors import (
    ConfigError,
    NoAgentError,
    ProcessEnded,
    StableDeviceError,
    TransientDeviceError,
)
from adadeep.core.transport import ShellResult
from adadeep.devices.agent import AgentClient
from adadeep.devices.agent_kinds.android_java import built as built_module
from adadeep.devices.agent_kinds.android_java.kind import ANDROID_JAVA, AndroidAgent
from adadeep.devices.agent_kinds.linux_python.kind import LINUX_PYTHON
from adadeep.devices.local import LocalTransport
from fakes.android import CALLS, aar, app_process, dist, elf
from fakes.toy_agent import ToyAgent

needs_shell = [
    pytest.mark.agent_life,
    pytest.mark.skipif(
        not Path("/proc/self/stat").exists() or not shutil.which("flock"),
        reason="needs /proc and flock",
    ),
]
TOYS = ("flock", "date", "sleep", "wc", "ls", "tail", "rm", "sha256sum", "grep", "uname")
PHONE = DeviceFacts("phone-1", "adb", os="android", sdk=34, abis=("arm64-v8a",))


def soon(seconds: float = 60) -> Deadline:
    return Deadline.after(seconds)


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = dist(tmp_path / "dist")
    monkeypatch.setattr(built_module, "built_folder", lambda: made)
    return made


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that a shell finds first: `app_process`, and a getprop."""
    folder = app_process(tmp_path / "bin").parent
    program(folder, "getprop", "case $1 in *abilist) echo arm64-v8a,x86_64;; esac")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def program(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


@pytest.fixture
def device(tmp_path: Path) -> LocalTransport:
    return LocalTransport(tmp_path / "work of ours")


def prepared(device: Any, **preparing: Any) -> AndroidAgent:
    return ANDROID_JAVA.prepare(device, soon(), Preparing(**preparing))


# ---- whether it fits


def test_it_fits_an_android_of_an_age_that_will_do_and_goes_before_the_python_agent() -> None:
    assert ANDROID_JAVA.fits(PHONE, ()) is None
    unknown = DeviceFacts("phone-1", "adb", os="android")
    assert ANDROID_JAVA.fits(unknown, ()) is None
    assert ANDROID_JAVA.priority > LINUX_PYTHON.priority


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"os": "linux"}, "does not run Android"), ({"os": None}, "does not run Android"),
        ({"sdk": 23}, "API level 23, and the agent needs 24"),
        ({"abis": ("mips",)}, r"no runtime for its processor \(mips\)"),
    ],
)  # fmt: skip
def test_where_it_does_not_fit_it_says_why(changed: dict[str, Any], words: str) -> None:
    reason = ANDROID_JAVA.fits(dataclasses.replace(PHONE, **changed), ())
    with pytest.raises(NoAgentError, match=words):
        raise NoAgentError(reason or "")


def test_where_it_is_not_built_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(built_module, "built_folder", lambda: tmp_path / "nothing")
    assert "make android" in (ANDROID_JAVA.fits(PHONE, ()) or "")


def test_a_device_without_java_or_of_an_unknown_processor_has_no_agent(
    device: LocalTransport, path: Path
) -> None:
    program(path, "getprop", "echo riscv64")
    program(path, "uname", "echo riscv64")
    with pytest.raises(NoAgentError, match="does not say for which processor"):
        prepared(device)
    (path / "app_process").unlink()
    with pytest.raises(NoAgentError, match="no app_process"):
        prepared(device)
    [check] = ANDROID_JAVA.examine(device, soon())
    assert (check.status, "app_process" in check.evidence) == (CheckStatus.FAIL, True)
    program(path, "getprop", "exit 1")
    assert ANDROID_JAVA.examine(device, soon()) == []  # no Android, for all it says


def test_a_runtime_is_for_this_agent_alone(device: LocalTransport, tmp_path: Path) -> None:
    archive = aar(tmp_path / "a.aar", {"arm64-v8a/x.so": elf("arm64-v8a")})
    with pytest.raises(ConfigError, match="--runtime is for the Android agent"):
        LINUX_PYTHON.prepare(device, soon(), Preparing(runtime=archive))
    assert prepared(device, runtime=archive)


def test_a_library_that_no_page_of_the_device_takes_is_refused_before_a_push(
    device: LocalTransport, path: Path, tmp_path: Path
) -> None:
    program(path, "getconf", "echo 16384")
    with pytest.raises(
        StableDeviceError, match=r"pages of 16 KB.*TensorFlow Lite 2\.16\.1 .*4 KB.*--runtime"
    ):
        prepared(device)
    assert list(Path(device.workdir).iterdir()) == []
    libraries = {"arm64-v8a/x.so": elf("arm64-v8a", align=16384), "x86_64/x.so": elf("x86_64")}
    ready = prepared(device, runtime=aar(tmp_path / "a.aar", libraries))
    with pytest.raises(StableDeviceError, match=r"a\.aar for x86_64 is made for 4 KB"):
        ready.push(soon(), "library x86_64")


def test_an_archive_that_will_not_do_is_refused_before_a_push(
    device: LocalTransport, tmp_path: Path
) -> None:
    archive = aar(tmp_path / "a.aar", {"arm64-v8a/x.so": elf("arm64-v8a", CALLS[:1])})
    with pytest.raises(ConfigError, match="lacks 1 of the 2 functions"):
        prepared(device, runtime=archive)


@pytest.mark.parametrize("wish", ["library", "library mips", "\x1b[2J", "x" * 80])
def test_an_odd_wish_of_a_device_is_one_sentence(device: LocalTransport, wish: str) -> None:
    with pytest.raises(StableDeviceError, match="wants what there is not") as caught:
        prepared(device).push(soon(), wish)
    assert str(caught.value).isprintable()


# ---- its life


class Counted(LocalTransport):
    """Notes what is pushed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.pushed: list[str] = []

    def push(self, source: Any, remote: str, deadline: Deadline, mode: int = 0o644) -> None:
        self.pushed.append(remote.rpartition("/")[2].partition("-")[0])
        super().push(source, remote, deadline, mode)


class Mine:
    pytestmark = needs_shell

    @pytest.fixture
    def device(self, tmp_path: Path) -> Counted:
        return Counted(tmp_path / "work of ours")


class TestItsLife(Mine):
    def test_the_library_for_what_really_runs_is_pushed_and_nothing_twice(
        self, device: Counted
    ) -> None:
        for pushed in (["agent", "libtensorflowlite_jni"], []):
            device.pushed = []
            ready = prepared(device)  # the first ABI of its list is another one
            AgentClient.start(ready, soon()).close()
            assert device.pushed == pushed
            AgentClient.start(ready, soon()).close()
            assert device.pushed == pushed

    def test_an_abi_without_a_library_is_the_archives_fault(
        self, device: Counted, tmp_path: Path
    ) -> None:
        archive = aar(tmp_path / "a.aar", {"arm64-v8a/x.so": elf("arm64-v8a")})
        with pytest.raises(ConfigError, match=r"a\.aar has no library for x86_64"):
            AgentClient.start(prepared(device, runtime=archive), soon())

    def test_what_is_damaged_is_pushed_again(self, device: Counted) -> None:
        ready = prepared(device)
        AgentClient.start(ready, soon()).close()
        for pattern in ("agent-*.jar", "libtensorflowlite_jni-*.so"):
            for file in Path(device.workdir).glob(pattern):
                file.write_bytes(bytes(file.stat().st_size))  # as after a power cut
            AgentClient.start(ready, soon()).close()

    def test_a_folder_that_keeps_no_library_ends_with_one_sentence(
        self, device: Counted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lossy(self: Any, source: Any, remote: str, *_: Any) -> None:
            device.pushed.append(remote)
            if remote.endswith(".jar"):
                Path(remote).write_bytes(source)

        monkeypatch.setattr(Counted, "push", lossy)
        with pytest.raises(StableDeviceError, match=r"library x86_64 was pushed to .* not there"):
            AgentClient.start(prepared(device), soon())
        assert len(device.pushed) == 2

    def test_of_old_files_the_newest_few_are_kept(self, device: Counted) -> None:
        folder = Path(device.workdir)
        for number in range(9):
            for name in (f"agent-{number:016}.jar", f"libtensorflowlite_jni-{number:016}.so"):
                (folder / name).write_bytes(b"old")
                os.utime(folder / name, (number, number))
        AgentClient.start(prepared(device), soon()).close()
        left = sorted(file.name for file in folder.iterdir() if file.is_file())
        assert len([name for name in left if name.endswith(".jar")]) == 4
        assert len([name for name in left if name.endswith(".so")]) == 4
        AgentClient.start(prepared(device), soon()).close()

    @pytest.mark.parametrize("with_sum", [True, False])
    def test_without_sha256sum_a_jar_that_was_cut_is_still_found(
        self, device: Counted, with_sum: bool
    ) -> None:
        ready = prepared(device)
        ready._device = dataclasses.replace(ready._device, has_sha256sum=with_sum)
        AgentClient.start(ready, soon()).close()
        [jar] = Path(device.workdir).glob("agent-*.jar")
        whole = jar.read_bytes()
        jar.write_bytes(whole[:-1])
        AgentClient.start(ready, soon()).close()
        assert jar.read_bytes() == whole

    def test_its_checks_say_what_runs_it(self, device: Counted) -> None:
        found = {check.name: check for check in ANDROID_JAVA.examine(device, soon())}
        assert {check.status for check in found.values()} == {CheckStatus.OK}
        assert found["runtime for"].evidence == "arm64-v8a, x86_64"
        assert found["memory pages"].evidence == "4 KB"
        assert found["one agent"].evidence == "flock"

    def test_its_checks_say_what_is_not_built(
        self, device: Counted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(built_module, "built_folder", lambda: tmp_path / "nothing")
        *_, check = ANDROID_JAVA.examine(device, soon())
        assert check.status is CheckStatus.FAIL
        assert check.evidence == "the Android agent is not built here"
        assert check.remedy == "Run `make android`."


# ---- one at a time


def holder(device: LocalTransport) -> int:
    return int((Path(device.workdir) / "lock").read_text())


class TestOneAtATime(Mine):
    def test_it_holds_the_lock_with_its_number_until_it_has_ended(self, device: Counted) -> None:
        client = AgentClient.start(prepared(device), soon())
        assert holder(device) == client._watcher.pid
        taken = ["flock", "-n", f"{device.workdir}/lock", "true"]
        assert subprocess.run(taken, check=False).returncode == 1
        client.close()
        assert subprocess.run(taken, check=False).returncode == 0

    @pytest.mark.parametrize("kinds", ["java java", "java python", "python java"])
    def test_no_two_agents_of_whatever_kind_measure_at_once(
        self, device: Counted, kinds: str
    ) -> None:
        one, two = (
            prepared(device)
            if kind == "java"
            else LINUX_PYTHON.prepare(device, soon(), Preparing())
            for kind in kinds.split()
        )
        AgentClient.start(two, soon()).close()  # its files are there
        first = AgentClient.start(one, soon())
        try:
            with pytest.raises(TransientDeviceError, match=rf"process {first._watcher.pid}\)"):
                AgentClient.start(two, soon(4))
        finally:
            first.close()
        AgentClient.start(two, soon()).close()

    @pytest.mark.skipif(
        not shutil.which("mksh") or not shutil.which("toybox"),
        reason="needs Android's shell: apt-get install mksh toybox",
    )
    def test_so_it_is_in_androids_own_shell(self, device: Counted, path: Path) -> None:
        for name, program in (("sh", "mksh"), *((word, "toybox") for word in TOYS)):
            (path / name).symlink_to(shutil.which(program) or "")
        ready = prepared(device)
        assert (ready._device.has_flock, ready._device.has_sha256sum) == (True, True)
        first = AgentClient.start(ready, soon())
        assert holder(device) == first._watcher.pid
        with pytest.raises(TransientDeviceError, match=rf"process {holder(device)}\)"):
            AgentClient.start(ready, soon(3))
        first.close()
        AgentClient.start(ready, soon()).close()

    def test_it_waits_until_the_other_has_left(self, device: Counted) -> None:
        ready = prepared(device)
        AgentClient.start(ready, soon()).close()
        lock = f"{device.workdir}/lock"
        other = subprocess.Popen(["flock", lock, "sleep", "1"])
        time.sleep(0.3)
        client = AgentClient.start(ready, soon())
        assert other.wait() == 0
        client.close()

    def test_a_hang_up_ends_one_that_waits_and_not_one_that_measures(
        self, device: Counted
    ) -> None:
        ready = prepared(device)
        client = AgentClient.start(ready, soon())
        waiting = ready.open(soon())
        pid = int(waiting.read_line(soon()).split()[-1])
        for number in (client._watcher.pid, pid):
            os.kill(number, signal.SIGHUP)
        with pytest.raises(TransientDeviceError):
            waiting.read_line(soon(5))
        waiting.close()
        assert client.spooled(soon()) == ()
        client.close()

    @pytest.mark.parametrize("broken", ["exit 127", "echo bad descriptor >&2; exit 1"])
    def test_where_flock_does_not_work_it_is_started_without(
        self, device: Counted, path: Path, broken: str
    ) -> None:
        app_process(path, locks=False)
        program(path, "flock", broken)
        ready = prepared(device)
        assert not ready._device.has_flock
        AgentClient.start(ready, soon()).close()
        assert not list(Path(device.workdir).glob("lock.*"))


# ---- what a start may say


class Saying:
    """A device on which every start says the next of some lines and ends."""

    serial, workdir = "toy-1", "/w"

    def __init__(self, *lines: bytes) -> None:
        self.lines, self.pushed = list(lines), []

    def open(self, command: str, deadline: Deadline) -> Any:
        lines = [self.lines.pop(0)] if self.lines else []
        return OneLine(lines)

    def push(self, data: bytes, remote: str, deadline: Deadline) -> None:
        self.pushed.append(remote)

    def run(self, command: str, deadline: Deadline) -> ShellResult:
        return ShellResult(command, b"", b"", 0)


class OneLine:
    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines

    def write(self, data: bytes, deadline: Deadline) -> None: ...

    def read_line(self, deadline: Deadline) -> bytes:
        if not self.lines:
            raise TransientDeviceError("toy-1: it has ended.")
        return self.lines.pop()

    def close(self) -> None: ...


def start(*lines: bytes) -> Saying:
    transport = Saying(*lines)
    with pytest.raises(StableDeviceError, match="was pushed to /w but is not there") as caught:
        AgentClient.start(ToyAgent(transport), soon())
    assert str(caught.value).isprintable()
    return transport


class Crashing(OneLine):
    def read_line(self, deadline: Deadline) -> bytes:
        if not self.lines:
            raise ProcessEnded("toy-1: a program has ended", 134)
        return self.lines.pop()


def test_what_a_crashing_program_prints_is_no_message_of_an_agent() -> None:
    transport = Saying()
    transport.open = lambda *_: Crashing([b"#", b"# A fatal error"])  # type: ignore[method-assign]
    with pytest.raises(TransientDeviceError, match="a program has ended"):
        AgentClient.start(ToyAgent(transport), soon())


HERE = b"adadeep: the agent is not here"


def test_the_same_wish_twice_in_a_row_ends_the_start() -> None:
    assert start(HERE, HERE).pushed == ["/w/toy"]
    assert start(HERE + b": library x86\n", HERE + b": library x86\n").pushed == ["/w/library x86"]


def test_wishes_that_differ_end_after_a_few() -> None:
    lines = [HERE, HERE + b": library x86", HERE, HERE + b": a", HERE, HERE + b": b"]
    assert len(start(*lines).pushed) == 4


def test_a_long_wish_is_cut() -> None:
    wish = HERE + b": " + b"x" * 5000
    [pushed] = start(wish, wish).pushed
    assert len(pushed) < 100
