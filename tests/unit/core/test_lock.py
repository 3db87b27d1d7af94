"""A lock ends with its block, or with its process; waiting for it ends, too."""

import subprocess
import sys
import threading
import time

import pytest

from adadeep.core.lock import holding

HOLD = """
import sys, time
from pathlib import Path
from adadeep.core.lock import holding
with holding(Path(sys.argv[1]), 5):
    print("held", flush=True)
    time.sleep(60)
"""


def test_who_holds_it_keeps_others_out_until_they_give_up(tmp_path):
    path = tmp_path / ".lock"
    with holding(path, 0), pytest.raises(TimeoutError), holding(path, 0.05):
        pass
    with holding(path, 0):
        assert path.read_bytes() == b""


def test_who_waits_gets_it_when_it_is_free(tmp_path):
    order = []

    def wait():
        with holding(tmp_path / ".lock", 30):
            order.append("second")

    with holding(tmp_path / ".lock", 0):
        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.1)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_a_killed_process_holds_it_no_longer(tmp_path):
    path = tmp_path / ".lock"
    arguments = [sys.executable, "-c", HOLD, str(path)]
    environment = {"PYTHONPATH": ":".join(part for part in sys.path if part)}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environment) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(TimeoutError), holding(path, 0):
            pass
        holder.kill()
    with holding(path, 5):
        pass


def test_a_folder_that_is_missing_is_told(tmp_path):
    with pytest.raises(FileNotFoundError), holding(tmp_path / "no" / ".lock", 0):
        pass
