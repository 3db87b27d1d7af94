"""Framing: shell protocol 2, lines, and the token where shell protocol 2 is missing."""

from __future__ import annotations

import socket
import struct
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adadeep.core.clock import Deadline
from adadeep.core.errors import StableDeviceError, TransientDeviceError
from adadeep.devices.adb.connection import AdbSocket
from adadeep.devices.adb.packets import PacketKind, PacketReader, encode_close_stdin, encode_stdin
from adadeep.devices.adb.shell_protocol import PlainCommand, run_v2
from adadeep.devices.adb.sync import receive_file
from adadeep.devices.lines import LineBuffer


@given(st.lists(st.tuples(st.integers(0, 4), st.binary(max_size=50))), st.integers(1, 7))
def test_packets_come_whole_however_the_bytes_are_cut(
    packets: list[tuple[int, bytes]], piece: int
) -> None:
    data = b"".join(struct.pack("<BI", kind, len(body)) + body for kind, body in packets)
    reader = PacketReader("X")
    found = []
    for at in range(0, len(data), piece):
        found += reader.feed(data[at : at + piece])
    assert found == packets


def test_long_stdin_goes_in_several_packets() -> None:
    data = bytes(range(256)) * 300
    packets = PacketReader("X").feed(encode_stdin(data) + encode_close_stdin())
    assert len(packets) > 2
    assert packets[-1] == (PacketKind.CLOSE_STDIN, b"")
    assert b"".join(body for _, body in packets) == data
    assert {kind for kind, _ in packets[:-1]} == {PacketKind.STDIN}


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b""))), st.integers(1, 9))
def test_lines_come_whole_however_the_bytes_are_cut(lines: list[bytes], piece: int) -> None:
    data = b"".join(line + b"\n" for line in lines) + b"rest"
    buffer = LineBuffer("X")
    found = []
    for at in range(0, len(data), piece):
        buffer.feed(data[at : at + piece])
        while (line := buffer.take_line()) is not None:
            found.append(line)
    assert found == lines
    buffer.feed(b"\n")
    assert buffer.take_line() == b"rest"


def test_a_line_without_end_is_refused() -> None:
    buffer = LineBuffer("X", most_bytes=100)
    buffer.feed(b"x" * 100)
    with pytest.raises(StableDeviceError, match=r"^X: the process there says more than"):
        buffer.feed(b"x")


def test_a_packet_of_absurd_length_is_refused_before_it_comes() -> None:
    with pytest.raises(StableDeviceError, match=r"^X: .*4294967295 bytes"):
        PacketReader("X").feed(struct.pack("<BI", PacketKind.STDOUT, 0xFFFFFFFF))


def with_answer(answer: bytes, ask: Callable[[AdbSocket], object]) -> object:
    """What asking gives where the other end says this and hangs up."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(answer)
        theirs.shutdown(socket.SHUT_WR)
        return ask(AdbSocket(ours, "X"))


def test_output_beyond_the_bound_is_an_error_that_names_the_command() -> None:
    answer = struct.pack("<BI", PacketKind.STDOUT, 1000) + b"x" * 1000
    with pytest.raises(StableDeviceError, match=r"^X: 'dumpsys battery' printed more than"):
        with_answer(
            answer, lambda s: run_v2(s, "dumpsys battery", "X", Deadline.after(5), most_bytes=999)
        )


def test_an_exit_packet_without_a_code_is_a_failure() -> None:
    answer = struct.pack("<BI", PacketKind.EXIT, 0)
    done = with_answer(answer, lambda s: run_v2(s, "true", "X", Deadline.after(5)))
    assert done.exit_code == 255


def test_a_file_beyond_the_bound_and_a_piece_of_absurd_length_are_refused() -> None:
    def receive(s: AdbSocket) -> bytes:
        return receive_file(s, "/f", "X", Deadline.after(5), most_bytes=999)

    with pytest.raises(StableDeviceError, match=r"^X: reading /f failed: it has more than"):
        with_answer(b"DATA" + struct.pack("<I", 1000) + b"x" * 1000, receive)
    for status in (b"DATA", b"FAIL"):
        with pytest.raises(TransientDeviceError, match=r"^X: the link broke"):
            with_answer(status + struct.pack("<I", 0xFFFFFFFF) + b"x", receive)


class TestPlainCommand:
    def run(self, command: str) -> tuple[PlainCommand, bytes]:
        plain = PlainCommand(command)
        return plain, subprocess.run(["sh", "-c", plain.script], capture_output=True).stdout

    def test_gives_exit_code_stdout_and_stderr(self) -> None:
        plain, output = self.run("printf 'a\\nb'; echo 'it'\"'\"'s' >&2; exit 5")
        done = plain.parse(output, "X")
        assert (done.stdout, done.stderr, done.exit_code) == (b"a\nb", b"it's\n", 5)

    def test_an_output_cut_anywhere_is_a_broken_link(self) -> None:
        plain, output = self.run("echo out; echo err >&2")
        for end in range(len(output)):
            with pytest.raises(TransientDeviceError, match="X: the link broke"):
                plain.parse(output[:end], "X")

    def test_an_output_that_imitates_an_end_does_not_fool_it(self) -> None:
        plain, output = self.run("echo 0123456789abcdef:0; echo 0123456789abcdef.; exit 1")
        assert plain.parse(output, "X").exit_code == 1
