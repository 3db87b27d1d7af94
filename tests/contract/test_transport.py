"""Every transport keeps the promises of `core.transport.Transport`."""

from __future__ import annotations

import random
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adadeep.core.check import CheckStatus
from adadeep.core.clock import Deadline
from adadeep.core.errors import StableDeviceError, TransientDeviceError
from adadeep.core.transport import Transport
from adadeep.devices.adb.transport import AdbTransport
from adadeep.devices.local import LocalTransport

KINDS = [
    "local",
    pytest.param("adb", marks=pytest.mark.lab),
    pytest.param("adb-without-shell-v2", marks=pytest.mark.lab),
    pytest.param("adb-shell-service", marks=pytest.mark.lab),
]


def soon(seconds: float = 20) -> Deadline:
    return Deadline.after(seconds)


@pytest.fixture(params=KINDS)
def transport(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Transport]:
    if request.param == "local":
        yield LocalTransport(tmp_path / "agent")
        return
    box = request.getfixturevalue("lab_box")
    features = None if request.param == "adb" else frozenset({"cmd"})
    made = AdbTransport(box.serial, features=features)
    if request.param == "adb-shell-service":  # adbd before Android 5 has no exec:
        made._plain_service = "shell"
    yield made
    made.run(f"rm -rf {shlex.quote(made.workdir)}/t-*", soon())


class TestRun:
    def test_gives_the_exit_code_of_the_command(self, transport: Transport) -> None:
        assert transport.run("exit 9", soon()).exit_code == 9
        assert transport.run("true", soon()).exit_code == 0

    def test_keeps_stdout_and_stderr_apart(self, transport: Transport) -> None:
        done = transport.run("echo out; echo err >&2; exit 3", soon())
        assert (done.stdout, done.stderr, done.exit_code) == (b"out\n", b"err\n", 3)

    def test_passes_bytes_as_they_are(
        self, transport: Transport, request: pytest.FixtureRequest
    ) -> None:
        if "shell-service" in request.node.name:
            pytest.skip("a terminal turns line feeds into CR LF")
        done = transport.run(r"printf 'a\000\r\n\377b'", soon())
        assert done.stdout == b"a\0\r\n\xffb"

    def test_stdout_without_a_line_feed_at_its_end_is_kept(self, transport: Transport) -> None:
        assert transport.run("printf abc", soon()).stdout == b"abc"

    def test_a_syntax_error_is_an_exit_code(self, transport: Transport) -> None:
        done = transport.run("if then (", soon())
        assert done.exit_code != 0
        assert done.stderr

    def test_a_command_that_reads_stdin_sees_its_end(self, transport: Transport) -> None:
        assert transport.run("cat; echo done", soon()).stdout == b"done\n"

    def test_a_long_output_comes_whole(self, transport: Transport) -> None:
        done = transport.run(
            "i=0; while [ $i -lt 9000 ]; do echo line $i; i=$((i+1)); done", soon()
        )
        assert done.text.split("\n")[:-1] == [f"line {i}" for i in range(9000)]

    def test_output_without_end_is_stable_and_names_device_and_command(
        self, transport: Transport
    ) -> None:
        with pytest.raises(StableDeviceError, match=r"yes.* printed more than 0.1 MB") as caught:
            transport.run("yes", soon(60), most_bytes=100_000)
        assert transport.serial in str(caught.value)
        assert transport.run("echo well", soon()).stdout.strip() == b"well"

    def test_a_passed_deadline_is_transient_and_names_the_device(
        self, transport: Transport
    ) -> None:
        began = time.monotonic()
        with pytest.raises(TransientDeviceError, match=transport.serial):
            transport.run("sleep 30", soon(0.3))
        assert time.monotonic() - began < 10

    def test_a_deadline_that_has_passed_before_the_call_is_transient(
        self, transport: Transport
    ) -> None:
        with pytest.raises(TransientDeviceError, match=transport.serial):
            transport.run("true", soon(0))


class TestFiles:
    def test_five_megabytes_go_and_come_back(self, transport: Transport) -> None:
        data = random.Random(1).randbytes(5_000_000)
        remote = f"{transport.workdir}/t-big"
        transport.push(data, remote, soon())
        assert transport.pull(remote, soon()) == data

    def test_push_makes_the_folder_and_takes_files_of_the_host(
        self, transport: Transport, tmp_path: Path
    ) -> None:
        source = tmp_path / "source"
        source.write_bytes(b"")
        remote = f"{transport.workdir}/t-folder/deeper/with space"
        transport.push(source, remote, soon())
        assert transport.pull(remote, soon()) == b""

    def test_push_replaces_what_was_there(self, transport: Transport) -> None:
        remote = f"{transport.workdir}/t-twice"
        transport.push(b"a long first content", remote, soon())
        transport.push(b"second", remote, soon())
        assert transport.pull(remote, soon()) == b"second"

    def test_mode_lets_a_program_run(self, transport: Transport) -> None:
        remote = f"{transport.workdir}/t-program"
        shell = transport.run("[ -x /bin/sh ] && echo /bin/sh || command -v sh", soon()).text
        transport.push(f"#!{shell}echo works\n".encode(), remote, soon(), mode=0o700)
        assert transport.run(remote, soon()).stdout == b"works\n"

    def test_pull_of_a_missing_file_is_stable_and_names_file_and_device(
        self, transport: Transport
    ) -> None:
        with pytest.raises(StableDeviceError, match=r"t-missing.*No such file") as caught:
            transport.pull(f"{transport.workdir}/t-missing", soon())
        assert transport.serial in str(caught.value)

    def test_push_where_nothing_can_be_written_says_why(self, transport: Transport) -> None:
        with pytest.raises(StableDeviceError, match=transport.serial):
            transport.push(b"x", "/proc/adadeep/x", soon())

    def test_a_passed_deadline_is_transient(self, transport: Transport) -> None:
        with pytest.raises(TransientDeviceError, match=transport.serial):
            transport.push(b"x", f"{transport.workdir}/t-late", soon(0))


class TestOpen:
    def test_lines_go_there_and_come_back(self, transport: Transport) -> None:
        stream = transport.open("cat", soon())
        try:
            for line in (b"one", b"", b"\xff\x00\xfe", b"q" * 300_000):
                stream.write(line + b"\n", soon())
                assert stream.read_line(soon()) == line
        finally:
            stream.close()

    def test_stderr_does_not_mix_in(self, transport: Transport) -> None:
        stream = transport.open("echo err >&2; echo out", soon())
        try:
            assert stream.read_line(soon()) == b"out"
        finally:
            stream.close()

    def test_close_lets_the_process_see_the_end_of_its_stdin(self, transport: Transport) -> None:
        mark = f"{transport.workdir}/t-ended"
        stream = transport.open(f"cat; echo seen > {shlex.quote(mark)}", soon())
        stream.write(b"x\n", soon())
        assert stream.read_line(soon()) == b"x"
        stream.close()
        stream.close()
        wait = f"i=0; while [ ! -s {mark} ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done"
        transport.run(wait, soon())
        assert transport.pull(mark, soon()) == b"seen\n"

    def test_the_end_of_the_process_is_transient_and_names_the_device(
        self, transport: Transport
    ) -> None:
        stream = transport.open("echo last; exit 3", soon())
        try:
            assert stream.read_line(soon()) == b"last"
            with pytest.raises(TransientDeviceError, match=transport.serial):
                stream.read_line(soon())
        finally:
            stream.close()

    def test_a_line_without_end_is_stable_and_names_the_device(self, transport: Transport) -> None:
        stream = transport.open("yes | tr -d '\\n'", soon())
        try:
            with pytest.raises(StableDeviceError, match=f"^{transport.serial}: .* in one go"):
                stream.read_line(soon(120))
        finally:
            stream.close()

    def test_silence_until_the_deadline_is_transient(self, transport: Transport) -> None:
        stream = transport.open("cat", soon())
        try:
            with pytest.raises(TransientDeviceError, match=transport.serial):
                stream.read_line(soon(0.2))
        finally:
            stream.close()


def test_it_knows_whether_it_leads_to_this_computer(transport: Transport) -> None:
    boot_id = "/proc/sys/kernel/random/boot_id"
    there = transport.run(f"cat {boot_id}; pwd -P", soon()).text
    assert transport.is_this_computer is (transport.kind == "local")
    if transport.is_this_computer and Path(boot_id).exists():
        assert Path(boot_id).read_text() in there


def test_its_own_checks_are_well(transport: Transport) -> None:
    checks = transport.examine(soon())
    assert checks
    assert {check.status for check in checks} == {CheckStatus.OK}


def test_workdir_is_private_and_lets_programs_run(transport: Transport) -> None:
    folder = shlex.quote(transport.workdir)
    assert transport.run(f"ls -ld {folder}", soon()).text.startswith("drwx------")
