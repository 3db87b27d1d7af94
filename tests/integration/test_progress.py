"""The live region, as a terminal gets it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios

import pytest

from adadeep.cli.progress import ProgressState
from adadeep.report.table_text import cell_width

PROGRAM = """
import time
from adadeep.cli.ui import Ui
ui = Ui()
with ui.progress("search digits", 12) as bar:
    bar.advance(0, "training the initial network on Handwritten digits, 8x8 (scikit-learn)")
    time.sleep(0.4)
    for number in range(1, 13):
        bar.advance(0, f"measuring on a device of number {number}")
        time.sleep(0.15)
        bar.advance(1)
        ui.note(f"[{number}/12] trial line")
        if number == 6:
            ui.warn("something")
            ui.say("result")
print("end")
"""


def raw(columns):
    """What the program writes to a terminal of that width."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    path = os.pathsep.join(p for p in sys.path if p)
    environment = {
        k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")
    }
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=follower, stderr=follower, stdin=follower,
        env={**environment, "PYTHONPATH": path, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(follower)
    data = b""
    while select.select([leader], [], [], 30)[0]:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # Linux: the other side is closed
            break
        if not piece:
            break
        data += piece
    os.close(leader)
    assert process.wait(30) == 0, data
    return data.decode()


def screen(stream):
    """What stays on an endless screen, and every line that ever stood on it."""
    lines, row, column, seen = [""], 0, 0, set()
    for token in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", stream):
        if token == "\r":
            column = 0
        elif token == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif token.startswith("\x1b["):
            count = int(token[2:-1]) if token[2:-1].isdigit() else 1
            if token[-1] == "A":
                row = max(0, row - count)
            elif token[-1] == "K":
                lines[row] = ""
        else:
            old = lines[row].ljust(column)
            lines[row] = old[:column] + token + old[column + len(token) :]
            column += len(token)
            seen.add(lines[row].rstrip())
    return [line.rstrip() for line in lines if line.strip()], seen


@pytest.mark.parametrize("columns", [80, 40])
def test_notes_stand_above_one_live_region_of_which_nothing_stays(columns):
    left, seen = screen(raw(columns))
    trials = [f"[{number}/12] trial line" for number in range(1, 13)]
    assert left == [*trials[:6], "warning: something", "result", *trials[6:], "end"]
    assert all(len(line) <= columns for line in seen)
    region = [line for line in seen if line.startswith("search digits")]
    assert any(re.search(r"\b[1-9]/12\b", line) for line in region)
    assert all(re.search(r"\d+/12\b", line) for line in region)
    assert any(re.search(r"\d:\d\d left", line) for line in region)
    assert any(line.startswith("training the initial network") for line in seen)
    assert any(line.startswith("measuring on a device") for line in seen)


def state(done):
    clock = iter(range(0, 10_000, 30))
    found = ProgressState("search digits on a device with a name", 1000, lambda: next(clock))
    found.advance(0, "making conv2:C2(alpha=0.5) fc1:W3(layout=block,sparsity=0.9) int8 " * 3)
    for _ in range(done):
        found.advance(1, "")
    return found


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("done", [0, 1, 25])
def test_the_count_is_whole_at_every_width(width, done):
    first, second = state(done).lines(width)
    assert f"{done}/1000" in first
    assert max(cell_width(first), cell_width(second)) <= width
    assert second.startswith("making")


def test_pace_and_time_left_are_those_of_the_last_steps():
    first, _ = state(25).lines(200)
    assert "1.82/min" in first  # ten steps of 30 s, and 30 s since
    assert "8:56:15 left" in first
    assert state(25).line().startswith("search digits on a device with a name: 25 of 1000, ")


def endless(done, outlook):
    clock = iter(range(0, 10_000, 30))
    found = ProgressState("search digits", None, lambda: next(clock))
    found.advance(0, "making conv2:C2(alpha=0.5)")
    for _ in range(done):
        found.advance(1, "", outlook)
    return found


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("done", [0, 1, 25])
def test_without_a_known_end_the_count_the_pace_and_what_going_on_may_gain_are_shown(width, done):
    first, second = endless(done, "may gain 0.042").lines(width)
    assert re.search(rf"\b{done}\b", first)
    assert "━" not in first
    assert "left" not in first
    assert max(cell_width(first), cell_width(second)) <= width
    assert ("may gain 0.042" in first) == (done > 0 and width >= 40)


def test_a_log_line_without_a_known_end_says_as_much():
    assert endless(25, "may gain 0.042").line() == (
        "search digits: 25, 1.82/min, may gain 0.042, making conv2:C2(alpha=0.5)"
    )
    first, _ = state(25).lines(200)
    assert "may gain" not in first
    known = state(25)
    known.advance(0, "", "may gain 0.042")
    assert "may gain 0.042" in known.lines(200)[0]
