import errno
import os
import subprocess
import sys
import time

import pytest

from adadeep.core.errors import ConfigError
from adadeep.core.files import remove_parts, write_atomic, write_through


def test_a_write_replaces_the_whole_file_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "plan.json"
    write_atomic(path, b"long content")
    write_atomic(path, b"short")
    assert path.read_bytes() == b"short"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unwritable_place_is_an_input_error(tmp_path):
    with pytest.raises(ConfigError, match="can't be written"):
        write_atomic(tmp_path / "missing" / "file", b"")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("Can't decrement id ref count (unable to close file, errno = 28)"),
        ValueError("Can't close the ZIP file while there is an open writing handle on it."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_full_disk_is_one_error_with_a_remedy_and_leaves_the_old_file_alone(tmp_path, error):
    path = tmp_path / "initial.keras"
    write_atomic(path, b"old")

    def write(temporary):
        assert temporary.suffix == ".keras"
        temporary.write_bytes(b"half")
        raise error

    with pytest.raises(ConfigError, match=r"initial\.keras can't be written .*free some space"):
        write_through(path, write)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_only_when_it_is_synced_is_told_as_well(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        write_atomic(tmp_path / "plan.json", b"{}")
    assert not list(tmp_path.iterdir())


def test_what_a_killed_writer_left_is_removed_once_it_is_old(tmp_path):
    die = "import os; os.fsync = lambda _: os.kill(os.getpid(), 9)"
    write = "from adadeep.core.files import *; write_atomic(Path('plan.json'), b'new')"
    (tmp_path / "plan.json").write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", f"{die}; {write}"], cwd=tmp_path, check=False)
    assert done.returncode == -9
    [left] = tmp_path.glob(".part.*")
    remove_parts(tmp_path, 3600)
    assert left.exists()  # it might be another's that lives
    os.utime(left, (time.time() - 3700,) * 2)
    remove_parts(tmp_path, 3600)
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
    assert (tmp_path / "plan.json").read_bytes() == b"old"


def test_only_files_of_our_naming_are_removed(tmp_path):
    (tmp_path / ".part.folder").mkdir()
    (tmp_path / ".notes.toml").write_bytes(b"")
    remove_parts(tmp_path)
    remove_parts(tmp_path / "missing")
    assert len(list(tmp_path.iterdir())) == 2
