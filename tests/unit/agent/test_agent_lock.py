"""The device's lock: it keeps out agents that take flock and such as take a record lock only."""

import contextlib
import errno
import fcntl
import subprocess
import sys

import pytest

from adadeep_agent.serve import device_lock
from adadeep_agent.wire import ErrorCode, WireError

# Holds the file by a kind of lock until its stdin ends, its process id in it, as agents do;
# prints whether it got it.
HOLDER = """
import fcntl, os, sys
file = open(sys.argv[2], "r+")
try:
    getattr(fcntl, sys.argv[1])(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    print("busy", flush=True)
    sys.exit()
file.write(str(os.getpid()))
file.flush()
print("got", flush=True)
sys.stdin.read()
"""
KINDS = ("flock", "lockf")


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "lock"
    file.touch()
    return str(file)


@contextlib.contextmanager
def other_process(kind, path):
    """Another agent, which tries to take that kind; gives its id and whether it got it."""
    words = [sys.executable, "-c", HOLDER, kind, path]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process.pid, process.stdout.readline().strip() == "got"
        finally:
            process.stdin.close()
            process.wait(30)


def held(path, wait_ms=0, host_gone=lambda: False):
    return device_lock(path, wait_ms, host_gone)


@pytest.mark.parametrize("kind", KINDS)
def test_who_holds_it_is_named_and_when_it_has_gone_the_device_is_ours(kind, path):
    with other_process(kind, path) as (pid, got):
        assert got
        with pytest.raises(WireError, match=rf"process {pid}\)") as caught, held(path):
            pass
        assert caught.value.code == ErrorCode.BUSY
    with held(path):
        pass


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_out_either_kind_and_lets_it_in_afterwards(kind, path):
    with held(path), other_process(kind, path) as (_, got):
        assert not got
    with other_process(kind, path) as (_, got):
        assert got


def test_who_waits_for_a_record_lock_holds_no_flock_meanwhile(path):
    found = []

    def look():
        with other_process("flock", path) as (_, got):
            found.append(got)
        return False

    with other_process("lockf", path), pytest.raises(WireError), held(path, 0, look):
        pass
    assert found == [True]


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EINVAL])
def test_where_files_have_no_record_locks_flock_has_to_do(code, path, monkeypatch):
    def refused(*_):
        raise OSError(code, "no record locks")

    monkeypatch.setattr(fcntl, "lockf", refused)
    with held(path), other_process("flock", path) as (_, got):
        assert not got
