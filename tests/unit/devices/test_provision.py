"""Which Python of a board is taken, and what is said where none will do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import StableDeviceError
from adadeep.core.protocols import ShellResult
from adadeep.devices.local import LocalTransport
from adadeep.devices.provision import free_bytes, probe_python, require_python


class BoardTransport(LocalTransport):
    """This computer posing as a board: its commands see only the programs in one folder."""

    kind = "adb"
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


def test_no_python_is_none_and_told_what_is_to_come(board: BoardTransport) -> None:
    assert probe_python(board, soon()) is None
    with pytest.raises(StableDeviceError, match=r"board1.*no Python.*still to come"):
        require_python(board, soon())


def test_the_python_that_has_a_runtime_is_taken_before_the_first(board: BoardTransport) -> None:
    board.add_python("python3", None, "3.12.1")
    board.add_python("python", "1.26.4", "3.9.2")
    found = probe_python(board, soon())
    assert found is not None
    assert (found.executable, found.complete) == ("/bin/python", True)
    assert (found.runtime, found.runtime_version) == ("tensorflow", "2.20.0")
    assert require_python(board, soon()) == found


def test_without_a_runtime_the_newest_is_taken_and_provisioning_offered(
    board: BoardTransport,
) -> None:
    board.add_python("python3", None, "3.9.2")
    board.add_python("python", None, "3.10.0")
    found = probe_python(board, soon())
    assert found is not None
    assert found.version_pair == (3, 10)
    with pytest.raises(StableDeviceError, match=r"no numpy.*--provision"):
        require_python(board, soon())


def test_an_old_python_is_told_with_what_is_needed(board: BoardTransport) -> None:
    board.add_python("python3", None, "3.5.3")
    with pytest.raises(StableDeviceError, match=r"3\.5\.3.*3\.8"):
        require_python(board, soon())


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
