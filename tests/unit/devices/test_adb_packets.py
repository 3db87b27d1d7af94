"""Framing: shell protocol 2, lines, and the token where shell protocol 2 is missing."""

from __future__ import annotations

import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adadeep.core.errors import TransientDeviceError
from adadeep.devices.adb.packets import PacketKind, PacketReader, encode_close_stdin, encode_stdin
from adadeep.devices.adb.shell_protocol import PlainCommand
from adadeep.devices.lines import LineBuffer


@given(st.lists(st.tuples(st.integers(0, 4), st.binary(max_size=50))), st.integers(1, 7))
def test_packets_come_whole_however_the_bytes_are_cut(
    packets: list[tuple[int, bytes]], piece: int
) -> None:
    data = b"".join(struct.pack("<BI", kind, len(body)) + body for kind, body in packets)
    reader = PacketReader()
    found = []
    for at in range(0, len(data), piece):
        found += reader.feed(data[at : at + piece])
    assert found == packets


def test_long_stdin_goes_in_several_packets() -> None:
    data = bytes(range(256)) * 300
    packets = PacketReader().feed(encode_stdin(data) + encode_close_stdin())
    assert len(packets) > 2
    assert packets[-1] == (PacketKind.CLOSE_STDIN, b"")
    assert b"".join(body for _, body in packets) == data
    assert {kind for kind, _ in packets[:-1]} == {PacketKind.STDIN}


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b""))), st.integers(1, 9))
def test_lines_come_whole_however_the_bytes_are_cut(lines: list[bytes], piece: int) -> None:
    data = b"".join(line + b"\n" for line in lines) + b"rest"
    buffer = LineBuffer()
    found = []
    for at in range(0, len(data), piece):
        buffer.feed(data[at : at + piece])
        while (line := buffer.take_line()) is not None:
            found.append(line)
    assert found == lines
    buffer.feed(b"\n")
    assert buffer.take_line() == b"rest"


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
