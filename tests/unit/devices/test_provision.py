"""Which Python of a board is taken, and what is said where none will do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adadeep.core.agent_kind import Preparing
from adadeep.core.clock import Deadline
from adadeep.core.errors import NoAgentError, StableDeviceError
from adadeep.core.transport import ShellResult
from adadeep.devices.agent_kinds.linux_python.kind import LINUX_PYTHON, LinuxAgent
from adadeep.devices.agent_kinds.linux_python.python import probe_python
from adadeep.devices.local import LocalTransport
from adadeep.devices.passing import passing_folder
from adadeep.devices.work_folder import free_bytes


class BoardTransport(LocalTransport):
    """This computer posing as a board: its commands see only the programs in one folder."""

    kind = "adb"
    is_this_computer = False
    serial = "board1"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "work")
        self.programs = folder / "bin"
        self.programs.mkdir()
        for name in ("readlink", "sh"):
            (self.programs / name).symlink_to(str(shutil.which(name)))

    def run(self, command: str, deadline: Deadline) -> ShellResult:
        here = command.replace("/usr/", "/nowhere/").replace("/opt/", "/nowhere/")
        done = subprocess.run(
            ["sh", "-c", here], capture_output=True, env={"PATH": str(self.programs)}
        )
        return ShellResult(command, done.stdout, done.stderr, done.returncode)

    def add_python(self, name: str, numpy: str | None, version: str = "3.11.2") -> None:
        found = {"numpy": numpy, "ai_edge_litert": None, "tflite_runtime": None}
        found |= {"tensorflow": "2.20.0" if numpy else None}
        answer = {
            "executable": f"/bin/{name}", "version": version, "machine": "aarch64", "bits": 64,
            "libc": ["glibc", "2.31"], "implementation": "CPython", "folder": "/w/runtime-x",
            "found": found, "own": False,
        }  # fmt: skip
        script = f"#!/bin/sh\necho '{json.dumps(answer)}'\nexit {0 if numpy else 1}\n"
        (self.programs / name).write_text(script)
        (self.programs / name).chmod(0o755)


@pytest.fixture
def board(tmp_path: Path) -> BoardTransport:
    return BoardTransport(tmp_path)


def soon() -> Deadline:
    return Deadline.after(20)


def prepare(board: BoardTransport) -> LinuxAgent:
    return LINUX_PYTHON.prepare(board, soon(), Preparing())


def test_no_python_is_none_and_told_so(board: BoardTransport) -> None:
    assert probe_python(board, soon()) is None
    with pytest.raises(NoAgentError, match=r"board1.*no Python.*needs 3\.8 or newer"):
        prepare(board)


def test_the_python_that_has_a_runtime_is_taken_before_the_first(board: BoardTransport) -> None:
    board.add_python("python3", None, "3.12.1")
    board.add_python("python", "1.26.4", "3.9.2")
    found = probe_python(board, soon())
    assert found is not None
    assert (found.executable, found.complete) == ("/bin/python", True)
    assert (found.runtime, found.runtime_version) == ("tensorflow", "2.20.0")
    assert prepare(board) == LinuxAgent(board, "/bin/python", None)


def test_without_a_runtime_the_newest_is_taken_and_provisioning_offered(
    board: BoardTransport,
) -> None:
    board.add_python("python3", None, "3.9.2")
    board.add_python("python", None, "3.10.0")
    found = probe_python(board, soon())
    assert found is not None
    assert found.version_pair == (3, 10)
    with pytest.raises(NoAgentError, match=r"no numpy.*--provision"):
        prepare(board)
    asked: list[str] = []
    with pytest.raises(NoAgentError, match="no numpy"):
        LINUX_PYTHON.prepare(board, soon(), Preparing(asked.append))  # type: ignore[arg-type]
    assert len(asked) == 1
    assert "no numpy" in asked[0]


def test_an_old_python_is_told_with_what_is_needed(board: BoardTransport) -> None:
    board.add_python("python3", None, "3.5.3")
    with pytest.raises(NoAgentError, match=r"3\.5\.3.*3\.8"):
        prepare(board)


def test_links_to_one_python_are_asked_once(board: BoardTransport) -> None:
    board.add_python("python3", None)
    counter = board.programs.parent / "count"
    script = board.programs / "python3"
    script.write_text(script.read_text().replace("exit 1", f"echo x >>{counter}; exit 1"))
    (board.programs / "python").symlink_to(script)
    assert probe_python(board, soon()) is not None
    assert counter.read_text() == "x\n"


def test_the_probe_runs_on_this_computer_and_tells_the_truth(tmp_path: Path) -> None:
    found = probe_python(LocalTransport(tmp_path), soon())
    assert found is not None
    assert Path(found.executable).samefile(sys.executable)
    assert found.version_pair == sys.version_info[:2]
    assert found.complete
    assert found.python_path is None


@pytest.mark.parametrize(
    "answer",
    ['{"executable": 1}', "{nonsense", '{"a": ' * 100_000, '{"executable": "x", "version": "x"}'],
)
def test_an_answer_that_no_python_gives_is_a_stable_error(
    board: BoardTransport, answer: str
) -> None:
    (board.programs / "answer").write_text(answer)
    (board.programs / "cat").symlink_to(str(shutil.which("cat")))
    (board.programs / "python3").write_text(f"#!/bin/sh\ncat {board.programs}/answer\n")
    (board.programs / "python3").chmod(0o755)
    with pytest.raises(StableDeviceError, match="board1: a Python there does not say what it is"):
        probe_python(board, soon())


class TestPassingFolder:
    def test_it_goes_with_the_block(self, tmp_path: Path) -> None:
        with passing_folder(LocalTransport(tmp_path), soon()) as folder:
            assert Path(folder).parent == tmp_path / "tmp"
            (Path(folder) / "wheel").touch()
        assert not Path(folder).exists()

    def test_a_contact_removes_what_has_no_guard_and_leaves_what_has(self, tmp_path: Path) -> None:
        transport = LocalTransport(tmp_path)
        gone, other = tmp_path / "tmp/999999999", tmp_path / f"tmp/{os.getpid()}"
        with passing_folder(transport, soon()) as folder:
            for left in (gone, other):  # no such process, and one that guards nothing
                left.mkdir()
                (left / "wheel").touch()
            assert probe_python(transport, soon()) is not None
            assert list((tmp_path / "tmp").iterdir()) == [Path(folder)]

    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
    def test_a_host_that_is_killed_takes_it_along(self, tmp_path: Path) -> None:
        program = (
            "import os, signal, sys; from pathlib import Path\n"
            "from adadeep.core.clock import Deadline\n"
            "from adadeep.devices.local import LocalTransport\n"
            "from adadeep.devices.passing import passing_folder\n"
            "transport = LocalTransport(Path(sys.argv[1]))\n"
            "with passing_folder(transport, Deadline.after(9)) as folder:\n"
            "    (Path(folder) / 'wheel').touch()\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        done = subprocess.run([sys.executable, "-c", program, str(tmp_path)])
        assert done.returncode == -9
        deadline = soon()
        while (tmp_path / "tmp").exists() and not deadline.expired:
            time.sleep(0.02)
        assert list(tmp_path.iterdir()) == []


def test_a_runtime_folder_of_ours_is_found(tmp_path: Path) -> None:
    first = probe_python(LocalTransport(tmp_path), soon())
    assert first is not None
    Path(first.provision_folder).mkdir()
    found = probe_python(LocalTransport(tmp_path), soon())
    assert found is not None
    assert found.python_path == first.provision_folder


def test_free_space_is_what_the_system_says(tmp_path: Path) -> None:
    free = free_bytes(LocalTransport(tmp_path), soon())
    assert free is not None
    stats = os.statvfs(tmp_path)
    assert 0 < free <= stats.f_blocks * stats.f_frsize


@pytest.mark.parametrize(
    "harm",
    [
        lambda answer: answer.clear(),
        lambda answer: answer.update(version="3"),
        lambda answer: answer.update(version="\x1b[2J"),
        lambda answer: answer.update(bits="many"),
        lambda answer: answer.update(libc=[1, 2]),
        lambda answer: answer.update(found=None),
        lambda answer: answer["found"].pop("numpy"),
        lambda answer: answer["found"].update(tensorflow=[[]]),
        lambda answer: answer.update(found="[" * 20_000),
    ],
)
def test_a_python_that_answers_oddly_is_an_error_of_the_device(
    board: BoardTransport, harm: Callable[[dict[str, Any]], object]
) -> None:
    board.add_python("python3", "1.26.4")
    script = board.programs / "python3"
    first, line, last = script.read_text().splitlines()
    answer = json.loads(line.removeprefix("echo '").removesuffix("'"))
    harm(answer)
    (board.programs / "answer").write_text(json.dumps(answer) + "\n")
    (board.programs / "cat").symlink_to(str(shutil.which("cat")))
    script.write_text(f"{first}\ncat {board.programs}/answer\n{last}\n")
    with pytest.raises(StableDeviceError, match=r"board1: .*does not say what it is") as caught:
        probe_python(board, soon())
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("blocks", ["²", "9" * 5000, "many", "-"])
def test_free_space_that_is_no_number_is_unknown(board: BoardTransport, blocks: str) -> None:
    (board.programs / "df").write_text(f"#!/bin/sh\necho 'x 1 1 {blocks} 1% /'\n")
    (board.programs / "df").chmod(0o755)
    (board.programs / "tail").symlink_to(str(shutil.which("tail")))
    assert free_bytes(board, soon()) is None
