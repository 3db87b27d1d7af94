"""Temporary files lie in a folder of ours, and not longer than somebody uses it."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from adadeep.storage.scratch import scratch_folder

PROGRAM = """
import subprocess, sys, tempfile
from adadeep.storage.scratch import scratch_folder
with scratch_folder() as folder:
    tempfile.NamedTemporaryFile(prefix="__autograph_", delete=False).close()
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "adadeep" / "tmp"


def start() -> tuple[subprocess.Popen[str], Path]:
    path = os.pathsep.join(p for p in sys.path if p)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    return process, Path(process.stdout.readline().strip())


def test_temporary_files_of_this_process_and_its_children_go_there_and_are_removed(cache):
    before = tempfile.gettempdir()
    with scratch_folder() as folder:
        assert folder.parent == cache
        _, name = tempfile.mkstemp()
        child = subprocess.run(["mktemp"], capture_output=True, text=True, check=True)
        assert Path(name).parent == folder
        assert Path(child.stdout.strip()).parent == folder
    assert list(cache.iterdir()) == []
    assert tempfile.gettempdir() == before


def test_the_next_one_removes_what_a_killed_one_left_and_nothing_that_is_in_use(cache):
    killed, left = start()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    killed.stdin.close()
    killed.stdout.close()
    running, used = start()
    assert not left.exists()
    with scratch_folder() as folder:
        assert set(cache.iterdir()) == {used, folder}
        assert list(used.glob("__autograph_*"))
    running.communicate("")
    assert list(cache.iterdir()) == []


def test_a_link_left_there_is_not_followed(cache, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    cache.mkdir(parents=True)
    (cache / "1-link").symlink_to(precious)
    with scratch_folder():
        pass
    assert precious.is_dir()
