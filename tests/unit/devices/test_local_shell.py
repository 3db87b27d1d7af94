"""Processes of this computer: deadlines, families, failures to start, folders."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import DeadlinePassed, StableDeviceError, TransientDeviceError
from adadeep.devices.local import LocalTransport
from adadeep.devices.shell import run_process


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_a_program_that_is_not_there_is_stable() -> None:
    with pytest.raises(StableDeviceError, match=r"no-such-program.*No such file"):
        run_process(["no-such-program"], Deadline.after(1))


def test_what_the_program_started_ends_with_it_at_the_deadline(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(TransientDeviceError, match="x: sh -c"):
        run_process(["sh", "-c", f"sleep 60 & echo $! >{note}; wait"], Deadline.after(0.5), "x")
    pid = int(note.read_text())
    until = time.monotonic() + 5
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not alive(pid)


def test_a_process_that_answers_while_we_write_does_not_block_us(tmp_path: Path) -> None:
    stream = LocalTransport(tmp_path).open("cat", Deadline.after(5))
    line = b"x" * 2_000_000  # far more than two pipes hold
    stream.write(line + b"\n", Deadline.after(20))
    assert stream.read_line(Deadline.after(20)) == line
    stream.close()


def test_the_work_folder_follows_xdg_and_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = Path(LocalTransport().workdir)
    assert folder == tmp_path / "adadeep" / "agent"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_work_folder_that_cannot_be_made_names_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StableDeviceError, match="local: making the work folder"):
        _ = LocalTransport(tmp_path / "file" / "work").workdir


def test_a_failed_push_leaves_nothing_half_written(tmp_path: Path) -> None:
    transport = LocalTransport(tmp_path)
    transport.push(b"old", str(tmp_path / "f"), Deadline.after(5))
    (tmp_path / "folder").mkdir()
    with pytest.raises(StableDeviceError, match="local: writing"):
        transport.push(b"new", str(tmp_path / "folder"), Deadline.after(5))
    assert transport.pull(str(tmp_path / "f"), Deadline.after(5)) == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "folder"]


def test_a_program_that_prints_for_ever_is_ended_with_a_stable_error(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    command = f"echo $$ >{note}; exec yes {'long ' * 30}"
    with pytest.raises(StableDeviceError, match=r"^x: 'sh -c echo .*\.\.\.' printed more than"):
        run_process(["sh", "-c", command], Deadline.after(60), "x", most_bytes=1_000_000)
    assert not alive(int(note.read_text()))


def test_stderr_counts_as_well(tmp_path: Path) -> None:
    with pytest.raises(StableDeviceError, match=r"local.* printed more than 8 MB"):
        LocalTransport(tmp_path).run("yes >&2", Deadline.after(60))


def test_silence_leaves_a_stream_good(tmp_path: Path) -> None:
    stream = LocalTransport(tmp_path).open("printf he; read x; echo llo", Deadline.after(5))
    with pytest.raises(DeadlinePassed):
        stream.read_line(Deadline.after(0.2))
    stream.write(b"\n", Deadline.after(5))
    assert stream.read_line(Deadline.after(20)) == b"hello"
    stream.close()
