"""The script that looks for a work folder, run by this computer's shell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import StableDeviceError
from adadeep.core.transport import MOST_OUTPUT_BYTES, ShellResult
from adadeep.devices.adb.transport import AdbTransport


class HereTransport(AdbTransport):
    """A board whose /tmp and home are folders of this computer, and which has no /data."""

    def __init__(self, folder: Path) -> None:
        super().__init__("board1")
        self.environment = {**os.environ, "TMPDIR": f"{folder}/tmp", "HOME": f"{folder}/home"}
        for name in ("tmp", "home"):
            (folder / name).mkdir()

    def run(
        self, command: str, deadline: Deadline, most_bytes: int = MOST_OUTPUT_BYTES
    ) -> ShellResult:
        command = command.replace("/data/local/tmp", "/nowhere")
        done = subprocess.run(["sh", "-c", command], capture_output=True, env=self.environment)
        return ShellResult(command, done.stdout, done.stderr, done.returncode)


@pytest.fixture
def board(tmp_path: Path) -> HereTransport:
    return HereTransport(tmp_path)


def in_tmp(folder: Path) -> Path:
    return folder / "tmp" / f"adadeep-{os.getuid()}"


def test_it_is_made_closed_to_others(board: HereTransport, tmp_path: Path) -> None:
    assert board.workdir == str(in_tmp(tmp_path))
    assert in_tmp(tmp_path).stat().st_mode & 0o777 == 0o700
    assert list(in_tmp(tmp_path).iterdir()) == []


def test_a_link_to_a_folder_of_ours_is_passed_over(board: HereTransport, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o700)
    in_tmp(tmp_path).symlink_to(mine)
    assert board.workdir == f"{tmp_path}/home/.adadeep"
    assert list(mine.iterdir()) == []


def test_a_link_to_nowhere_is_passed_over(board: HereTransport, tmp_path: Path) -> None:
    in_tmp(tmp_path).symlink_to(tmp_path / "not there")
    assert board.workdir == f"{tmp_path}/home/.adadeep"


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o755, 0o701])
def test_a_folder_that_others_can_enter_is_passed_over(
    board: HereTransport, tmp_path: Path, mode: int
) -> None:
    in_tmp(tmp_path).mkdir()
    in_tmp(tmp_path).chmod(mode)
    assert board.workdir == f"{tmp_path}/home/.adadeep"


def test_where_none_is_left_each_reason_is_told(board: HereTransport, tmp_path: Path) -> None:
    in_tmp(tmp_path).symlink_to(tmp_path)
    (tmp_path / "home/.adadeep").mkdir()
    (tmp_path / "home/.adadeep").chmod(0o777)
    with pytest.raises(StableDeviceError, match=r"board1: .*: is a link; .*chmod 700 it\)"):
        _ = board.workdir
